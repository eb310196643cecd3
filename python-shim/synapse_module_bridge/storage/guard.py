"""Keeps a module's statements within one transaction of Synapse's, and within their time, on either database."""

from contextlib import AbstractContextManager
from typing import Protocol

from synapse.storage.database import LoggingTransaction
from synapse.storage.engines import PostgresEngine

from synapse_module_bridge.storage.postgres_guard import postgres_guard
from synapse_module_bridge.storage.sqlite_guard import sqlite_guard
from synapse_module_bridge.storage.time_box import TimeBox


class Guard(Protocol):
    box: TimeBox

    def before(self, only_reads: bool) -> None:
        """A statement is to run."""

    def is_within(self) -> bool:
        """Whether the transaction is still the same, after a statement."""

    def finish(self) -> None:
        """All have run: what the database would do in the commit is done now, while there is a limit."""

    def explain(self, e: Exception) -> Exception:
        """It has raised: what is to be raised instead."""


def guarded(txn: LoggingTransaction, box: TimeBox) -> AbstractContextManager[Guard]:
    """For as long as statements of a module run on the transaction's connection."""
    if isinstance(txn.database_engine, PostgresEngine):
        return postgres_guard(txn, box)
    return sqlite_guard(txn, box)
