"""Finding decisions by each filter, page by page, and erasing those about a user."""

import json
from typing import Any

import pytest
from deciding import START, Process
from own_database import Database
from synapse_module_bridge.shared import decision_rows
from synapse_module_bridge.shared import decisions as decisions_module
from synapse_module_bridge.shared.decision_table import TABLE
from synapse_module_bridge.shared.decisions import Decisions, Filters
from synapse_module_bridge.supervision.versions import Version
from turning import outcome
from twisted.internet.defer import ensureDeferred


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def process(database: Database) -> Process:
    return Process(database)


def find(database: Database, **filters: Any) -> tuple[list[dict[str, Any]], str | None]:
    api: Any = database
    found: Any = outcome(ensureDeferred(Decisions(api).find(Filters(**filters))))
    if isinstance(found, Exception):
        raise found
    rows, more = found
    return rows, more


def users(database: Database, **filters: Any) -> list[str]:
    return [row["user"].partition(":")[0] for row in find(database, **filters)[0]]


def test_a_decision_is_told_whole(process: Process, database: Database) -> None:
    process.decide(reason="a link", details='{"host":"evil.example"}')
    process.advance(1)
    [told], more = find(database)
    assert told.pop("id").isdecimal() and more is None
    assert told == {
        "ts": START * 1000,
        "last_ts": START * 1000,
        "count": 1,
        "module": "no-links",
        "callback": "check_event_for_spam",
        "outcome": "refused",
        "answer": "M_FORBIDDEN",
        "reason": "a link",
        "details": {"host": "evil.example"},
        "user": "@eve:test",
        "room": "!r:test",
        "event": "$e",
        "process": "main",
        "files": "f" * 12,
        "config": "c" * 12,
    }


def test_there_is_nothing_to_find_at_first(database: Database) -> None:
    assert find(database) == find(database, module="m") == find(database, user="@a:test", module="m") == ([], None)


@pytest.fixture
def several(process: Process, database: Database) -> Database:
    of: list[dict[str, Any]] = [
        {"user": "@a:test", "event": "$1"},
        {"user": "@b:test", "room": "!other:test"},
        {"user": "@c:test", "module": "other", "version": Version("new", "config")},
        {"user": "@d:test", "module": "no-links,other", "outcome": "policy"},
        {"user": "@e:test", "callback": "user_may_invite"},
        {"user": "@a:test", "outcome": "replaced"},
    ]
    for one in of:
        process.decide(**one)
        process.advance(10)
    return database


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, "@a @e @d @c @b @a"),
        ({"user": "@a:test"}, "@a @a"),
        ({"room": "!other:test"}, "@b"),
        ({"event": "$1"}, "@a"),
        ({"module": "no-links"}, "@a @e @d @b @a"),
        ({"module": "other"}, "@d @c"),
        ({"module": "links"}, ""),
        ({"callback": "user_may_invite"}, "@e"),
        ({"outcome": "refused"}, "@e @c @b @a"),
        ({"files": "new"}, "@c"),
        ({"config": "config", "module": "other"}, "@c"),
        ({"user": "@a:test", "outcome": "replaced"}, "@a"),
        ({"user": "@a:test", "module": "other"}, ""),
        ({"user": "@a:test", "room": "!r:test", "callback": "check_event_for_spam"}, "@a @a"),
        ({"since": int(START * 1000) + 30_000}, "@a @e @d"),
        ({"since": int(START * 1000) + 30_000, "module": "other"}, "@d"),
        ({"since": int(START * 1000) + 50_001}, ""),
        ({"since": -1}, "@a @e @d @c @b @a"),
        ({"limit": 2}, "@a @e"),
        ({"limit": 2, "module": "no-links"}, "@a @e"),
    ],
)
def test_each_filter_holds_and_the_newest_come_first(several: Database, filters: Any, expected: str) -> None:
    assert users(several, **filters) == expected.split()


def test_a_row_whose_last_decision_is_recent_is_found(process: Process, database: Database) -> None:
    process.decide()
    process.advance(30)
    process.decide()
    process.advance(2)
    assert len(find(database, since=int(START * 1000) + 20_000)[0]) == 1
    assert len(find(database, since=int(START * 1000) + 20_000, module="no-links")[0]) == 1


@pytest.mark.parametrize("filters", [{}, {"user": "@u:test"}, {"module": "no-links"}])
def test_pages_neither_skip_nor_repeat_while_rows_are_added(
    process: Process, database: Database, filters: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Kinds come in parts then.
    monkeypatch.setattr(decision_rows, "KINDS_AT_ONCE", 2)
    for number in range(25):
        process.decide(user="@u:test", room=f"!{number}:test", version=Version(str(number % 5), ""))
        process.advance(1)
    process.advance(1)
    seen: list[str] = []
    at: str | None = None
    while True:
        rows, at = find(database, limit=7, from_=at, **filters)
        seen += [row["room"] for row in rows]
        if at is None:
            break
        process.decide(user="@u:test", room=f"!new{len(seen)}:test")
        process.advance(1)
    assert seen == [f"!{number}:test" for number in range(24, -1, -1)]


@pytest.mark.parametrize(
    "filters", [{"limit": 0}, {"limit": 1001}, {"from_": "x"}, {"from_": "٣"}, {"from_": "9" * 30}]
)
def test_a_filter_that_is_none_is_refused(database: Database, filters: Any) -> None:
    with pytest.raises(ValueError, match=next(iter(filters)).rstrip("_")):
        find(database, **filters)


def test_what_users_write_is_no_sql(several: Database) -> None:
    assert users(several, user="' OR 1=1 --") == users(several, module="%") == users(several, room="\0") == []


def test_a_user_is_erased_and_nobody_else(
    process: Process, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decisions_module, "ERASED_AT_ONCE", 3)
    for number in range(8):
        for user in ("@a:test", "@b:test"):
            process.decide(user=user, room=f"!{number}:test")
    process.advance(1)
    api: Any = database
    assert outcome(ensureDeferred(Decisions(api).erase("@a:test"))) == 8
    assert users(database) == ["@b"] * 8
    assert outcome(ensureDeferred(Decisions(api).erase("@a:test"))) == 0


@pytest.mark.parametrize(
    ("column", "value", "found"),
    [
        ("details", "{", 2),
        ("details", "[" * 100_000, 2),
        ("reason", b"\xff", 1),
        ("user_id", b"\xff", 1),
        ("last_ts", "soon", 1),
    ],
)
def test_a_row_that_no_bridge_writes_hides_no_other(
    process: Process, database: Database, column: str, value: Any, found: int
) -> None:
    process.decide()
    process.decide(user="@other:test")
    process.advance(1)
    database.connection.execute(f"UPDATE {TABLE} SET {column} = ? WHERE user_id = '@eve:test'", (value,))
    rows, more = find(database)
    assert (len(rows), more) == (found, None)
    json.dumps(rows)
