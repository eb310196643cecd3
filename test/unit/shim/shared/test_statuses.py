"""The status rows of processes."""

import asyncio
import json
from typing import Any

import pytest
from shared_database import SharedDatabase
from synapse_module_bridge.shared import statuses as module
from synapse_module_bridge.shared.statuses import EXPIRES_MS, TABLE, Statuses

NOW = 1_800_000_000_000


def status(name: str, *, up: bool = False, **more: Any) -> dict[str, Any]:
    """That of a process without modules."""
    counts = {"restarts": 0, "decisions_dropped": 0}
    return {"name": name, "started_ts": NOW, "runs_modules": False, "up": up, **counts, "modules": [], **more}


def test_a_process_is_there_until_it_has_not_written_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    database: Any = SharedDatabase()
    ours, theirs = Statuses(database), Statuses(database)
    now = NOW
    monkeypatch.setattr(module, "_now", lambda: now)
    assert asyncio.run(ours.live()) == []
    asyncio.run(ours.write("worker1", status("worker1"), clean_up=False))
    asyncio.run(theirs.write("main", status("main"), clean_up=True))
    now += 1
    asyncio.run(ours.write("worker1", status("worker1", up=True), clean_up=False))
    assert asyncio.run(theirs.live()) == [
        status("main", seen_ts=NOW),
        status("worker1", up=True, seen_ts=NOW + 1),
    ]
    now = NOW + EXPIRES_MS
    assert [one["name"] for one in asyncio.run(theirs.live())] == ["worker1"]
    now += 1
    assert asyncio.run(theirs.live()) == []


def test_rows_of_processes_that_are_gone_are_removed_where_background_tasks_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    database: Any = SharedDatabase()
    statuses = Statuses(database)
    now = NOW
    monkeypatch.setattr(module, "_now", lambda: now)
    asyncio.run(statuses.write("gone", {}, clean_up=False))
    now += EXPIRES_MS
    asyncio.run(statuses.write("worker", {}, clean_up=False))
    names = f"SELECT name FROM {TABLE} ORDER BY name"
    assert database.connection.execute(names).fetchall() == [("gone",), ("worker",)]
    asyncio.run(statuses.write("main", {}, clean_up=True))
    assert database.connection.execute(names).fetchall() == [("main",), ("worker",)]


@pytest.mark.parametrize(
    ("ts", "text"),
    [
        (NOW, "{"),
        (NOW, "[]"),
        (NOW, "{}"),
        (NOW, "[" * 100_000),
        (NOW, b"\0\xff"),
        (NOW, json.dumps(status("odd", modules=[{}]))),
        ("text", json.dumps(status("odd"))),
    ],
)
def test_a_row_that_no_bridge_writes_hides_no_other(monkeypatch: pytest.MonkeyPatch, ts: Any, text: Any) -> None:
    database: Any = SharedDatabase()
    statuses = Statuses(database)
    monkeypatch.setattr(module, "_now", lambda: NOW)
    asyncio.run(statuses.write("main", status("main"), clean_up=False))
    database.connection.execute(f"INSERT INTO {TABLE} VALUES ('odd', ?, ?)", (ts, text))
    assert asyncio.run(statuses.live()) == [status("main", seen_ts=NOW)]


def test_a_status_of_a_newer_version_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    database: Any = SharedDatabase()
    statuses = Statuses(database)
    monkeypatch.setattr(module, "_now", lambda: NOW)
    asyncio.run(statuses.write("new", status("new", mood="good"), clean_up=False))
    assert asyncio.run(statuses.live()) == [status("new", mood="good", seen_ts=NOW)]


def test_a_process_whose_clock_was_ahead_is_gone_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    database: Any = SharedDatabase()
    statuses = Statuses(database)
    now = NOW + EXPIRES_MS
    monkeypatch.setattr(module, "_now", lambda: now)
    asyncio.run(statuses.write("ahead", status("ahead"), clean_up=False))
    now = NOW
    assert asyncio.run(statuses.live()) == []
    asyncio.run(statuses.write("main", status("main"), clean_up=True))
    assert database.connection.execute(f"SELECT name FROM {TABLE}").fetchall() == [("main",)]
