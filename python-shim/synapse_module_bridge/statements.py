"""Runs a module's SQL statements within a transaction that Synapse has begun, and bounds what they give back."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import attr
from synapse.storage.database import LoggingTransaction
from synapse.storage.engines import PostgresEngine, Sqlite3Engine

from synapse_module_bridge.sql_values import decode_param, encode_cell, size_of

# What the statements of one request may give back, all together.
MOST_ROWS = 10_000
MOST_BYTES = 16 * 1024 * 1024

_ENDS_TRANSACTION = re.compile(
    # What may stand before it: comments, and empty statements.
    r"(?:\s|;|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/)*"
    r"(begin|start\s+transaction|commit|end|abort|prepare\s+transaction|rollback(?!\s+((work|transaction)\s+)?to\b))\b",
    re.IGNORECASE,
)


class BadStatement(Exception):
    """A statement that is not run, or whose rows are not given back; the message is for the module's author."""


@attr.s(frozen=True, slots=True, auto_attribs=True)
class Statement:
    sql: str
    params: Sequence[Any]
    # Runs the statement once for each, instead of with `params`.
    params_list: Sequence[Sequence[Any]] | None
    fetch: str

    @property
    def all_params(self) -> Sequence[Any]:
        return self.params if self.params_list is None else [value for row in self.params_list for value in row]


def read_statement(given: Mapping[str, Any]) -> Statement:
    """Raises BadStatement."""
    sql, params_list = given["sql"], given.get("params_list")
    if _ENDS_TRANSACTION.match(sql):
        raise BadStatement("a statement may not begin or end a transaction: all of them run in one")
    if params_list is not None and "params" in given:
        raise BadStatement("a statement has either params or params_list")
    statement = Statement(
        sql=sql,
        params=[decode_param(value) for value in given.get("params", ())],
        params_list=None if params_list is None else [[decode_param(value) for value in row] for row in params_list],
        fetch=given.get("fetch", "all"),
    )
    # The two databases would put it differently, and PostgreSQL's client not clearly.
    wanted = sql.count("?")
    for row in [statement.params] if params_list is None else statement.params_list or ():
        if len(row) != wanted:
            raise BadStatement(
                f"the statement has {wanted} `?` and was given {len(row)} parameters "
                "(a `?` within the SQL's own texts counts too: pass such a text as a parameter)"
            )
    return statement


class Results:
    """Collects what statements give back, until it is too much."""

    def __init__(self) -> None:
        self._rows = 0
        self._bytes = 0

    def run(self, txn: LoggingTransaction, statement: Statement) -> dict[str, Any]:
        """Raises BadStatement, and what the database raises."""
        sql = statement.sql
        if isinstance(txn.database_engine, PostgresEngine):
            # psycopg2's own placeholders begin so.
            sql = sql.replace("%", "%%")
        if statement.params_list is not None:
            txn.executemany(sql, statement.params_list)
            return {"columns": [], "rows": [], "rowcount": max(txn.rowcount, 0)}
        txn.execute(sql, statement.params)
        if txn.description is None:
            return {"columns": [], "rows": [], "rowcount": max(txn.rowcount, 0)}
        columns = _columns(txn.description)
        rows = [self._take(row) for row in self._fetch(txn, statement)]
        # SQLite does not count what is only read.
        return {"columns": columns, "rows": rows, "rowcount": len(rows) if txn.rowcount < 0 else txn.rowcount}

    def _fetch(self, txn: LoggingTransaction, statement: Statement) -> Sequence[tuple[Any, ...]]:
        if statement.fetch == "all":
            rows = txn.fetchmany(MOST_ROWS + 1 - self._rows)
            if self._rows + len(rows) > MOST_ROWS:
                raise BadStatement(f"more than {MOST_ROWS} rows: use LIMIT, and ask again for those that follow")
            self._rows += len(rows)
            return rows
        rows = txn.fetchmany(1)
        if re.search(r"\breturning\b", statement.sql, re.IGNORECASE):
            # SQLite has changed all rows, and counted them, only when they have been read.
            txn.fetchall()
        return rows if statement.fetch == "one" else []

    def _take(self, row: Sequence[Any]) -> list[Any]:
        cells = [encode_cell(value) for value in row]
        self._bytes += sum(map(size_of, cells))
        if self._bytes > MOST_BYTES:
            raise BadStatement(f"rows of more than {MOST_BYTES // 2**20} MiB: use LIMIT, or ask for fewer columns")
        return cells


def _columns(description: Sequence[Any]) -> list[str]:
    columns = [str(column[0]) for column in description]
    for name in columns:
        if columns.count(name) > 1:
            raise BadStatement(f"two columns are called {name}: tell them apart with AS")
    return columns


def begin(txn: LoggingTransaction) -> None:
    """Makes what follows one transaction: for SQLite, Python begins one only at the first INSERT, UPDATE or DELETE."""
    if isinstance(txn.database_engine, Sqlite3Engine):
        txn.execute("BEGIN")
