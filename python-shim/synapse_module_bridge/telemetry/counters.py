"""Counts and times in plain numbers, told to Prometheus when it asks: its own counters and histograms take a lock and
several Python calls each time, and every call of a callback is counted and timed.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

from prometheus_client import REGISTRY
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector


class Counters(Collector):
    """What Prometheus calls a counter with labels. To be written to by Synapse's main thread alone."""

    def __init__(self, name: str, documentation: str, labels: Sequence[str]) -> None:
        self._name, self._documentation, self._labels = name, documentation, labels
        self._counts: dict[tuple[str, ...], int] = {}
        REGISTRY.register(self)

    def add(self, *labels: str) -> None:
        try:
            self._counts[labels] += 1
        except KeyError:
            self._counts[labels] = 1

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(self._name, self._documentation, labels=self._labels)
        # A copy, since Prometheus may ask in a thread of its own.
        for labels, count in self._counts.copy().items():
            family.add_metric(labels, count)
        yield family


class Durations(Collector):
    """What Prometheus calls a histogram with labels. To be written to by Synapse's main thread alone."""

    def __init__(self, name: str, documentation: str, labels: Sequence[str], buckets: Sequence[float]) -> None:
        self._name, self._documentation, self._labels = name, documentation, labels
        self._buckets = buckets
        # By labels: how many there were in each bucket, and their sum.
        self._counts: dict[tuple[str, ...], list[int]] = {}
        self._sums: dict[tuple[str, ...], float] = {}
        REGISTRY.register(self)

    def add(self, seconds: float, *labels: str) -> None:
        try:
            self._sums[labels] += seconds
        except KeyError:
            self._counts[labels] = [0] * (len(self._buckets) + 1)
            self._sums[labels] = seconds
        self._counts[labels][bisect_left(self._buckets, seconds)] += 1

    def collect(self) -> Iterator[Metric]:
        family = HistogramMetricFamily(self._name, self._documentation, labels=self._labels)
        bounds = [*map(str, self._buckets), "+Inf"]
        sums: Mapping[tuple[str, ...], float] = self._sums.copy()
        for labels, total in sums.items():
            upto = accumulate(self._counts[labels].copy())
            family.add_metric(labels, list(zip(bounds, upto, strict=True)), sum_value=total)
        yield family
