"""Keeps a module's statements within their transaction and their time, on SQLite.

While they run, and only then, SQLite itself asks here what they may do and whether they may go on. Synapse has one
connection: nothing may stay on it.
"""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from synapse.storage.database import LoggingTransaction

from synapse_module_bridge.storage.sql_scanner import BadStatement
from synapse_module_bridge.storage.time_box import TimeBox

# Of SQLite's own steps, about a millisecond.
_STEPS_BETWEEN_LOOKS = 20_000

_TEMPORARY = "creates what is temporary, which would stay in Synapse's connection"
_REFUSED = {
    sqlite3.SQLITE_TRANSACTION: "begins or ends a transaction: all of them run in one",
    sqlite3.SQLITE_SAVEPOINT: "begins or ends a part of the transaction: all of them run in one",
    sqlite3.SQLITE_ATTACH: "attaches a database to Synapse's connection",
    sqlite3.SQLITE_DETACH: "detaches a database from Synapse's connection",
    sqlite3.SQLITE_PRAGMA: "uses a PRAGMA, which would change Synapse's connection",
}
# They only tell; full-text and other virtual tables ask for the last two whenever they are used.
_TELLING_PRAGMAS = {
    *("table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list"),
    *("data_version", "page_size"),
}


class SqliteGuard:
    def __init__(self, connection: sqlite3.Connection, box: TimeBox) -> None:
        self._connection = connection
        self.box = box
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
        """What is to be raised instead of what the database raised."""
        if self._refused is not None:
            return BadStatement(f"the statement {self._refused}")
        return self.box.over() if self._interrupted else e

    def authorize(self, action: int, argument: str | None, _: str | None, database: str | None, *__: object) -> int:
        if action == sqlite3.SQLITE_INSERT and database == "temp":
            # Also the entry of a new table in the list of them.
            self._refused = _TEMPORARY
        elif action not in _REFUSED or (action == sqlite3.SQLITE_PRAGMA and argument in _TELLING_PRAGMAS):
            return sqlite3.SQLITE_OK
        else:
            self._refused = _REFUSED[action]
        return sqlite3.SQLITE_DENY

    def interrupt(self) -> bool:
        """Whether SQLite is to end the statement."""
        self._interrupted = self.box.left_ms == 0
        return self._interrupted


@contextmanager
def sqlite_guard(txn: LoggingTransaction, box: TimeBox) -> Iterator[SqliteGuard]:
    cursor: Any = txn.txn
    connection: sqlite3.Connection = cursor.connection
    guard = SqliteGuard(connection, box)
    # Python would begin a transaction only at the first INSERT, UPDATE or DELETE.
    txn.execute("BEGIN")
    connection.set_authorizer(guard.authorize)
    connection.set_progress_handler(guard.interrupt, _STEPS_BETWEEN_LOOKS)
    try:
        yield guard
    finally:
        connection.set_progress_handler(None, 0)
        # An older Python would take None for a function, and refuse all that Synapse does.
        connection.set_authorizer(None if sys.version_info >= (3, 11) else _allow)


def _allow(*_: object) -> int:
    return sqlite3.SQLITE_OK
