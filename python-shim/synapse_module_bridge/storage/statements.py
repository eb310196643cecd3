"""Runs a module's SQL statements within a transaction that Synapse has begun, and bounds their results."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import attr
from synapse.storage.database import LoggingTransaction

from synapse_module_bridge.storage import statement_rules
from synapse_module_bridge.storage.guard import Guard
from synapse_module_bridge.storage.postgres_sql import escaped, with_marks
from synapse_module_bridge.storage.sql_scanner import BadStatement, Scan, scan
from synapse_module_bridge.storage.sql_values import decode_param, encode_cell, size_of

logger = logging.getLogger("synapse_module_bridge.statements")

# For the results of all statements of one request together.
MOST_ROWS = 10_000
MOST_BYTES = 16 * 1024 * 1024

_READS = ("select", "values", "table", "show")
_MOST_REMEMBERED_LENGTH = 4096
_BYTE_ORDER_MARK = "\ufeff"


@attr.s(frozen=True, slots=True, auto_attribs=True)
class Statement:
    """A statement that may run."""

    # As the module's author wrote it.
    sql: str
    scan: Scan
    # Whether it is for PostgreSQL, or for SQLite.
    postgres: bool
    params: Sequence[Any]
    # Rows of parameters, for each of which the statement runs once, in place of `params`.
    params_list: Sequence[Sequence[Any]] | None
    # `all`, `one` or `none`: which rows are returned.
    fetch: str

    @property
    def all_params(self) -> Sequence[Any]:
        """The parameters of all rows."""
        return self.params if self.params_list is None else [value for row in self.params_list for value in row]

    @property
    def only_reads(self) -> bool:
        """Whether its first word is that of a statement that only reads."""
        return self.scan.words[0] in _READS

    @property
    def sent_sql(self) -> str:
        """The SQL for Synapse's LoggingTransaction."""
        return escaped(self.sql) if self.postgres else self.sql

    def sent_rows(self, rows: Iterable[Sequence[Any]]) -> Iterable[Sequence[Any]]:
        """Rows of parameters for Synapse's LoggingTransaction."""
        if not self.postgres or all(is_parameter for _, is_parameter in self.scan.marks):
            return rows
        return (with_marks(row, self.scan.marks) for row in rows)


def read_statement(given: Mapping[str, Any], postgres: bool) -> Statement:
    """Checks a statement as the host sends it. Raises BadStatement, and ValueError for malformed base64."""
    params_list = given.get("params_list")
    if params_list is not None and "params" in given:
        raise BadStatement("a statement has either params or params_list")
    sql = given["sql"].removeprefix(_BYTE_ORDER_MARK)
    scanned = (_admit if len(sql) <= _MOST_REMEMBERED_LENGTH else _admit.__wrapped__)(sql, postgres)
    statement = Statement(
        sql=sql,
        scan=scanned,
        postgres=postgres,
        params=[decode_param(value) for value in given.get("params", ())],
        params_list=None if params_list is None else [[decode_param(value) for value in row] for row in params_list],
        fetch=given.get("fetch", "all"),
    )
    # Checked here, since the databases' own messages differ, and psycopg2's is unclear.
    wanted = len(scanned.parameters)
    for row in [statement.params] if statement.params_list is None else statement.params_list:
        if len(row) != wanted:
            raise BadStatement(f"the statement has {wanted} `?` and was given {len(row)} parameters")
    return statement


@lru_cache(maxsize=200)
def _admit(sql: str, postgres: bool) -> Scan:
    """Scans SQL and checks it by the rules, with a cache: modules run few statements, and each often.

    Raises BadStatement.
    """
    scanned = scan(sql, postgres)
    statement_rules.check(scanned, postgres)
    return scanned


class Results:
    """Runs statements, and counts the rows and bytes of their results."""

    def __init__(self) -> None:
        self._rows = 0
        self._bytes = 0

    def run(self, txn: LoggingTransaction, guard: Guard, statement: Statement) -> dict[str, Any]:
        """Runs one statement, and returns its `columns`, `rows` and `rowcount`.

        Raises BadStatement, also where the results are too large, TransactionOver, and what the database raises.
        """
        guard.before(statement.only_reads)
        try:
            result = self._run(txn, guard, statement)
        except Exception as e:
            raise guard.explain(e) from None
        if not guard.is_within():
            logger.error("A statement of %s ended the transaction: what came before it may have taken effect", txn.name)
            raise BadStatement("the statement ended the transaction: what came before it may have taken effect")
        return result

    def _run(self, txn: LoggingTransaction, guard: Guard, statement: Statement) -> dict[str, Any]:
        if statement.params_list is not None:
            txn.executemany(statement.sent_sql, _in_time(guard, statement.sent_rows(statement.params_list)))
            return {"columns": [], "rows": [], "rowcount": max(txn.rowcount, 0)}
        [row] = statement.sent_rows([statement.params])
        txn.execute(statement.sent_sql, row)
        if txn.description is None:
            return {"columns": [], "rows": [], "rowcount": max(txn.rowcount, 0)}
        columns = _columns(txn.description)
        rows = [self._take(row) for row in self._fetch(txn, statement)]
        # SQLite's rowcount is -1 for a SELECT.
        return {"columns": columns, "rows": rows, "rowcount": len(rows) if txn.rowcount < 0 else txn.rowcount}

    def _fetch(self, txn: LoggingTransaction, statement: Statement) -> Sequence[tuple[Any, ...]]:
        if statement.fetch == "all":
            rows = txn.fetchmany(MOST_ROWS + 1 - self._rows)
            if self._rows + len(rows) > MOST_ROWS:
                raise BadStatement(f"more than {MOST_ROWS} rows: use LIMIT, and ask again for those that follow")
            self._rows += len(rows)
            return rows
        rows = txn.fetchmany(1)
        if "returning" in statement.scan.words:
            # SQLite changes and counts the rows while they are read.
            txn.fetchall()
        return rows if statement.fetch == "one" else []

    def _take(self, row: Sequence[Any]) -> list[Any]:
        cells = [encode_cell(value) for value in row]
        self._bytes += sum(map(size_of, cells))
        if self._bytes > MOST_BYTES:
            raise BadStatement(f"rows of more than {MOST_BYTES // 2**20} MiB: use LIMIT, or ask for fewer columns")
        return cells


def _in_time(guard: Guard, rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    for row in rows:
        guard.box.check()
        yield row


def _columns(description: Sequence[Any]) -> list[str]:
    columns = [str(column[0]) for column in description]
    for name in columns:
        if columns.count(name) > 1:
            raise BadStatement(f"two columns are called {name}: tell them apart with AS")
    return columns
