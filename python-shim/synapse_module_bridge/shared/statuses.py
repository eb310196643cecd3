"""Keeps one row for each process of Synapse, which says how the bridge is doing there. Each process writes its own."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from synapse.module_api import ModuleApi
from synapse.storage.database import LoggingTransaction

from synapse_module_bridge.schema.admin import ADMIN_LIMITS, is_readable
from synapse_module_bridge.storage.own_tables import OwnTables

EXPIRES_MS = ADMIN_LIMITS["status_expires_ms"]
# More processes than any deployment has.
MOST_PROCESSES = 500
# More than any process writes.
MOST_CHARACTERS = 10_000_000

TABLE = "module_bridge_statuses"
_CREATE = (
    f"CREATE TABLE IF NOT EXISTS {TABLE} (name TEXT NOT NULL PRIMARY KEY, ts BIGINT NOT NULL, status TEXT NOT NULL)",
)
_WRITE = (
    f"INSERT INTO {TABLE} (name, ts, status) VALUES (?, ?, ?) "
    "ON CONFLICT (name) DO UPDATE SET ts = excluded.ts, status = excluded.status"
)


class Statuses:
    """The rows of a deployment. Its processes must agree about the time, to a few seconds."""

    def __init__(self, api: ModuleApi) -> None:
        self._tables = OwnTables(api, "module_bridge_statuses", _CREATE)

    async def write(self, name: str, status: Mapping[str, Any], *, clean_up: bool) -> None:
        """Writes the status of the process `name`. With `clean_up`, removes those of processes that are gone."""
        text = json.dumps(status, separators=(",", ":"))

        def write(txn: LoggingTransaction) -> None:
            now = _now()
            txn.execute(_WRITE, (name, now, text))
            if clean_up:
                # Those of the future are of a clock that went wrong: such a process would never be gone.
                txn.execute(f"DELETE FROM {TABLE} WHERE ts <= ? OR ts >= ?", (now - EXPIRES_MS, now + EXPIRES_MS))

        await self._tables.interact(write)

    async def live(self) -> Sequence[dict[str, Any]]:
        """The statuses of all processes that are not gone, by their names, each with its `seen_ts`.

        A row that cannot be read counts for nothing: it must not hide the others, nor keep a mode from being set.
        """

        def read(txn: LoggingTransaction) -> Sequence[tuple[Any, Any]]:
            now = _now()
            txn.execute(
                f"SELECT ts, status FROM {TABLE} WHERE ts > ? AND ts < ? AND LENGTH(status) <= {MOST_CHARACTERS} "
                f"ORDER BY name LIMIT {MOST_PROCESSES}",
                (now - EXPIRES_MS, now + EXPIRES_MS),
            )
            return txn.fetchall()

        found = [_status(ts, text) for ts, text in await self._tables.interact(read)]
        return [status for status in found if status is not None]


def _status(ts: Any, text: Any) -> dict[str, Any] | None:
    try:
        status = {**json.loads(text), "seen_ts": ts}
    except (TypeError, ValueError, RecursionError):
        return None
    return status if is_readable("Process", status) else None


def _now() -> int:
    return int(time.time() * 1000)
