"""Gives Prometheus gauges that are read whenever it collects them. What is gone then has no sample left."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from prometheus_client import REGISTRY
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

# The values by labels. It may be called in another thread, and must change nothing.
Read = Callable[[], Mapping[tuple[str, ...], float]]


class Readings(Collector):
    """A Prometheus gauge with labels.

    Where homeserver.yaml lists several bridges, `combine` makes one value of their values for the same labels.
    """

    def __init__(
        self,
        name: str,
        documentation: str,
        labels: Sequence[str],
        combine: Callable[[Sequence[float]], float] = sum,
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        self._name, self._documentation, self._labels = name, documentation, labels
        self._combine = combine
        self._reads: list[Read] = []
        registry.register(self)

    def watch(self, read: Read) -> None:
        """Reads these values, too, from now on."""
        self._reads.append(read)

    def collect(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(self._name, self._documentation, labels=self._labels)
        values: dict[tuple[str, ...], list[float]] = {}
        for read in self._reads:
            for labels, value in read().items():
                values.setdefault(labels, []).append(value)
        for labels, found in values.items():
            family.add_metric(labels, self._combine(found))
        yield family
