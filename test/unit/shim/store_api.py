"""What the store uses of Synapse's ModuleApi, over a database in memory."""

import sqlite3
from collections.abc import Callable
from typing import Any

from sqlite_transaction import sqlite_transaction
from synapse_module_bridge.storage.store import TABLE


class StoreApi:
    """`background`: this process runs Synapse's background tasks."""

    def __init__(self, background: bool) -> None:
        self._background = background
        self.connection = sqlite3.connect(":memory:")
        self.looping: list[tuple[Callable[[], Any], float]] = []

    def should_run_background_tasks(self) -> bool:
        return self._background

    def looping_background_call(self, func: Callable[[], Any], msec: float, desc: str) -> None:
        self.looping.append((func, msec))

    async def run_db_interaction(self, desc: str, func: Callable[[Any], Any], **_: Any) -> Any:
        result = func(sqlite_transaction(self.connection))
        self.connection.commit()
        return result

    def keys(self) -> list[str]:
        return [key for (key,) in self.connection.execute(f"SELECT key FROM {TABLE} ORDER BY key")]
