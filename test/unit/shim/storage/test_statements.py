"""How a module's statements are read, run and bounded on a real SQLite, and in which form they travel to PostgreSQL."""

import logging
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from sqlite_transaction import sqlite_transaction
from synapse.storage.database import LoggingTransaction
from synapse_module_bridge.storage import statements
from synapse_module_bridge.storage.guard import Guard, guarded
from synapse_module_bridge.storage.sql_scanner import BadStatement
from synapse_module_bridge.storage.statements import Results, Statement, read_statement
from synapse_module_bridge.storage.time_box import TimeBox, TransactionOver

Run = tuple[LoggingTransaction, Guard]


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(":memory:")
    made.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, name TEXT)")
    yield made
    made.close()


@pytest.fixture
def run(connection: sqlite3.Connection) -> Iterator[Run]:
    txn = sqlite_transaction(connection)
    with guarded(txn, TimeBox("transaction_statements_ms")) as guard:
        yield txn, guard


def read(sql: str, **more: Any) -> Statement:
    return read_statement({"sql": sql, **more}, postgres=False)


def fill(run: Run, count: int) -> None:
    rows = [[number, f"name {number}"] for number in range(count)]
    assert Results().run(*run, read("INSERT INTO t VALUES (?, ?)", params_list=rows)) == {
        "columns": [],
        "rows": [],
        "rowcount": count,
    }


@pytest.mark.parametrize("postgres", [True, False])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sql": "SELECT 1", "params": [], "params_list": []}, "either params or params_list"),
        ({"sql": "SELECT ?, '?', ?", "params": [1]}, "the statement has 2 `?` and was given 1 parameters"),
        ({"sql": "SELECT ?, ?"}, "has 2 `?` and was given 0"),
        ({"sql": "SELECT '?'", "params": [1]}, "has 0 `?` and was given 1"),
        ({"sql": "SELECT ?", "params_list": [[1], [1, 2]]}, "has 1 `?` and was given 2"),
        ({"sql": "COMMIT"}, "may not begin or end a transaction"),
        ({"sql": "\ufeffCOMMIT"}, "may not begin or end a transaction"),
    ],
)
def test_a_statement_that_does_not_fit_is_not_run(given: dict[str, Any], message: str, postgres: bool) -> None:
    with pytest.raises(BadStatement, match=message.replace("?", r"\?")):
        read_statement(given, postgres)


def test_a_byte_order_mark_is_left_out(run: Run) -> None:
    assert read("\ufeffSELECT 1").sql == "SELECT 1"
    assert Results().run(*run, read("\ufeffSELECT 1 AS a"))["rows"] == [[1]]


def test_bytes_are_decoded_in_both_forms() -> None:
    statement = read("SELECT ?", params=[{"bytes": "AP8="}])
    assert (statement.params, statement.all_params) == ([b"\0\xff"], [b"\0\xff"])
    statement = read("SELECT ?, ?", params_list=[[1, {"bytes": "AP8="}], [2, 3]])
    assert statement.params_list == [[1, b"\0\xff"], [2, 3]]
    assert statement.all_params == [1, b"\0\xff", 2, 3]


def test_no_row_is_run_without_a_list_of_them(run: Run) -> None:
    fill(run, 0)
    assert Results().run(*run, read("SELECT * FROM t"))["rows"] == []


@pytest.mark.parametrize(
    ("sql", "only_reads"),
    [
        *[(f"{word} 1", True) for word in ("SELECT", "values", "TABLE", "SHOW")],
        *[(f"{word} 1", False) for word in ("INSERT", "WITH", "EXPLAIN", "CREATE")],
    ],
)
def test_what_may_write_is_told_apart(sql: str, only_reads: bool) -> None:
    assert read(sql).only_reads is only_reads


def test_postgresql_gets_each_question_mark_as_a_value() -> None:
    statement = read_statement({"sql": "SELECT '?', ?, \"?\", ? -- ? 5%s", "params": [1, "a"]}, postgres=True)
    assert statement.sent_sql == "SELECT '?', ?, \"?\", ? -- ? 5%%s"
    [[first, one, second, text, third]] = statement.sent_rows([statement.params])
    assert (one, text) == (1, "a")
    for mark in (first, second, third):
        assert mark.__conform__(None).getquoted() == b"?"
    statement = read_statement({"sql": "SELECT ?, '%'", "params": [1]}, postgres=True)
    assert (statement.sent_sql, list(statement.sent_rows([[1]]))) == ("SELECT ?, '%%'", [[1]])
    statement = read("SELECT '?', ? -- 5%s", params=[1])
    assert (statement.sent_sql, list(statement.sent_rows([[1]]))) == ("SELECT '?', ? -- 5%s", [[1]])


def test_rows_are_bounded_all_together(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "MOST_ROWS", 5)
    fill(run, 6)
    results = Results()
    assert len(results.run(*run, read("SELECT n FROM t LIMIT 3"))["rows"]) == 3
    assert len(results.run(*run, read("SELECT n FROM t LIMIT 2"))["rows"]) == 2
    assert results.run(*run, read("SELECT n FROM t", fetch="one"))["rows"] == [[0]]
    assert results.run(*run, read("SELECT n FROM t", fetch="none"))["rows"] == []
    with pytest.raises(BadStatement, match="more than 5 rows: use LIMIT"):
        results.run(*run, read("SELECT n FROM t LIMIT 1"))
    with pytest.raises(BadStatement, match="more than 5 rows"):
        Results().run(*run, read("SELECT n FROM t"))


def test_bytes_are_bounded_all_together(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "MOST_BYTES", 2**20)
    half = "x" * 2**19
    results = Results()
    assert results.run(*run, read("SELECT ? AS a", params=[half]))["rows"] == [[half]]
    assert results.run(*run, read("SELECT ? AS a", params=[half]))["rows"] == [[half]]
    with pytest.raises(BadStatement, match="rows of more than 1 MiB"):
        results.run(*run, read("SELECT ? AS a", params=["x"]))


def test_columns_of_one_name_are_refused(run: Run) -> None:
    with pytest.raises(BadStatement, match="two columns are called a"):
        Results().run(*run, read("SELECT 1 AS b, 2 AS a, 3 AS a"))


@pytest.mark.parametrize(("fetch", "rows"), [("all", [[0], [1], [2]]), ("one", [[0]]), ("none", [])])
def test_all_rows_are_changed_whichever_are_given_back(run: Run, fetch: str, rows: list[list[int]]) -> None:
    fill(run, 3)
    changed = Results().run(*run, read("UPDATE t SET name = 'x' WHERE n < 3 RETURNING n", fetch=fetch))
    assert changed == {"columns": ["n"], "rows": rows, "rowcount": 3}
    assert Results().run(*run, read("SELECT COUNT(*) AS n FROM t WHERE name = 'x'"))["rows"] == [[3]]


def test_what_changes_rows_tells_how_many(run: Run) -> None:
    fill(run, 3)
    assert Results().run(*run, read("DELETE FROM t WHERE n > 0")) == {"columns": [], "rows": [], "rowcount": 2}
    assert Results().run(*run, read("CREATE TABLE u (a)")) == {"columns": [], "rows": [], "rowcount": 0}
    assert Results().run(*run, read("SELECT n FROM t")) == {"columns": ["n"], "rows": [[0]], "rowcount": 1}


def test_a_statement_that_ended_the_transaction_is_told_and_logged(
    run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(run[1], "authorize", lambda *_: sqlite3.SQLITE_OK)
    commit = Statement("COMMIT", read("SELECT 1").scan, False, [], None, "all")
    with pytest.raises(BadStatement, match="ended the transaction: what came before it may have taken effect"):
        Results().run(*run, commit)
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "A statement of test ended the transaction" in record.getMessage()


def test_what_only_postgresql_can_do_is_refused_there_alone() -> None:
    given = {"sql": "SELECT set_config('a', 'b', false)"}
    assert read_statement(given, postgres=False).only_reads
    with pytest.raises(BadStatement, match="may not call set_config"):
        read_statement(given, postgres=True)


@pytest.mark.parametrize(("length", "is_kept"), [(100, True), (4096, True), (4097, False)])
def test_a_statement_that_comes_again_is_scanned_once_unless_it_is_long(length: int, is_kept: bool) -> None:
    statements._admit.cache_clear()
    sql = "SELECT 1".ljust(length)
    first, second = read(sql), read(sql)
    assert first.scan == second.scan
    assert (first.scan is second.scan) is is_kept


class Watch:
    """A guard that notes what it is told, and whose time is up after so many rows."""

    def __init__(self, rows: int) -> None:
        self.box: Any = self
        self.told: list[bool] = []
        self._rows = rows

    def before(self, only_reads: bool) -> None:
        self.told.append(only_reads)

    def check(self) -> None:
        self._rows -= 1
        if self._rows < 0:
            raise TransactionOver("the time is up")

    def is_within(self) -> bool:
        return True

    def finish(self) -> None:
        pass

    def explain(self, e: Exception) -> Exception:
        return e


def test_a_guard_is_told_of_each_statement_and_looks_at_the_time_before_each_row(
    run: Run, connection: sqlite3.Connection
) -> None:
    txn, _ = run
    watch = Watch(rows=2)
    insert = read("INSERT INTO t VALUES (?, 'x')", params_list=[[1], [2], [3], [4]])
    with pytest.raises(TransactionOver, match="the time is up"):
        Results().run(txn, watch, insert)
    assert Results().run(txn, watch, read("SELECT COUNT(*) AS n FROM t"))["rows"] == [[2]]
    assert watch.told == [False, True]
