"""Lets one process of Synapse end a quarantine that another process has: it leaves the quarantine's id in a table."""

import time

from synapse.module_api import ModuleApi
from synapse.storage.database import LoggingTransaction

from synapse_module_bridge.storage.own_tables import OwnTables

# Each process looks every few seconds. A request that nobody has found by then is of a process that has ended.
KEPT_MS = 10 * 60 * 1000
# Ids are short, and nobody ends so many quarantines by hand.
MOST_READ = 1_000

TABLE = "module_bridge_quarantine_ends"
_CREATE = (f"CREATE TABLE IF NOT EXISTS {TABLE} (id TEXT NOT NULL PRIMARY KEY, ts BIGINT NOT NULL)",)
_ASK = f"INSERT INTO {TABLE} (id, ts) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET ts = excluded.ts"


class QuarantineEnds:
    """The requests of a deployment."""

    def __init__(self, api: ModuleApi) -> None:
        self._tables = OwnTables(api, "module_bridge_quarantine_ends", _CREATE)

    async def ask(self, id: str) -> None:
        """Asks the process that has the quarantine with this id to end it. Removes old requests."""

        def ask(txn: LoggingTransaction) -> None:
            now = int(time.time() * 1000)
            txn.execute(_ASK, (id, now))
            txn.execute(f"DELETE FROM {TABLE} WHERE ts <= ?", (now - KEPT_MS,))

        await self._tables.interact(ask)

    async def asked(self) -> frozenset[str]:
        """The ids of all quarantines that somebody wants to be ended."""

        def read(txn: LoggingTransaction) -> frozenset[str]:
            txn.execute(f"SELECT id FROM {TABLE} ORDER BY ts DESC LIMIT {MOST_READ}")
            return frozenset(id for (id,) in txn.fetchall())

        return await self._tables.interact(read)
