"""Keeps a module's statements within their transaction and their time, on SQLite.

While they run, SQLite calls an authorizer and a progress handler here. Both are removed afterwards, since Synapse uses
the same connection for all else.
"""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from synapse.storage.database import LoggingTransaction

from synapse_module_bridge.storage.sql_scanner import BadStatement
from synapse_module_bridge.storage.time_box import TimeBox

# Instructions of SQLite's virtual machine, which take about a millisecond.
_STEPS_BETWEEN_LOOKS = 20_000

_TEMPORARY = "creates what is temporary, which would stay in Synapse's connection"
# Actions of the authorizer, each with the end of a message.
_REFUSED = {
    sqlite3.SQLITE_TRANSACTION: "begins or ends a transaction: all of them run in one",
    sqlite3.SQLITE_SAVEPOINT: "begins or ends a part of the transaction: all of them run in one",
    sqlite3.SQLITE_ATTACH: "attaches a database to Synapse's connection",
    sqlite3.SQLITE_DETACH: "detaches a database from Synapse's connection",
    sqlite3.SQLITE_PRAGMA: "uses a PRAGMA, which would change Synapse's connection",
}
# These only read. Virtual tables, such as full-text indexes, use the last two at each access.
_TELLING_PRAGMAS = {
    *("table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list"),
    *("data_version", "page_size"),
}


class SqliteGuard:
    """Implements `guard.Guard`."""

    def __init__(self, connection: sqlite3.Connection, box: TimeBox) -> None:
        self._connection = connection
        self.box = box
        # Why the present statement was refused, if it was.
        self._refused: str | None = None
        self._interrupted = False

    def before(self, only_reads: bool) -> None:
        self._refused = None
        self.box.check()

    def is_within(self) -> bool:
        return self._connection.in_transaction

    def finish(self) -> None:
        pass

    def explain(self, e: Exception) -> Exception:
        """As in `Guard`."""
        if self._refused is not None:
            return BadStatement(f"the statement {self._refused}")
        return self.box.over() if self._interrupted else e

    def authorize(self, action: int, argument: str | None, _: str | None, database: str | None, *__: object) -> int:
        """SQLite's authorizer: allows or denies one action of a statement that is being compiled."""
        if action == sqlite3.SQLITE_INSERT and database == "temp":
            # A new temporary table inserts itself into the list of tables.
            self._refused = _TEMPORARY
        elif action not in _REFUSED or (action == sqlite3.SQLITE_PRAGMA and argument in _TELLING_PRAGMAS):
            return sqlite3.SQLITE_OK
        else:
            self._refused = _REFUSED[action]
        return sqlite3.SQLITE_DENY

    def interrupt(self) -> bool:
        """SQLite's progress handler: tells whether the statement is interrupted."""
        self._interrupted = self.box.left_ms == 0
        return self._interrupted


@contextmanager
def sqlite_guard(txn: LoggingTransaction, box: TimeBox) -> Iterator[SqliteGuard]:
    """As `guard.guarded`."""
    cursor: Any = txn.txn
    connection: sqlite3.Connection = cursor.connection
    guard = SqliteGuard(connection, box)
    # Python's sqlite3 would begin a transaction only before the first INSERT, UPDATE or DELETE.
    txn.execute("BEGIN")
    connection.set_authorizer(guard.authorize)
    connection.set_progress_handler(guard.interrupt, _STEPS_BETWEEN_LOOKS)
    try:
        yield guard
    finally:
        connection.set_progress_handler(None, 0)
        # Before Python 3.11, None does not remove the authorizer, and SQLite would refuse all statements.
        connection.set_authorizer(None if sys.version_info >= (3, 11) else _allow)


def _allow(*_: object) -> int:
    return sqlite3.SQLITE_OK
