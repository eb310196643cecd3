"""What processes of a deployment share, over a database in memory."""

import sqlite3
from collections.abc import Callable
from typing import Any

from sqlite_transaction import sqlite_transaction


class SharedDatabase:
    """Stands for the ModuleApi of each process."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:")
        self.is_down = False

    async def run_db_interaction(self, desc: str, func: Callable[[Any], Any], **_: Any) -> Any:
        if self.is_down:
            raise sqlite3.OperationalError("the database is down")
        result = func(sqlite_transaction(self.connection))
        self.connection.commit()
        return result
