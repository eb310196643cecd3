"""Keeps a module's statements within their transaction and their time, on PostgreSQL.

It makes two settings for the transaction alone: the time limit of a statement, and the application's name. The server
reports each change of that name to the connection, and the name changes back at the end of the transaction. So a
transaction that has ended is noticed without a query.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from synapse.storage.database import LoggingTransaction

from synapse_module_bridge.storage.sql_scanner import BadStatement
from synapse_module_bridge.storage.time_box import TimeBox, TransactionOver

# PostgreSQL cuts longer names.
_MOST_NAME = 63
# The server may end a statement so late. The limit need not be set anew before each statement then.
_SLACK_MS = 50
# The SQLSTATE of a statement that took too long.
_QUERY_CANCELED = "57014"
_CANCELED = "the transaction was rolled back: somebody canceled a statement of it in the database"
# Settings of the connection on which the reading of a statement's text depends (sql_scanner.py).
_READ_WITH = {"standard_conforming_strings": "on", "client_encoding": "UTF8"}


class PostgresGuard:
    """Implements `guard.Guard`."""

    def __init__(self, txn: LoggingTransaction, box: TimeBox) -> None:
        self.box = box
        self._txn = txn
        # Untyped: psycopg2 is not installed everywhere.
        cursor: Any = txn.txn
        psycopg2: Any = txn.database_engine.module
        self._connection = cursor.connection
        self._in_transaction: int = psycopg2.extensions.TRANSACTION_STATUS_INTRANS
        self._limit_ms: int | None = None
        self._name = txn.name[:_MOST_NAME]
        self._is_told = False
        self._has_written = False

    def before(self, only_reads: bool) -> None:
        self._has_written |= not only_reads
        self._limit()
        for name, expected in _READ_WITH.items():
            if self._told(name) not in (expected, None):
                raise BadStatement(f"Synapse's connection has {name} = {self._told(name)}: it must be {expected}")

    def _limit(self) -> None:
        self.box.check()
        left_ms = self.box.left_ms
        if self._limit_ms is None or self._limit_ms - left_ms > _SLACK_MS:
            # 0 would mean no limit.
            self._limit_ms = max(1, left_ms)
            self._txn.execute(
                "SET LOCAL statement_timeout = ?; SET LOCAL application_name = ?", (self._limit_ms, self._name)
            )
            # A connection pooler between Synapse and its server may not pass the report on.
            self._is_told = self._told("application_name") == self._name

    def is_within(self) -> bool:
        is_open = self._connection.get_transaction_status() == self._in_transaction
        return is_open and (not self._is_told or self._told("application_name") == self._name)

    def finish(self) -> None:
        # A commit has no time limit, and runs the functions of deferred constraints.
        if self._has_written:
            self._limit()
            try:
                self._txn.execute("SET CONSTRAINTS ALL IMMEDIATE")
            except Exception as e:
                raise self.explain(e) from None

    def explain(self, e: Exception) -> Exception:
        """As in `Guard`."""
        if getattr(e, "pgcode", None) != _QUERY_CANCELED:
            return e
        # A database administrator can cancel a statement, too.
        return self.box.over() if self.box.left_ms <= _SLACK_MS else TransactionOver(_CANCELED)

    def _told(self, name: str) -> str | None:
        told: str | None = self._connection.get_parameter_status(name)
        return told


@contextmanager
def postgres_guard(txn: LoggingTransaction, box: TimeBox) -> Iterator[PostgresGuard]:
    """As `guard.guarded`."""
    # Its settings end with the transaction.
    yield PostgresGuard(txn, box)
