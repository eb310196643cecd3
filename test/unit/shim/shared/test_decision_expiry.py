"""Decisions that are too old or too many are removed, in small batches, by one process."""

from typing import Any

import pytest
from deciding import START, Process
from own_database import Database
from synapse_module_bridge.configuration.config import KeptDecisions
from synapse_module_bridge.shared import decision_expiry
from synapse_module_bridge.shared.decision_expiry import DecisionExpiry
from synapse_module_bridge.shared.decision_table import KINDS, TABLE
from turning import outcome
from twisted.internet.defer import ensureDeferred

DAY_MS = 24 * 60 * 60 * 1000


def expiry(database: Database, *, keep_ms: int = 30 * DAY_MS, limit: int = 100, days: float = 0) -> DecisionExpiry:
    api: Any = database
    return DecisionExpiry(api, KeptDecisions(keep_ms=keep_ms, limit=limit), lambda: START + days * 86400)


def users(database: Database) -> list[int]:
    return [int(user[2:-5]) for (user,) in database.rows(f"SELECT user_id FROM {TABLE} ORDER BY id")]


@pytest.fixture
def database() -> Database:
    database = Database()
    process = Process(database)
    for number in range(20):
        process.decide(user=f"@u{number}:test", module="old" if number < 10 else "new")
        process.advance(10)
    return database


def test_what_is_too_old_is_removed_with_its_kind(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decision_expiry, "REMOVED_AT_ONCE", 3)
    outcome(ensureDeferred(expiry(database, keep_ms=DAY_MS, days=1 + 100 / 86400).remove()))
    assert users(database) == list(range(10, 20))
    assert database.rows(f"SELECT module FROM {KINDS}") == [("new",)]


def test_the_newest_stay_where_there_are_too_many(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decision_expiry, "REMOVED_AT_ONCE", 3)
    outcome(ensureDeferred(expiry(database, limit=7).remove()))
    assert users(database) == list(range(13, 20))
    assert len(database.rows(f"SELECT * FROM {KINDS}")) == 2


def test_nothing_is_made_where_nothing_was_kept() -> None:
    database = Database()
    outcome(ensureDeferred(expiry(database).remove()))
    assert database.rows("SELECT name FROM sqlite_master") == []


def test_only_the_process_with_background_tasks_removes() -> None:
    for background in (True, False):
        database = Database(background=background)
        expiry(database).clean_up_regularly()
        assert len(database.looping) == background
