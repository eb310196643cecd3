"""What the bridge tells Prometheus, with one bridge and with several."""

import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from counted import count
from fake_synapse import Api
from outcomes import config, recovers
from prometheus_client import REGISTRY, Gauge
from rig import running
from synapse_module_bridge.process.exit_cause import KINDS_OF_ENDS
from synapse_module_bridge.schema.protocol import CAUSES
from synapse_module_bridge.telemetry import metrics
from turning import settled, turn_until

pytestmark = pytest.mark.usefixtures("faster")


@pytest.mark.parametrize(("combine", "first", "then"), [(sum, 6, 7), (min, 1, 2)])
def test_a_gauge_tells_the_sum_or_the_least_of_all_bridges(combine: Any, first: float, then: float) -> None:
    gauge = Gauge("test", "-", ["server_name"], registry=None)
    values = {"one": 1, "two": 5}
    for bridge in values:
        metrics.watch(gauge, ("test",), partial(values.__getitem__, bridge), combine)
    assert [sample.value for sample in next(iter(gauge.collect())).samples] == [first]
    values["one"] = 2
    assert [sample.value for sample in next(iter(gauge.collect())).samples] == [then]


def test_the_gauges_follow_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The bridges of other tests are down.
    monkeypatch.setattr(Api, "server_name", "gauges.test")
    gauge = partial(count, server_name="gauges.test")
    with running(tmp_path, "exits", config("deny")) as rig:
        assert gauge("up") == 1
        turn_until(lambda: gauge("node_memory_bytes", kind="rss") == 1)
        asked = rig.ask("user_may_invite", "@alice:test", "@bob:test", "!room:test")
        assert gauge("calls_in_flight") == 1
        turn_until(lambda: gauge("up") == 0)
        settled(asked)
        recovers(rig)
        assert (gauge("up"), gauge("calls_in_flight")) == (1, 0)


def test_ends_are_counted_from_0_so_that_prometheus_sees_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Api, "server_name", "zeros.test")

    def value(metric: str, **labels: str) -> float | None:
        labels["server_name"] = "zeros.test"
        return REGISTRY.get_sample_value(f"synapse_module_bridge_{metric}_total", labels)

    with running(tmp_path, "good", config("deny")) as rig:
        assert {value("host_ends", cause=cause) for cause in KINDS_OF_ENDS} == {0}
        assert {value("thread_ends", module="m", cause=cause) for cause in CAUSES.values()} == {0}
        os.kill(rig.pid(), signal.SIGKILL)
        # No series but those that have begun.
        turn_until(lambda: value("host_ends", cause="killed by SIGKILL") == 1)
        recovers(rig)


def test_the_times_of_calls_are_exported_with_and_without_their_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Api, "server_name", "times.test")

    def value(metric: str, **labels: str) -> float | None:
        labels |= {"callback": "user_may_invite", "server_name": "times.test"}
        return REGISTRY.get_sample_value(f"synapse_module_bridge_{metric}", labels)

    with running(tmp_path, "good", config("deny")) as rig:
        for _ in range(3):
            rig.answer("user_may_invite", "@alice:test", "@bob:test", "!room:test")
        assert value("call_seconds_count") == 3
        assert value("module_seconds_count", module="m") == 3
        assert value("module_seconds_bucket", module="m", le="+Inf") == 3
        assert value("module_seconds_sum", module="m") == pytest.approx(3 * 0.0015)
        assert (value("call_seconds_sum") or 0) > 0
