"""The status rows of processes."""

import asyncio
from typing import Any

import pytest
from shared_database import SharedDatabase
from synapse_module_bridge.shared import statuses as module
from synapse_module_bridge.shared.statuses import EXPIRES_MS, TABLE, Statuses

NOW = 1_800_000_000_000


def test_a_process_is_there_until_it_has_not_written_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    database: Any = SharedDatabase()
    ours, theirs = Statuses(database), Statuses(database)
    now = NOW
    monkeypatch.setattr(module, "_now", lambda: now)
    assert asyncio.run(ours.live()) == []
    asyncio.run(ours.write("worker1", {"name": "worker1", "up": False}, clean_up=False))
    asyncio.run(theirs.write("main", {"name": "main"}, clean_up=True))
    now += 1
    asyncio.run(ours.write("worker1", {"name": "worker1", "up": True}, clean_up=False))
    assert asyncio.run(theirs.live()) == [
        {"name": "main", "seen_ts": NOW},
        {"name": "worker1", "up": True, "seen_ts": NOW + 1},
    ]
    now = NOW + EXPIRES_MS
    assert [status["name"] for status in asyncio.run(theirs.live())] == ["worker1"]
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
