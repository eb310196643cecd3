"""What SQLite itself refuses to a module's statements, how long they may take, and that nothing of it stays behind."""

import json
import sqlite3
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlite_transaction import sqlite_transaction
from synapse_module_bridge.schema.protocol import LIMITS
from synapse_module_bridge.storage.guard import guarded
from synapse_module_bridge.storage.sql_scanner import BadStatement, scan
from synapse_module_bridge.storage.sqlite_guard import MOST_LENGTH, MOST_LENGTH_WITH, MOST_PATTERN
from synapse_module_bridge.storage.statements import Results, Statement, read_statement
from synapse_module_bridge.storage.time_box import TimeBox, TransactionOver

LIMIT = "transaction_statements_ms"
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"
# The expression is computed for numbers `i` without end.
FOR_EACH = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT SUM({}) FROM n"
# A call takes less than one second where the machine has nothing else to do.
MOST_SECONDS = 8.0

needs_limits = pytest.mark.skipif(sys.version_info < (3, 11), reason="Python cannot set SQLite's limits")


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


def test_a_transaction_that_has_ended_is_noticed(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    txn = sqlite_transaction(connection)
    with guarded(txn, TimeBox(LIMIT)) as guard:
        assert guard.is_within()
        monkeypatch.setattr(guard, "authorize", lambda *_: sqlite3.SQLITE_OK)
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


def keys(prefix: str, number: int) -> str:
    return json.dumps({f"{prefix}{n:06}": 1 for n in range(number)}, separators=(",", ":"))


A_MILLION = "a" * 1_000_000
NEVER = "a" * 500_000 + "b"


@needs_limits
@pytest.mark.parametrize(
    ("expression", "params", "most"),
    [
        ("? LIKE ?", ["a" * 60_000, f"%{'a' * 30_000}b"], f"a pattern of LIKE or GLOB may have {MOST_PATTERN} bytes"),
        ("? GLOB ?", ["a" * 60_000, f"*{'a' * 30_000}b"], f"a pattern of LIKE or GLOB may have {MOST_PATTERN} bytes"),
        ("? LIKE ?", [A_MILLION, f"%{'a' * 1000}b"], "like"),
        ("? GLOB ?", [A_MILLION, f"*{'a' * 1000}b"], "glob"),
        ("instr(?, ?)", [A_MILLION, NEVER], "instr"),
        ("instr(?, ?)", [{"bytes": "YWFh" * 200_000}, {"bytes": "YWFh" * 100_000 + "YmJi"}], "instr"),
        ("replace(?, ?, '')", [A_MILLION, NEVER], "replace"),
        ("trim(?, ?)", ["b" * 1_000_000, A_MILLION + "b"], "trim"),
        ("ltrim(?, ?)", ["b" * 1_000_000, A_MILLION + "b"], "ltrim"),
        ("rtrim(?, ?)", ["b" * 1_000_000, A_MILLION + "b"], "rtrim"),
        ("printf(?)", ["%.1000000g" * 100_000], "printf"),
        ("json_patch(?, ?)", [keys("a", 90_000), keys("b", 90_000)], "json_patch"),
        ("length(hex(zeroblob(?)))", [400_000_000], f"a text or blob may have {MOST_LENGTH} bytes$"),
        ("length(randomblob(?))", [1_000_000_000], f"a text or blob may have {MOST_LENGTH} bytes$"),
    ],
)
def test_a_call_that_would_outlive_the_time_is_refused(
    connection: sqlite3.Connection, expression: str, params: list[Any], most: str
) -> None:
    if most in MOST_LENGTH_WITH:
        most = f"may have {MOST_LENGTH_WITH[most]} bytes in a statement that calls {most}$"
    begun = time.monotonic()
    with pytest.raises(BadStatement, match=most):
        run(connection, read_statement({"sql": f"SELECT {expression} AS a", "params": params}, postgres=False))
    assert time.monotonic() - begun < MOST_SECONDS


@needs_limits
@pytest.mark.parametrize(
    ("expression", "params"),
    [
        ("? LIKE ? || i", ["a" * 131_000, f"%{'a' * 1000}b"]),
        ("? GLOB ? || i", ["a" * 131_000, f"*{'a' * 1000}b"]),
        ("instr(?, ? || i)", ["a" * 131_000, "a" * 65_500]),
        ("length(replace(?, ? || i, ''))", ["a" * 131_000, "a" * 65_500]),
        ("length(trim(?, ? || i))", ["b" * 65_000, "a" * 5400 + "b"]),
        ("length(printf(? || i))", ["%.60000g" * 7000]),
        ("length(json_patch(?, replace(?, 'b', i)))", [keys("a", 5000), keys("b", 4000)]),
        ("length(randomblob(16000000 + i))", []),
        ("length(hex(zeroblob(8000000 + i)))", []),
        ("length(hex(i))", []),
    ],
)
def test_a_statement_ends_after_the_call_in_which_its_time_is_up(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, expression: str, params: list[Any]
) -> None:
    monkeypatch.setitem(LIMITS, LIMIT, 50)
    statement = read_statement({"sql": FOR_EACH.format(expression), "params": params}, postgres=False)
    begun = time.monotonic()
    with pytest.raises(TransactionOver):
        run(connection, statement)
    assert time.monotonic() - begun < MOST_SECONDS


@needs_limits
def test_a_function_lowers_the_limit_for_its_own_statement_alone(connection: sqlite3.Connection) -> None:
    long = "a" * (MOST_LENGTH_WITH["trim"] + 1)
    connection.execute("CREATE VIEW trimmed AS SELECT 1 WHERE trim(?1) = 'a'".replace("?1", f"'{long}'"))
    plain = read_statement({"sql": "SELECT length(?) AS n", "params": [long]}, postgres=False)
    trimming = read_statement({"sql": "SELECT length(trim(?)) AS n", "params": [long]}, postgres=False)
    hidden = read_statement({"sql": "SELECT * FROM trimmed"}, postgres=False)
    txn = sqlite_transaction(connection)
    with guarded(txn, TimeBox(LIMIT)) as guard:
        for _ in range(2):
            # SQLite knows the statements the second time.
            assert Results().run(txn, guard, plain)["rows"] == [[len(long)]]
            for statement in (trimming, hidden):
                with pytest.raises(BadStatement, match="in a statement that calls trim"):
                    Results().run(txn, guard, statement)


@needs_limits
def test_a_function_of_a_full_text_index_lowers_the_limit(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO texts VALUES (?)", ("a " * MOST_LENGTH_WITH["snippet"],))
    connection.commit()
    with pytest.raises(BadStatement, match="in a statement that calls snippet"):
        run(connection, unread("SELECT snippet(texts) FROM texts WHERE texts MATCH 'a'"))


@needs_limits
def test_an_event_can_be_searched(connection: sqlite3.Connection) -> None:
    params = ["a" * 65_536 + "b", "%b", "a" * 65_536 + "b", "b"]
    [rows] = run(
        connection, read_statement({"sql": "SELECT ? LIKE ? AS a, instr(?, ?) AS b", "params": params}, postgres=False)
    )
    assert rows == [[1, 65_537]]


@pytest.mark.parametrize("fails", [False, True])
def test_synapse_has_its_own_limits_afterwards(connection: sqlite3.Connection, fails: bool) -> None:
    def long_ones() -> list[Any]:
        sql = "SELECT length(zeroblob(?)), ? LIKE ?, length(trim(?, 'a'))"
        return connection.execute(sql, (MOST_LENGTH + 1, "a", "a" * 40_000, "a" * 100_000)).fetchall()

    before = long_ones()
    if fails:
        with pytest.raises(sqlite3.OperationalError):
            run(connection, unread("SELECT trim(a) FROM none"))
        connection.rollback()
    else:
        run(connection, unread("SELECT trim('a')"))
    assert long_ones() == before == [(MOST_LENGTH + 1, 0, 0)]


def test_an_interrupt_does_not_reach_what_synapse_does_next(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, LIMIT, 50)
    txn = sqlite_transaction(connection)
    with guarded(txn, TimeBox(LIMIT)):
        txn.execute("INSERT INTO t VALUES (1)")
        # It has more rows to give. Until it ends, SQLite remembers an interrupt.
        txn.execute("SELECT 1 UNION ALL SELECT 2")
        txn.fetchmany(1)
        with pytest.raises(sqlite3.OperationalError, match="interrupted"):
            connection.execute(ENDLESS)
        with pytest.raises(sqlite3.OperationalError, match="interrupted"):
            connection.execute("ROLLBACK")
    connection.rollback()
    assert count(connection) == 0


def test_the_time_ends_while_a_statement_is_compiled(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    txn = sqlite_transaction(connection)
    box = TimeBox(LIMIT)
    with guarded(txn, box) as guard:
        guard.before(True)
        monkeypatch.setattr(box, "_until", 0.0)
        with pytest.raises(sqlite3.DatabaseError, match="not authorized") as refused:
            txn.execute("SELECT 2")
        assert isinstance(guard.explain(refused.value), TransactionOver)


def test_an_interrupt_or_a_refusal_of_somebody_else_is_told_as_it_is(connection: sqlite3.Connection) -> None:
    with guarded(sqlite_transaction(connection), TimeBox(LIMIT)) as guard:
        for error in (sqlite3.OperationalError("interrupted"), sqlite3.DatabaseError("not authorized")):
            assert guard.explain(error) is error
