"""Removes decisions that are too old or too many, in the process that runs Synapse's background tasks."""

import time
from collections.abc import Callable
from functools import partial

from synapse.module_api import ModuleApi
from synapse.storage.database import LoggingTransaction
from synapse.storage.engines import PostgresEngine

from synapse_module_bridge.configuration.config import KeptDecisions
from synapse_module_bridge.shared.decision_table import (
    HOUR_MS,
    HOURLY,
    HOURLY_SHADOW,
    KINDS,
    TABLE,
    decision_tables,
    first_id,
)
from synapse_module_bridge.storage.own_tables import is_made

EVERY_MS = 15 * 60 * 1000
# A longer transaction would block others on SQLite.
REMOVED_AT_ONCE = 200


class DecisionExpiry:
    """`now` gives seconds since the epoch. Where several bridges are configured, the strictest one holds."""

    def __init__(self, api: ModuleApi, kept: KeptDecisions, now: Callable[[], float] = time.time) -> None:
        self._api = api
        self._kept = kept
        self._now = now
        self._tables = decision_tables(api)

    def clean_up_regularly(self) -> None:
        """Removes what is too much every EVERY_MS, if this process runs Synapse's background tasks."""
        if self._api.should_run_background_tasks():
            self._api.looping_background_call(self.remove, EVERY_MS, desc="module_bridge_decisions_clean_up")

    async def remove(self) -> None:
        """Removes all that is too much. Does nothing where the tables do not exist yet."""
        if not await self._tables.interact_as_is(_exist):
            return
        oldest = int(self._now() * 1000) - self._kept.keep_ms
        remove_old = partial(_remove_oldest, most=REMOVED_AT_ONCE, before=first_id(oldest))
        while await self._tables.interact_as_is(remove_old):
            pass
        too_many = await self._tables.interact_as_is(_count) - self._kept.limit
        while too_many > 0:
            most = min(too_many, REMOVED_AT_ONCE)
            too_many -= most
            await self._tables.interact_as_is(partial(_remove_oldest, most=most))
        await self._tables.interact_as_is(lambda txn: _remove_kinds(txn, oldest))
        for table in (HOURLY, HOURLY_SHADOW):
            remove_hour = partial(_remove_oldest_hour, table=table, before=oldest - HOUR_MS)
            while await self._tables.interact_as_is(remove_hour):
                pass


def _exist(txn: LoggingTransaction) -> bool:
    return is_made(txn, TABLE, isinstance(txn.database_engine, PostgresEngine))


def _count(txn: LoggingTransaction) -> int:
    txn.execute(f"SELECT COUNT(*) FROM {TABLE}")
    [(count,)] = txn.fetchall()
    return int(count)


def _remove_oldest(txn: LoggingTransaction, most: int, before: int | None = None) -> int:
    where, values = ("", ()) if before is None else ("WHERE id < ? ", (before,))
    txn.execute(f"DELETE FROM {TABLE} WHERE id IN (SELECT id FROM {TABLE} {where}ORDER BY id LIMIT ?)", (*values, most))
    return txn.rowcount


def _remove_kinds(txn: LoggingTransaction, before: int) -> None:
    """Those that had no new row for so long: all their rows are gone, and no process is about to write one."""
    txn.execute(f"DELETE FROM {KINDS} WHERE last_ts < ?", (before,))


def _remove_oldest_hour(txn: LoggingTransaction, table: str, before: int) -> int:
    txn.execute(f"DELETE FROM {table} WHERE hour = (SELECT MIN(hour) FROM {table}) AND hour < ?", (before,))
    return txn.rowcount
