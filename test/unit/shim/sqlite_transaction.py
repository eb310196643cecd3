"""A transaction of Synapse's on SQLite."""

import sqlite3
from typing import Any

from synapse.storage.database import LoggingTransaction
from synapse.storage.engines import Sqlite3Engine


def sqlite_transaction(connection: sqlite3.Connection) -> LoggingTransaction:
    cursor: Any = connection.cursor()
    engine: Any = Sqlite3Engine({})
    return LoggingTransaction(txn=cursor, name="test", server_name="test", database_engine=engine)
