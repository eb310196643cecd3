"""Keeps a module's statements within one transaction and within their time, on either database."""

from contextlib import AbstractContextManager
from typing import Protocol

from synapse.storage.database import LoggingTransaction
from synapse.storage.engines import PostgresEngine

from synapse_module_bridge.storage.postgres_guard import postgres_guard
from synapse_module_bridge.storage.sqlite_guard import sqlite_guard
from synapse_module_bridge.storage.time_box import TimeBox


class Guard(Protocol):
    """Around the statements of one transaction."""

    box: TimeBox

    def before(self, only_reads: bool) -> None:
        """A statement is going to run. Raises TransactionOver and BadStatement."""

    def is_within(self) -> bool:
        """Whether the transaction is still the same one, after a statement."""

    def finish(self) -> None:
        """All statements have run: does now, within the time limit, what the database would do in the commit."""

    def explain(self, e: Exception) -> Exception:
        """The exception to raise in place of the database's."""


def guarded(txn: LoggingTransaction, box: TimeBox) -> AbstractContextManager[Guard]:
    """Guards the connection of a transaction while a module's statements run on it."""
    if isinstance(txn.database_engine, PostgresEngine):
        return postgres_guard(txn, box)
    return sqlite_guard(txn, box)
