"""Keeps a module's statements within their transaction and their time, on SQLite.

While they run, SQLite calls an authorizer here, has lower limits, and is interrupted by a thread once the time is up.
SQLite notices an interrupt between two instructions of its virtual machine. So the limits bound what one instruction
can cost: some functions take time that grows with the product of the lengths of two texts. All of it is undone
afterwards, since Synapse uses the same connection for all else.
"""

import _thread
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock
from typing import Any

from synapse.storage.database import LoggingTransaction

from synapse_module_bridge.storage.sql_scanner import BadStatement
from synapse_module_bridge.storage.time_box import TimeBox

# An interrupt that comes between two statements has no effect, so it is repeated.
_SECONDS_BETWEEN_INTERRUPTS = 0.01

# In bytes. One instruction goes through a text or blob of that length in about 0.1 s.
MOST_LENGTH = 16 * 2**20
# In bytes. With the longest text, LIKE then takes about 0.2 s. SQLite's own limit is 50,000.
MOST_PATTERN = 1024
# The most bytes of a text or blob in a statement that calls the function. One call then takes a second at most. The
# 128 KiB leave room for events, which have at most 64 KiB. LIKE and GLOB are functions, too.
MOST_LENGTH_WITH = {
    **dict.fromkeys(
        ("like", "glob", "instr", "replace", "json_patch", "jsonb_patch", "offsets", "highlight"), 128 * 2**10
    ),
    # SQLite needs 12 bytes within the limit for each character that is trimmed.
    **dict.fromkeys(("printf", "format", "trim", "ltrim", "rtrim"), 64 * 2**10),
    **dict.fromkeys(("unhex", "snippet"), 16 * 2**10),
}

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
        # How long a text or blob may be in the present statement, and the function because of which it is so.
        self._most_length = MOST_LENGTH
        self._because_of: str | None = None

    def before(self, only_reads: bool) -> None:
        self._refused = None
        self.box.check()
        self._limit(MOST_LENGTH, None)
        # After this, SQLite asks about a statement anew even if it knows it.
        self._connection.set_authorizer(self.authorize)

    def is_within(self) -> bool:
        return self._connection.in_transaction

    def finish(self) -> None:
        pass

    def explain(self, e: Exception) -> Exception:
        """As in `Guard`."""
        if self._refused is not None:
            return BadStatement(f"the statement {self._refused}")
        if not isinstance(e, sqlite3.Error):
            return e
        # Before Python 3.11, an exception does not have SQLite's code.
        match str(e):
            case "interrupted" | "not authorized":
                return self.box.over() if self.box.left_ms == 0 else e
            case "string or blob too big":
                where = f" in a statement that calls {self._because_of}" if self._because_of else ""
                return BadStatement(f"on SQLite, a text or blob may have {self._most_length} bytes{where}")
            case "LIKE or GLOB pattern too complex":
                return BadStatement(f"on SQLite, a pattern of LIKE or GLOB may have {MOST_PATTERN} bytes")
        return e

    def authorize(self, action: int, argument: str | None, second: str | None, database: str | None, *_: object) -> int:
        """SQLite's authorizer: allows or denies one action of a statement that is being compiled."""
        if action == sqlite3.SQLITE_INSERT and database == "temp":
            # A new temporary table inserts itself into the list of tables.
            self._refused = _TEMPORARY
        elif action == sqlite3.SQLITE_SELECT and self.box.left_ms == 0:
            # SQLite cannot be interrupted while it compiles, which takes long for views within views.
            return sqlite3.SQLITE_DENY
        elif action not in _REFUSED or (action == sqlite3.SQLITE_PRAGMA and argument in _TELLING_PRAGMAS):
            if (
                action == sqlite3.SQLITE_FUNCTION
                and MOST_LENGTH_WITH.get(second or "", MOST_LENGTH) < self._most_length
            ):
                self._limit(MOST_LENGTH_WITH[second or ""], second)
            return sqlite3.SQLITE_OK
        else:
            self._refused = _REFUSED[action]
        return sqlite3.SQLITE_DENY

    def _limit(self, most_length: int, because_of: str | None) -> None:
        if most_length != self._most_length:
            self._most_length, self._because_of = most_length, because_of
            _set_limit(self._connection, "SQLITE_LIMIT_LENGTH", most_length)


@contextmanager
def sqlite_guard(txn: LoggingTransaction, box: TimeBox) -> Iterator[SqliteGuard]:
    """As `guard.guarded`."""
    cursor: Any = txn.txn
    connection: sqlite3.Connection = cursor.connection
    # Python's sqlite3 would begin a transaction only before the first INSERT, UPDATE or DELETE.
    txn.execute("BEGIN")
    with _limited(connection), _interrupted_at_the_end(cursor, box):
        try:
            yield SqliteGuard(connection, box)
        finally:
            # Before Python 3.11, None does not remove the authorizer, and SQLite would refuse all statements.
            connection.set_authorizer(None if sys.version_info >= (3, 11) else _allow)


@contextmanager
def _limited(connection: sqlite3.Connection) -> Iterator[None]:
    limits = {"SQLITE_LIMIT_LENGTH": MOST_LENGTH, "SQLITE_LIMIT_LIKE_PATTERN_LENGTH": MOST_PATTERN}
    before = {name: _set_limit(connection, name, limit) for name, limit in limits.items()}
    try:
        yield
    finally:
        for name, limit in before.items():
            _set_limit(connection, name, limit)


def _set_limit(connection: Any, name: str, limit: int) -> int:
    """Sets a limit of SQLite, and returns the one before. Python can do so since 3.11; before, it does nothing."""
    old: int = connection.setlimit(getattr(sqlite3, name), limit) if sys.version_info >= (3, 11) else limit
    return old


@contextmanager
def _interrupted_at_the_end(cursor: sqlite3.Cursor, box: TimeBox) -> Iterator[None]:
    """Interrupts what runs on the cursor's connection once the time is up."""
    is_done, lock = Event(), Lock()

    def interrupt() -> None:
        pause = box.left_ms / 1000
        while not is_done.wait(pause):
            pause = _SECONDS_BETWEEN_INTERRUPTS
            with lock:
                if not is_done.is_set():
                    cursor.connection.interrupt()

    # Not SQLite's progress handler: it is called each so many instructions, and each of them may be a slow function.
    # Not Thread, whose start waits until the new thread has run. That takes milliseconds where the reactor is busy.
    _thread.start_new_thread(interrupt, ())
    try:
        yield
    finally:
        with lock:
            is_done.set()
        if box.left_ms == 0:
            # As long as a statement has rows to give, SQLite remembers the interrupt, and would refuse a ROLLBACK.
            cursor.execute("SELECT 1")


def _allow(*_: object) -> int:
    return sqlite3.SQLITE_OK
