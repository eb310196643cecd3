"""Counts what each module was asked, by callback, and how it has answered: for Prometheus and the bridge itself."""

from collections.abc import Iterator, Mapping, Sequence

import attr
from prometheus_client import REGISTRY
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from synapse_module_bridge.telemetry.counters import BOUNDS, Times


@attr.s(slots=True, auto_attribs=True, eq=False)
class ModuleCount(Times):
    """What one module was asked about one callback since Synapse started, and how long its answers took in Node.

    Only the reactor's thread may write to it.
    """

    # What it let pass, and what it answered with information.
    passed: int = 0
    # Refusals, replacements and edits; of a shadow module, what it would have objected to.
    refusals: int = 0
    # How often it failed, or policy answered in its place.
    errors: int = 0

    @property
    def calls(self) -> int:
        """How often it was asked, however it has answered."""
        return self.passed + self.refusals + self.errors


def quantile(buckets: Sequence[int], part: float) -> float | None:
    """The seconds within which this part of the answers came, as Prometheus estimates them; None without answers.

    Within a bucket, answers count as evenly spread. What is in the last bucket counts as its lower bound.
    """
    rank = part * sum(buckets)
    below, lower = 0, 0.0
    for count, upper in zip(buckets, BOUNDS, strict=False):
        if count and below + count >= rank:
            return lower + (upper - lower) * (rank - below) / count
        below, lower = below + count, upper
    return lower if any(buckets) else None


def quantiles_ms(buckets: Sequence[int]) -> dict[str, float]:
    """As `p50_ms` and `p99_ms` of admin.json: milliseconds, to the microsecond. Empty without answers."""
    found = {"p50_ms": quantile(buckets, 0.5), "p99_ms": quantile(buckets, 0.99)}
    return {key: round(seconds * 1000, 3) for key, seconds in found.items() if seconds is not None}


class ModuleCounts(Collector):
    """The counts of all modules, by module, callback and this server's name."""

    def __init__(self, prefix: str, server: str, registry: CollectorRegistry = REGISTRY) -> None:
        self._prefix, self._labels = prefix, ["module", "callback", server]
        self._counts: dict[tuple[str, str, str], ModuleCount] = {}
        registry.register(self)

    def begin(self, module: str, callback: str, server_name: str) -> ModuleCount:
        """The count of a module that is asked about the callback. A new one is 0, so that its first call is an
        increase. It outlives reloads.
        """
        return self._counts.setdefault((module, callback, server_name), ModuleCount())

    def of(self, module: str, callback: str, server_name: str) -> ModuleCount | None:
        """The count, if it has begun."""
        return self._counts.get((module, callback, server_name))

    def by_callback(self, server_name: str) -> Mapping[tuple[str, str], ModuleCount]:
        """All counts of this server, by module and callback."""
        return {key[:2]: count for key, count in self._counts.copy().items() if key[2] == server_name}

    def collect(self) -> Iterator[Metric]:
        prefix, labels = self._prefix, self._labels
        calls = CounterMetricFamily(
            prefix + "calls",
            "What a module was asked, by callback, also where policy has answered in its place.",
            labels=labels,
        )
        refusals = CounterMetricFamily(
            prefix + "refusals",
            "Calls that a module has refused, replaced or edited; for a shadow module, that it would have.",
            labels=labels,
        )
        errors = CounterMetricFamily(
            prefix + "errors",
            "Calls for which a module has failed, or has thrown a SynapseError, or policy has answered in its place.",
            labels=labels,
        )
        seconds = HistogramMetricFamily(
            prefix + "seconds",
            "How long a module took to answer, within Node.",
            labels=labels,
        )
        # Copies, since Prometheus may collect in another thread.
        for key, count in self._counts.copy().items():
            calls.add_metric(key, count.calls)
            refusals.add_metric(key, count.refusals)
            errors.add_metric(key, count.errors)
            count.add_to(seconds, key)
        yield from (calls, refusals, errors, seconds)
