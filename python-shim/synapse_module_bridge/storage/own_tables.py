"""Runs the bridge's own statements in Synapse's database, on tables that it makes where they do not exist yet."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from synapse.module_api import ModuleApi
from synapse.storage.database import LoggingTransaction
from synapse.storage.engines import PostgresEngine
from synapse.storage.engines._base import IsolationLevel

R = TypeVar("R")

# In a statement that makes a table: the type of a key of 64 bits. SQLite looks rows up by their key without an index if
# its type is INTEGER, which has 32 bits in PostgreSQL.
BIG_KEY = "<big key>"


class Txn(Protocol):
    """What is used of a transaction: one of Synapse's, or of the command `mode`. The parameters of its SQL are `?`."""

    def execute(self, sql: str, values: Sequence[Any] = ...) -> Any: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> Any: ...


def is_made(txn: Txn, table: str, postgres: bool) -> bool:
    """Whether the table exists."""
    tables = "information_schema.tables WHERE table_name" if postgres else "sqlite_master WHERE name"
    txn.execute(f"SELECT 1 FROM {tables} = ?", (table,))
    return txn.fetchone() is not None


class OwnTables:
    """`create` has statements that do nothing where the tables exist. `desc` names the transactions in the log."""

    def __init__(self, api: ModuleApi, desc: str, create: Sequence[str]) -> None:
        self._api = api
        self._desc = desc
        self._create = create
        self._are_made = False

    async def interact(self, func: Callable[[LoggingTransaction], R]) -> R:
        """Makes the tables, and runs `func` in a transaction, in a thread of Synapse's pool. It may run twice."""
        if not self._are_made:
            await self._make()
        return await self.interact_as_is(func)

    async def interact_as_is(self, func: Callable[[LoggingTransaction], R]) -> R:
        """As `interact`, where the tables may not exist."""
        # Of two processes that write the same row, the second waits and then sees the first one's value. In Synapse's
        # default isolation level (REPEATABLE READ) it would fail and be retried, and fail for good where many write.
        api: Any = self._api
        result: R = await api.run_db_interaction(self._desc, func, isolation_level=IsolationLevel.READ_COMMITTED)
        return result

    async def _make(self) -> None:
        def make(txn: LoggingTransaction) -> None:
            key = "BIGINT" if isinstance(txn.database_engine, PostgresEngine) else "INTEGER"
            for statement in self._create:
                txn.execute(statement.replace(BIG_KEY, key))

        try:
            await self.interact_as_is(make)
        except Exception:
            # Where two processes create a table at once, PostgreSQL may fail in spite of IF NOT EXISTS.
            await self.interact_as_is(make)
        self._are_made = True
