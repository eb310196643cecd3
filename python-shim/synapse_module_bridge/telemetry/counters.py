"""Counts and times calls in plain numbers, which Prometheus collects.

Its own counters and histograms take a lock and several Python calls for each change: too much for every call of a
callback.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client import REGISTRY
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector


class Counters(Collector):
    """A Prometheus counter with labels. Only the reactor's thread may write to it."""

    def __init__(self, name: str, documentation: str, labels: Sequence[str]) -> None:
        self._name, self._documentation, self._labels = name, documentation, labels
        # In a list of one item, so that a change looks up the labels once.
        self._counts: dict[tuple[str, ...], list[int]] = {}
        REGISTRY.register(self)

    def begin(self, *labels: str) -> None:
        """Lets the counter with these values of the labels begin at 0."""
        self._counts.setdefault(labels, [0])

    def add(self, *labels: str) -> None:
        """Adds 1 to the counter with these values of the labels."""
        try:
            self._counts[labels][0] += 1
        except KeyError:
            self._counts[labels] = [1]

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(self._name, self._documentation, labels=self._labels)
        # A copy, since Prometheus may collect in another thread.
        for labels, (count,) in self._counts.copy().items():
            family.add_metric(labels, count)
        yield family


class Durations(Collector):
    """A Prometheus histogram with labels. Only the reactor's thread may write to it."""

    def __init__(self, name: str, documentation: str, labels: Sequence[str], buckets: Sequence[float]) -> None:
        self._name, self._documentation, self._labels = name, documentation, labels
        self._buckets = buckets
        # By labels: how many values each bucket has, not counting those of lower buckets; and the sum of all values, in
        # a list as above.
        self._values: dict[tuple[str, ...], tuple[list[int], list[float]]] = {}
        REGISTRY.register(self)

    def begin(self, *labels: str) -> None:
        """Lets the histogram with these values of the labels begin without a value."""
        if labels not in self._values:
            self._values[labels] = [0] * (len(self._buckets) + 1), [0.0]

    def add(self, seconds: float, *labels: str) -> None:
        """Adds a value to the histogram with these values of the labels."""
        try:
            counts, total = self._values[labels]
        except KeyError:
            self.begin(*labels)
            counts, total = self._values[labels]
        counts[bisect_left(self._buckets, seconds)] += 1
        total[0] += seconds

    def collect(self) -> Iterator[Metric]:
        family = HistogramMetricFamily(self._name, self._documentation, labels=self._labels)
        bounds = [*map(str, self._buckets), "+Inf"]
        for labels, (counts, (total,)) in self._values.copy().items():
            upto = accumulate(counts.copy())
            family.add_metric(labels, list(zip(bounds, upto, strict=True)), sum_value=total)
        yield family
