"""What the shared tables use of Synapse's ModuleApi, over a database in memory that several processes share."""

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

from sqlite_transaction import sqlite_transaction
from synapse.logging.context import run_in_background


class DatabaseApi:
    """One process."""

    server_name = "test"

    def __init__(self, connection: sqlite3.Connection, name: str | None = None, background: bool = True) -> None:
        self.connection = connection
        self.worker_name = name
        self.fails = False
        self.looks = 0
        self._background = background
        self._hs = self

    def should_run_background_tasks(self) -> bool:
        return self._background

    def register_cached_function(self, _: Any) -> None:
        """It does not pass invalidations on."""

    async def invalidate_cache(self, cached_func: Any, keys: tuple[Any, ...]) -> None:
        cached_func.invalidate(keys)

    async def run_db_interaction(self, desc: str, func: Callable[[Any], Any], **_: Any) -> Any:
        self.looks += 1
        if self.fails:
            raise sqlite3.OperationalError("the database is gone")
        result = func(sqlite_transaction(self.connection))
        self.connection.commit()
        return result

    def run_as_background_process(self, desc: str, func: Callable[[], Awaitable[None]]) -> Any:
        return run_in_background(func)
