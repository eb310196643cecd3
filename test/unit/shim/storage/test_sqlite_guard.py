"""What SQLite itself refuses to a module's statements, how long they may take, and that nothing of it stays behind."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from sqlite_transaction import sqlite_transaction
from synapse_module_bridge.schema.protocol import LIMITS
from synapse_module_bridge.storage.guard import guarded
from synapse_module_bridge.storage.sql_scanner import BadStatement, scan
from synapse_module_bridge.storage.statements import Results, Statement, read_statement
from synapse_module_bridge.storage.time_box import TimeBox, TransactionOver

LIMIT = "transaction_statements_ms"
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(":memory:")
    made.execute("CREATE TABLE t (n INTEGER PRIMARY KEY)")
    made.execute("CREATE VIRTUAL TABLE texts USING fts4 (text)")
    yield made
    made.close()


def unread(sql: str, params_list: list[list[Any]] | None = None) -> Statement:
    """As if the scanner had let it pass."""
    return Statement(sql, scan("SELECT 1", False), False, [], params_list, "all")


def run(connection: sqlite3.Connection, *statements: Statement) -> list[Any]:
    txn = sqlite_transaction(connection)
    with guarded(txn, TimeBox(LIMIT)) as guard:
        results = [Results().run(txn, guard, statement)["rows"] for statement in statements]
    connection.commit()
    return results


def count(connection: sqlite3.Connection) -> int:
    [(number,)] = connection.execute("SELECT COUNT(*) FROM t")
    return int(number)


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("COMMIT", "begins or ends a transaction"),
        ("/* /* */ ROLLBACK", "begins or ends a transaction"),
        ("\ufeffEND", "begins or ends a transaction"),
        ("SAVEPOINT a", "begins or ends a part of the transaction"),
        ("RELEASE a", "begins or ends a part of the transaction"),
        ("ATTACH ':memory:' AS a", "attaches a database"),
        ("DETACH a", "detaches a database"),
        ("PRAGMA foreign_keys = OFF", "uses a PRAGMA"),
        ("SELECT * FROM pragma_optimize", "uses a PRAGMA"),
        ("CREATE TEMP TABLE a (b)", "creates what is temporary"),
        ("CREATE TABLE temp.a (b)", "creates what is temporary"),
        ("CREATE VIEW temp.a AS SELECT 1", "creates what is temporary"),
        ("CREATE TRIGGER temp.a AFTER INSERT ON main.t BEGIN SELECT 1; END", "creates what is temporary"),
        ("CREATE VIRTUAL TABLE temp.a USING fts4 (b)", "creates what is temporary"),
        ("CREATE TEMP VIEW a AS SELECT 1", "creates what is temporary"),
        ("CREATE TEMP TRIGGER a AFTER INSERT ON t BEGIN SELECT 1; END", "creates what is temporary"),
    ],
)
def test_sqlite_refuses_what_the_scanner_let_pass(connection: sqlite3.Connection, sql: str, reason: str) -> None:
    txn = sqlite_transaction(connection)
    with pytest.raises(BadStatement, match=reason), guarded(txn, TimeBox(LIMIT)) as guard:
        txn.execute("INSERT INTO t VALUES (1)")
        Results().run(txn, guard, unread(sql))
    connection.rollback()
    assert count(connection) == 0


def test_an_index_of_a_temporary_table_is_refused(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TEMP TABLE a (b)")
    with pytest.raises(BadStatement, match="creates what is temporary"):
        run(connection, unread("CREATE INDEX temp.c ON a (b)"))


def test_what_only_tells_is_let_pass(connection: sqlite3.Connection) -> None:
    [columns, found] = run(
        connection,
        read_statement({"sql": "SELECT name FROM pragma_table_info('t')"}, postgres=False),
        read_statement({"sql": "SELECT text FROM texts WHERE text MATCH ?", "params": ["a"]}, postgres=False),
    )
    assert (columns, found) == ([["n"]], [])
    run(connection, unread("ALTER TABLE t RENAME TO u"), unread("ALTER TABLE u ADD COLUMN m"))


def test_synapse_is_refused_nothing_afterwards(connection: sqlite3.Connection) -> None:
    run(connection, unread("SELECT 1"))
    with pytest.raises(BadStatement):
        run(connection, unread("COMMIT"))
    connection.rollback()
    for sql in ("PRAGMA foreign_keys", "BEGIN", "SAVEPOINT a", "CREATE TEMP TABLE a (b)", "COMMIT"):
        connection.execute(sql)


def test_the_statement_that_was_refused_is_the_one_that_is_told(connection: sqlite3.Connection) -> None:
    txn = sqlite_transaction(connection)
    with guarded(txn, TimeBox(LIMIT)) as guard:
        with pytest.raises(BadStatement):
            Results().run(txn, guard, unread("COMMIT"))
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            Results().run(txn, guard, unread("SELECT * FROM none"))


def test_a_transaction_that_has_ended_is_noticed(connection: sqlite3.Connection) -> None:
    txn = sqlite_transaction(connection)
    with guarded(txn, TimeBox(LIMIT)) as guard:
        assert guard.is_within()
        connection.set_authorizer(lambda *_: sqlite3.SQLITE_OK)
        with pytest.raises(BadStatement, match="ended the transaction"):
            Results().run(txn, guard, unread("COMMIT"))


def test_a_statement_that_takes_too_long_is_ended(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, LIMIT, 50)
    with pytest.raises(TransactionOver, match="it took longer than 50 ms"):
        run(connection, unread("INSERT INTO t VALUES (1)"), unread(ENDLESS))
    connection.rollback()
    assert count(connection) == 0
    # Nobody counts any more.
    long = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT COUNT(*) FROM n"
    assert connection.execute(long).fetchall() == [(300_000,)]


def test_a_lock_that_is_waited_for_is_not_taken_for_a_long_statement(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    txn = sqlite_transaction(connection)
    box = TimeBox(LIMIT)
    with guarded(txn, box) as guard:
        monkeypatch.setattr(box, "_until", 0.0)
        locked = sqlite3.OperationalError("database is locked")
        assert guard.explain(locked) is locked


def test_no_statement_and_no_row_begins_once_the_time_is_up(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    txn = sqlite_transaction(connection)
    box = TimeBox(LIMIT)

    def rows() -> Any:
        yield [1]
        monkeypatch.setattr(box, "_until", 0.0)
        yield [2]

    with guarded(txn, box) as guard:
        with pytest.raises(TransactionOver):
            Results().run(txn, guard, unread("INSERT INTO t VALUES (?)", rows()))
        with pytest.raises(TransactionOver):
            Results().run(txn, guard, unread("SELECT 1"))
    assert count(connection) == 1
