"""What the bridge's own tables need of Synapse's ModuleApi, over a database of SQLite in memory."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from sqlite_transaction import sqlite_transaction
from twisted.internet.defer import Deferred


class Database:
    """`Database().fails` and `holds` let the next transactions fail, or wait until `let_go`."""

    def __init__(self, path: str = ":memory:", *, background: bool = True) -> None:
        self.connection = sqlite3.connect(path)
        self.looping: list[tuple[Callable[[], Any], float]] = []
        self.fails = self.holds = False
        self._held: list[Deferred[None]] = []
        # How many transactions there were, and how many at once at most.
        self.transactions = self.at_once = self.most_at_once = 0
        self._background = background

    def should_run_background_tasks(self) -> bool:
        return self._background

    def looping_background_call(self, func: Callable[[], Any], msec: float, desc: str) -> None:
        self.looping.append((func, msec))

    async def run_db_interaction(self, desc: str, func: Callable[[Any], Any], **_: Any) -> Any:
        self.transactions += 1
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            if self.holds:
                held: Deferred[None] = Deferred()
                self._held.append(held)
                await held
            if self.fails:
                raise sqlite3.OperationalError("database is locked")
            with self.connection:
                return func(sqlite_transaction(self.connection))
        finally:
            self.at_once -= 1

    def let_go(self) -> None:
        self.holds, held = False, self._held
        self._held = []
        for deferred in held:
            deferred.callback(None)

    def rows(self, sql: str) -> Sequence[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall()
