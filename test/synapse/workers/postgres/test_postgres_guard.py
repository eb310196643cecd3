"""Statements of a module on a real PostgreSQL: within one transaction, in time, and what is told of those that fail."""

from collections.abc import Iterator
from typing import Any

import pytest
from postgres_run import LIMIT, Failed, connect, run, transaction
from synapse_module_bridge.schema.protocol import LIMITS
from synapse_module_bridge.storage.database_errors import database_error
from synapse_module_bridge.storage.guard import guarded
from synapse_module_bridge.storage.statements import Results, read_statement
from synapse_module_bridge.storage.time_box import TimeBox, TransactionOver

SECRET = "hunter2"


@pytest.fixture
def connection() -> Iterator[Any]:
    made = connect()
    run(made, "CREATE TABLE IF NOT EXISTS people (id INTEGER PRIMARY KEY, name TEXT UNIQUE CHECK (name <> 'nobody'))")
    run(made, "TRUNCATE people")
    yield made
    made.close()


def failed(connection: Any, *given: Any) -> Failed:
    with pytest.raises(Failed) as caught:
        run(connection, *given)
    return caught.value


def message(connection: Any, *given: Any) -> str:
    failure = failed(connection, *given)
    return database_error(failure.cause, failure.at, failure.statement, failure.params).message


def sql(text: str, *params: Any) -> dict[str, Any]:
    return {"sql": text, "params": params}


def test_a_transaction_that_has_ended_is_noticed_also_when_another_has_begun(connection: Any) -> None:
    # The scanner lets none of these pass.
    for ending, still_open in (("COMMIT", False), ("COMMIT; BEGIN", True), ("ROLLBACK; BEGIN; SELECT 1", True)):
        txn = transaction(connection)
        with guarded(txn, TimeBox(LIMIT)) as guard:
            Results().run(txn, guard, read_statement(sql("SELECT 1"), postgres=True))
            guard.before(True)
            txn.execute(ending)
            assert (connection.get_transaction_status() == 2) is still_open
            assert not guard.is_within()
        connection.rollback()


def test_the_settings_of_the_transaction_end_with_it(connection: Any) -> None:
    name = "SELECT current_setting('application_name') AS name, current_setting('statement_timeout') AS time"
    with connection.cursor() as cursor:
        cursor.execute("SET application_name = 'synapse'; SET statement_timeout = '10min'")
    connection.commit()
    [[[told, time]]] = run(connection, name)
    assert told == "module_bridge_test-1"
    assert time in ("3s", *(f"{ms}ms" for ms in range(2900, 3000)))
    failed(connection, name, "SELECT 1 / 0")
    with connection.cursor() as cursor:
        cursor.execute(name)
        assert cursor.fetchall() == [("synapse", "10min")]


def test_a_long_name_is_not_taken_for_another_transaction(connection: Any) -> None:
    txn = transaction(connection, "module_bridge_" + "x" * 80)
    with guarded(txn, TimeBox(LIMIT)) as guard:
        statement = read_statement(sql("SELECT 1"), postgres=True)
        assert Results().run(txn, guard, statement)["rows"] == [[1]]


def test_where_the_servers_settings_are_not_passed_on_the_status_is_what_counts(connection: Any) -> None:
    class Pooled:
        """Of a pooler that keeps what the server tells of its settings."""

        def get_parameter_status(self, name: str) -> None:
            return None

        def get_transaction_status(self) -> Any:
            return connection.get_transaction_status()

    txn = transaction(connection)
    with guarded(txn, TimeBox(LIMIT)) as guard:
        guard._connection = Pooled()  # type: ignore[attr-defined]
        Results().run(txn, guard, read_statement(sql("SELECT 1"), postgres=True))
        connection.commit()
        assert not guard.is_within()


@pytest.mark.parametrize(("setting", "value"), [("standard_conforming_strings", "off"), ("client_encoding", "SJIS")])
def test_no_statement_is_run_where_its_text_would_mean_something_else(
    connection: Any, setting: str, value: str
) -> None:
    with connection.cursor() as cursor:
        try:
            cursor.execute(f"SET {setting} = {value}")
        except Exception as e:
            pytest.skip(f"this PostgreSQL has no other: {e}")
    connection.commit()
    assert f"has {setting} = {value}" in message(connection, "SELECT 1")


def test_statements_end_when_their_time_is_up_all_together(connection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LIMITS, LIMIT, 300)
    row = sql("INSERT INTO people VALUES (1)")
    for given in (
        ["SELECT pg_sleep(30)"],
        ["SELECT pg_sleep(0.2)", "SELECT pg_sleep(30)"],
        ["SELECT pg_sleep(0.04)"] * 30,
        [{"sql": "SELECT pg_sleep(?)", "params_list": [[0.04]] * 30}],
    ):
        failure = failed(connection, row, *given)
        assert isinstance(failure.cause, TransactionOver)
        assert str(failure.cause) == "the transaction was rolled back: it took longer than 300 ms"
    assert run(connection, "SELECT * FROM people") == [[]]


def test_a_second_statement_gets_the_time_that_is_left(connection: Any) -> None:
    [_, [[first]], [[same]], _, [[less]]] = run(
        connection,
        "SELECT pg_sleep(0)",
        "SELECT current_setting('statement_timeout')",
        "SELECT current_setting('statement_timeout')",
        "SELECT pg_sleep(0.2)",
        "SELECT current_setting('statement_timeout')",
    )
    assert first == same
    assert 2000 < int(less.removesuffix("ms")) <= 2800


def test_a_statement_that_somebody_canceled_is_told_so(connection: Any) -> None:
    cause = failed(connection, "SELECT pg_cancel_backend(pg_backend_pid())").cause
    assert isinstance(cause, TransactionOver)
    assert "somebody canceled a statement" in str(cause)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (sql("SELECT ?,\n ? frm, x y z", SECRET, 5), 'SyntaxError: syntax error at or near "z" (?, line 2, column 13)'),
        (sql("SELECT '?', ?,\n no", SECRET), 'UndefinedColumn: column "no" does not exist (?, line 2, column 2)'),
        (sql("SELECT '☃', NO"), 'UndefinedColumn: column "no" does not exist (?, line 1, column 13)'),
        (sql("SELECT no FROM people WHERE name = ?", SECRET), "(?, line 1, column 8)"),
        (sql("SELECT 1 ?", SECRET), 'SyntaxError: syntax error at or near "…" (?, line 1, column 10)'),
        (sql("SELECT * FROM no"), 'UndefinedTable: relation "no" does not exist (?, line 1, column 15)'),
        (sql("SELECT missing(?)", SECRET), "UndefinedFunction: function missing(unknown) does not exist"),
        (sql("SELECT ?::regclass", SECRET), 'UndefinedTable: relation "…" does not exist'),
        (sql("SELECT ?::regtype", SECRET), 'UndefinedObject: type "…" does not exist'),
        (sql("SELECT ?::integer", SECRET), 'invalid input syntax for type integer: "…" (?, line 1, column 8)'),
        (sql("SELECT name::integer FROM people"), 'invalid input syntax for type integer: "…" (?)'),
        (sql("SELECT ?::timestamp", SECRET), 'InvalidDatetimeFormat: invalid input syntax for type timestamp: "…"'),
        (sql("SELECT to_tsquery(?)", f"{SECRET} a"), 'SyntaxError: syntax error in tsquery: "…"'),
        (sql("SELECT ?::jsonpath", f"{SECRET} x"), "SyntaxError: syntax error at or near"),
        (sql("SELECT ?::json", SECRET), "InvalidTextRepresentation: invalid input syntax for type json"),
        (sql("SELECT date_trunc(?, now())", SECRET), 'unit "…" not recognized'),
        (sql("SELECT chr(?)", 987654321), "ProgramLimitExceeded: requested character too large for encoding: …"),
        (sql("SELECT ?::varchar::integer", "99999999999"), 'value "…" is out of range for type integer'),
        (sql("SELECT 1 / ?", 0), "DivisionByZero: division by zero (?)"),
        (sql("INSERT INTO people VALUES (2, ?)", SECRET), 'violates unique constraint "people_name_key" (?)'),
        (sql("INSERT INTO people (name) VALUES (?)", "x"), 'null value in column "id" of relation "people" violates'),
        (sql("INSERT INTO people VALUES (3, ?)", "nobody"), 'violates check constraint "people_name_check" (?)'),
        (sql("SELECT raising(?)", SECRET), "RaiseException (?)"),
        (sql("SELECT raising_unique(?)", SECRET), "UniqueViolation (?)"),
        ({"sql": "INSERT INTO people VALUES (?, ?), (no)", "params_list": [[3, SECRET]]}, "(?, line 1, column 36)"),
    ],
)
def test_a_failure_is_told_with_its_place_and_without_values(connection: Any, given: Any, told: str) -> None:
    for name, clause in (("raising", ""), ("raising_unique", " USING ERRCODE = 'unique_violation'")):
        run(
            connection,
            f"CREATE OR REPLACE FUNCTION {name}(t TEXT) RETURNS INTEGER LANGUAGE plpgsql "
            f"AS $$ BEGIN RAISE EXCEPTION 'no % here', t{clause}; END $$",
        )
    text = message(connection, sql("INSERT INTO people VALUES (1, ?)", SECRET), given)
    assert SECRET not in text
    assert "98765" not in text and "99999" not in text
    assert told.replace("(?", "(statement 2") in text


def test_session_locks_that_another_statement_took_are_not_taken(connection: Any) -> None:
    run(connection, "SELECT pg_advisory_xact_lock(7)")
    other = connect()
    assert run(other, "SELECT pg_try_advisory_xact_lock(7)") == [[[True]]]
    other.close()
