"""What a module is told of a failure of the database's: the message and the place, and no value."""

import sqlite3
from typing import Any

import pytest
from synapse_module_bridge.storage.database_errors import database_error
from synapse_module_bridge.storage.postgres_sql import place_of
from synapse_module_bridge.storage.sql_scanner import BadStatement, scan
from synapse_module_bridge.storage.statements import Statement, read_statement
from synapse_module_bridge.storage.time_box import TransactionOver


class PostgresError(Exception):
    """Has what psycopg2's errors have; test/synapse/workers tries real ones."""

    def __init__(self, sqlstate: str, message: str, **more: str) -> None:
        super().__init__(f"{message}\nDETAIL:  Key (name)=(hunter2) already exists.\n")
        self.pgcode = sqlstate
        self.diag = type("Diagnostics", (), {"message_primary": message, **more})


def statement(sql: str, *params: Any) -> Statement:
    return read_statement({"sql": sql, "params": params}, postgres=True)


SQL = "SELECT total FROM orders WHERE id = 12345"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (PostgresError("42703", 'column "TOTAL" does not exist'), None),
        (PostgresError("40001", "could not serialize access"), None),
        (PostgresError("23505", 'duplicate "a"', constraint_name="a"), None),
        (PostgresError("23502", 'null in "c" of "t" in "s"', column_name="c", table_name="t", schema_name="s"), None),
        (PostgresError("23514", 'domain "d"', datatype_name="d"), None),
        (PostgresError("23505", 'duplicate "b"', constraint_name="a"), 'duplicate "…"'),
        # Values, with quotes in them or none, or that are empty.
        (PostgresError("22P02", 'invalid integer: "hunter2"'), 'invalid integer: "…"'),
        (
            PostgresError("22P02", 'invalid integer: "total" hunter2 "total" is'),
            'invalid integer: "total" hunter2 "total" is',
        ),
        (PostgresError("22P02", 'invalid integer: "" hunter2 "total" is'), 'invalid integer: "…" is'),
        (PostgresError("22P02", 'invalid integer: "hun"ter2"'), 'invalid integer: "…"'),
        (PostgresError("22P02", 'invalid integer: "'), 'invalid integer: "…"'),
        (PostgresError("42P01", 'relation "hunter2" does not exist'), 'relation "…" does not exist'),
        # Numbers, which have no quotes.
        (PostgresError("54000", "character too large: 98765"), "character too large: …"),
        (PostgresError("22001", "too long for varying(123), 12345"), None),
        (PostgresError("23505", 'duplicate "a_98765_key"', constraint_name="a_98765_key"), None),
        (PostgresError("42P01", 'relation "total98765" is none'), 'relation "…" is none'),
        # Texts that a procedure or an extension made up.
        (PostgresError("P0001", "hunter2"), ""),
        (PostgresError("XX000", "hunter2"), ""),
        (PostgresError("U2345", "hunter2"), ""),
        (PostgresError("23505", "hunter2", source_function="exec_stmt_raise"), ""),
        (PostgresError("23505", "index", source_function="_bt_check_unique"), None),
    ],
)
def test_postgresql_is_quoted_without_values(error: PostgresError, told: str | None) -> None:
    failed = database_error(error, 1, statement(SQL), [])
    message = str(error).splitlines()[0] if told is None else told
    assert failed.message == f"PostgresError{message and ': '}{message} (statement 2)"
    assert failed.data == {"class": "PostgresError", "sqlstate": error.pgcode, "statement": 1}


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("no such table: orders", None),
        ("no such column: hunter2", "no such column: …"),
        ('near "orders": syntax error', None),
        ('near "hunter2": syntax error', 'near "…": syntax error'),
        ("bad JSON path: 'hunter2'", "bad JSON path: '…'"),
        ("JSON path error near 'hunter2'", "JSON path error near '…'"),
        ("UNIQUE constraint failed: people.name", None),
        ("database is locked", None),
        ('fts5: syntax error near "hunter2"', "fts5: …"),
    ],
)
def test_sqlite_is_quoted_without_values(message: str, told: str | None) -> None:
    failed = database_error(sqlite3.OperationalError(message), None, statement(SQL), [])
    assert failed.message == f"OperationalError: {told or message}"
    assert failed.data == {"class": "OperationalError", "sqlstate": None, "statement": None}


@pytest.mark.parametrize(
    ("params", "is_told"),
    [
        (["does"], False),
        ([1, "doe", True, None], True),
        ([987], True),
        (["12345"], True),
        (["total"], True),
    ],
)
def test_a_message_with_a_parameter_is_not_told(params: list[Any], is_told: bool) -> None:
    error = PostgresError("42703", "column total does not exist in 12345, 98765")
    failed = database_error(error, 0, statement(SQL), params)
    assert ("does not exist" in failed.message) is is_told


def test_the_bridges_own_messages_are_told_whole() -> None:
    for error in (BadStatement('a "b": c 98765'), TransactionOver('a "b": c 98765')):
        failed = database_error(error, 0, None, ["98765"])
        assert failed.message == f"{error} (statement 1)"
        assert failed.data["class"] == type(error).__name__


@pytest.mark.parametrize(
    "value",
    [
        "NULL",
        "true",
        "1",
        " -1",
        "1.5",
        "1e+20",
        "'NaN'::float",
        "'it''s'",
        " E'it''s \\\\ \\''",
        "'\\x00'::bytea",
        "'?'",
    ],
)
def test_a_place_in_what_was_sent_is_found_in_the_statement(value: str) -> None:
    sql = "SELECT ?,\n '?' ☃, ? nope, ?"
    parameters = scan(sql, True).parameters
    sent = sql[:7] + value + sql[8:]
    second = sent.index("? nope")
    third = len(sent) - 1
    sent = sent[:second] + value + sent[second + 1 : third] + value
    for word in ("SELECT", "\n", "☃", "nope"):
        assert place_of(sent.index(word), sent, sql, parameters) == sql.index(word)
    for within in (0, len(value) - 1):
        assert place_of(7 + within, sent, sql, parameters) == 7
        assert place_of(second + within, sent, sql, parameters) == sql.index("? nope")
    assert place_of(len(sent), sent, sql, parameters) == len(sql)


def test_a_place_that_is_nowhere_in_the_statement_is_none() -> None:
    assert place_of(10, "SELECT 1 + 1", "SELECT 1", []) is None
    assert place_of(8, "SELECT", "SELECT ?", [7]) == 8
