"""Counts and times calls in plain numbers, which Prometheus collects.

Its own counters and histograms take a lock and several Python calls for each change: too much for every call of a
callback.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate

import attr
from prometheus_client import REGISTRY
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

# The upper bounds of the buckets of all histograms, in seconds. The last bucket has none.
BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
_BOUNDS = (*map(str, BOUNDS), "+Inf")


class Counters(Collector):
    """A Prometheus counter with labels. Only the reactor's thread may write to it."""

    def __init__(self, name: str, documentation: str, labels: Sequence[str]) -> None:
        self._name, self._documentation, self._labels = name, documentation, labels
        # In a list of one item, so that a change looks up the labels once.
        self._counts: dict[tuple[str, ...], list[int]] = {}
        REGISTRY.register(self)

    def begin(self, *labels: str) -> list[int]:
        """Lets the counter with these values of the labels begin at 0. Returns its only item, to be added to."""
        return self._counts.setdefault(labels, [0])

    def add(self, *labels: str) -> None:
        """Adds 1 to the counter with these values of the labels."""
        self.begin(*labels)[0] += 1

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(self._name, self._documentation, labels=self._labels)
        # A copy, since Prometheus may collect in another thread.
        for labels, (count,) in self._counts.copy().items():
            family.add_metric(labels, count)
        yield family


@attr.s(slots=True, auto_attribs=True, eq=False)
class Times:
    """How long something took, each time. Only the reactor's thread may write to it."""

    # By bucket, how many took so long, not counting those of lower buckets; and the sum of all, in seconds.
    buckets: list[int] = attr.ib(factory=lambda: [0] * (len(BOUNDS) + 1), init=False)
    seconds: float = attr.ib(default=0.0, init=False)

    def took(self, seconds: float) -> None:
        """Notes how long it took once."""
        self.buckets[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds

    def add_to(self, family: HistogramMetricFamily, labels: Sequence[str]) -> None:
        """Adds them to what Prometheus collects, perhaps in another thread."""
        upto = accumulate(self.buckets.copy())
        family.add_metric(labels, list(zip(_BOUNDS, upto, strict=True)), sum_value=self.seconds)


class Durations(Collector):
    """A Prometheus histogram with labels."""

    def __init__(self, name: str, documentation: str, labels: Sequence[str]) -> None:
        self._name, self._documentation, self._labels = name, documentation, labels
        self._times: dict[tuple[str, ...], Times] = {}
        REGISTRY.register(self)

    def begin(self, *labels: str) -> Times:
        """The histogram with these values of the labels; a new one is empty."""
        return self._times.setdefault(labels, Times())

    def collect(self) -> Iterator[Metric]:
        family = HistogramMetricFamily(self._name, self._documentation, labels=self._labels)
        for labels, times in self._times.copy().items():
            times.add_to(family, labels)
        yield family
