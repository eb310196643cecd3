"""Hourly counters of all processes, and the reports about shadow modules that come from them."""

from collections.abc import Iterator
from typing import Any

import pytest
from deciding import START, Process
from own_database import Database
from synapse_module_bridge.shared import shadow_reports
from synapse_module_bridge.shared.decision_table import HOUR_MS
from synapse_module_bridge.shared.decisions import Decisions
from synapse_module_bridge.shared.hourly import Hourly
from synapse_module_bridge.telemetry import metrics
from turning import outcome
from twisted.internet.defer import ensureDeferred

HOUR = int(START * 1000)
CALLBACK = "check_event_for_spam"


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def processes(database: Database) -> Iterator[list[Process]]:
    names = ["main", "worker1"]
    processes = [Process(database, name) for name in names]
    yield processes
    for key in [key for key in metrics.MODULES._counts if key[2] in names]:
        del metrics.MODULES._counts[key]


def asked(process: Process, module: str, times: int, *, refusals: int = 0, seconds: float = 0.002) -> None:
    """The module is asked so often. Each process of these tests has counts of its own, by its name."""
    count = metrics.MODULES.begin(module, CALLBACK, process.hourly._server_name)
    count.passed += times - refusals
    count.refusals += refusals
    for _ in range(times):
        count.took(seconds)


def wait(*processes: Process, seconds: float = 16) -> None:
    for process in processes:
        process.advance(seconds)


def hours(database: Database, since: int = HOUR, module: str | None = None) -> list[dict[str, Any]]:
    api: Any = database
    found: list[dict[str, Any]] = outcome(ensureDeferred(Hourly(api).counters(since, module)))
    return found


def reports(database: Database, since: int = HOUR) -> list[dict[str, Any]]:
    api: Any = database
    found: list[dict[str, Any]] = outcome(ensureDeferred(Decisions(api).shadow(since)))
    return found


def test_the_calls_of_all_processes_are_added_up_by_hour(processes: list[Process], database: Database) -> None:
    for process in processes:
        process.hourly.begin()
        asked(process, "no-links", 100, refusals=3)
    wait(*processes)
    asked(processes[0], "no-links", 10)
    wait(*processes)
    wait(*processes, seconds=3600)
    asked(processes[0], "no-links", 1, seconds=0.2)
    wait(*processes)
    first, second = hours(database)
    assert first == {
        "hour_ts": HOUR,
        "module": "no-links",
        "callback": CALLBACK,
        "calls": 210,
        "refusals": 6,
        "errors": 0,
        "p50_ms": pytest.approx(1.75),
        "p99_ms": pytest.approx(2.485),
    }
    assert (second["hour_ts"], second["calls"]) == (HOUR + HOUR_MS, 1)
    assert hours(database, HOUR + HOUR_MS + 5) == hours(database, HOUR + HOUR_MS, "no-links") == [second]
    assert hours(database, HOUR, "other") == []


def test_what_the_database_does_not_take_is_written_later(processes: list[Process], database: Database) -> None:
    [process, _] = processes
    process.hourly.begin()
    database.fails = True
    for _ in range(3):
        asked(process, "no-links", 10)
        process.object()
        wait(process)
    database.fails = False
    wait(process)
    assert [hour["calls"] for hour in hours(database)] == [30]
    assert [report["would_refuse"] for report in reports(database)] == [3]


def test_modules_of_another_bridge_are_left_to_it(processes: list[Process], database: Database) -> None:
    processes[0].hourly.begin()
    asked(processes[0], "of-another-bridge", 10)
    wait(processes[0])
    assert hours(database) == []


def test_a_shadow_report_says_what_would_have_been_and_what_was(processes: list[Process], database: Database) -> None:
    [process, other] = processes
    for one in processes:
        one.hourly.begin()
        asked(one, "new-idea", 50)
    for number in range(3):
        process.object("allowed", user="@eve:test", room=f"!{number}:test")
    other.object("refused", user="@mallory:test", room="!1:test")
    process.object("allowed", callback="user_may_invite", user=None, room=None)
    process.object(None, outcome="would_replace")
    process.object("allowed", outcome="would_fault")
    process.decide(user="@a:test")
    wait(*processes)
    [report] = reports(database)
    examples = report.pop("examples")
    assert report == {
        "name": "new-idea",
        "asked": 100,
        "would_refuse": 5,
        "would_edit": 1,
        "failed": 1,
        "callbacks": {
            CALLBACK: {"asked": 100, "would_refuse": 4, "would_edit": 1, "failed": 1},
            "user_may_invite": {"asked": 0, "would_refuse": 1, "would_edit": 0, "failed": 0},
        },
        "really": {"allowed": 4, "refused": 1, "unknown": 1},
        "rooms": [
            {"id": "!1:test", "count": 2},
            {"id": "!0:test", "count": 1},
            {"id": "!2:test", "count": 1},
            {"id": "!r:test", "count": 1},
        ],
        "users": [{"id": "@eve:test", "count": 4}, {"id": "@mallory:test", "count": 1}],
    }
    assert len(examples) == 6 and all(example["outcome"] != "would_fault" for example in examples)
    assert [example["really"] for example in examples if example.get("user") == "@mallory:test"] == ["refused"]
    assert reports(database, HOUR + HOUR_MS) == []


def test_what_a_module_was_asked_counts_by_the_mode_that_it_had_then(
    processes: list[Process], database: Database
) -> None:
    [process, _] = processes
    process.hourly.begin()
    asked(process, "new-idea", 50)
    process.object("allowed")
    process.hourly.take()
    process.modules = {"no-links": True, "new-idea": False}
    asked(process, "new-idea", 7)
    asked(process, "no-links", 3)
    wait(process)
    assert {report["name"]: report["asked"] for report in reports(database)} == {"new-idea": 50, "no-links": 3}
    assert sum(hour["calls"] for hour in hours(database)) == 60


def test_a_flood_of_objections_is_in_the_report_though_not_in_rows(
    processes: list[Process], database: Database
) -> None:
    [process, _] = processes
    process.hourly.begin()
    for number in range(5_000):
        process.object(user=f"@u{number}:test")
    wait(process)
    [report] = reports(database)
    assert report["would_refuse"] == report["really"]["allowed"] == 5_000
    assert process.writer.dropped > 4_000
    assert len(report["users"]) == len(report["examples"]) == shadow_reports.TOP


def test_what_a_module_did_while_it_decided_is_not_in_its_shadow_report(
    processes: list[Process], database: Database
) -> None:
    [process, _] = processes
    process.hourly.begin()
    asked(process, "new-idea", 50)
    wait(process)
    process.modules["new-idea"] = False
    asked(process, "new-idea", 1_000)
    wait(process)
    assert [report["asked"] for report in reports(database)] == [50]
    assert [hour["calls"] for hour in hours(database)] == [1_050]
