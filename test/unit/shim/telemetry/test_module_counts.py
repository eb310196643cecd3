"""What is counted by module, and what the bridge and Prometheus read of it."""

import pytest
from prometheus_client import CollectorRegistry
from synapse_module_bridge.telemetry.counters import BOUNDS
from synapse_module_bridge.telemetry.module_counts import ModuleCounts, quantile


def buckets(**counts: int) -> list[int]:
    bounds = [*map(str, BOUNDS), "more"]
    return [counts.get("_" + bound.replace(".", "_"), 0) for bound in bounds]


def samples(registry: CollectorRegistry) -> dict[str, float]:
    """The values of all samples but buckets, by name."""
    return {
        sample.name: sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.labels.keys() == {"module", "callback", "server_name"}
    }


def test_a_count_begins_at_0_and_outlives_a_reload() -> None:
    registry = CollectorRegistry()
    counts = ModuleCounts("m_", "server_name", registry)
    count = counts.begin("one", "user_may_invite", "test")
    names = ("m_calls_total", "m_refusals_total", "m_errors_total", "m_seconds_count", "m_seconds_sum")
    assert samples(registry) == dict.fromkeys(names, 0)
    count.refusals += 1
    assert counts.begin("one", "user_may_invite", "test") is count
    assert samples(registry)["m_refusals_total"] == samples(registry)["m_calls_total"] == 1


def test_calls_are_all_that_a_module_was_asked() -> None:
    counts = ModuleCounts("m_", "server_name", CollectorRegistry())
    count = counts.begin("one", "user_may_invite", "test")
    count.passed, count.refusals, count.errors = 5, 3, 2
    counts.begin("one", "user_may_invite", "another").passed = 1
    assert {key: count.calls for key, count in counts.by_callback("test").items()} == {("one", "user_may_invite"): 10}


def test_the_time_of_an_answer_is_in_the_bucket_of_its_bound() -> None:
    count = ModuleCounts("m_", "server_name", CollectorRegistry()).begin("one", "user_may_invite", "test")
    for seconds in (0.0005, 0.0006, 0.5, 60.0):
        count.took(seconds)
    assert count.buckets == buckets(_0_0005=1, _0_001=1, _0_5=1, _more=1)
    assert count.seconds == pytest.approx(60.5011)


@pytest.mark.parametrize(
    ("counted", "part", "expected"),
    [
        (buckets(), 0.5, None),
        (buckets(_0_0005=10), 0.5, 0.00025),
        (buckets(_0_0005=10), 1.0, 0.0005),
        (buckets(_0_001=1, _0_01=1), 0.5, 0.001),
        (buckets(_0_001=99, _1_0=1), 0.99, 0.001),
        (buckets(_0_001=98, _1_0=2), 0.99, 0.75),
        (buckets(_more=3), 0.5, 10.0),
    ],
)
def test_a_quantile_is_what_prometheus_estimates(counted: list[int], part: float, expected: float | None) -> None:
    found = quantile(counted, part)
    assert found == (expected if expected is None else pytest.approx(expected))
