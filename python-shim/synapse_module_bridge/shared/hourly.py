"""Sums up by the hour what modules were asked in all processes: each process adds what is new since it did so last."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from synapse.module_api import ModuleApi
from synapse.storage.database import LoggingTransaction

from synapse_module_bridge.calls.decision import Decision
from synapse_module_bridge.reactor.background import Run
from synapse_module_bridge.schema.admin import ADMIN_LIMITS
from synapse_module_bridge.shared.decision_table import (
    BUCKETS,
    COUNTERS,
    HOUR_MS,
    HOURLY,
    HOURLY_SHADOW,
    decision_tables,
    placeholders,
)
from synapse_module_bridge.storage.own_tables import OwnTables
from synapse_module_bridge.telemetry import metrics
from synapse_module_bridge.telemetry.module_counts import ModuleCount, quantiles_ms

logger = logging.getLogger("synapse_module_bridge.decisions")

EVERY_SECONDS = 15.0
MOST_FOUND = ADMIN_LIMITS["counters_limit"]

# A module, a callback, and 1 for a shadow module.
_Key = tuple[str, str, int]


class HourlyWriter:
    """Adds up the calls of one bridge's modules.

    `modules` gives their names, and whether each is a shadow module. `run` runs something in the background; `clock` is
    an IReactorTime; `now` gives seconds since the epoch.
    """

    def __init__(
        self,
        tables: OwnTables,
        server_name: str,
        modules: Callable[[], Mapping[str, bool]],
        run: Run,
        clock: Any,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._tables = tables
        self._server_name = server_name
        self._modules = modules
        self._run = run
        self._clock = clock
        self._now = now
        self._timer: Any = None
        self._is_stopped = False
        # What was taken already, by module and callback.
        self._taken: dict[tuple[str, str], Sequence[int]] = {}
        # What is not written yet.
        self._calls: dict[_Key, list[int]] = {}
        self._shadow: dict[tuple[str, str, str, str], int] = {}

    def begin(self) -> None:
        """Writes every EVERY_SECONDS from now on."""
        self._timer = self._clock.callLater(EVERY_SECONDS, self._due)

    def stop(self) -> None:
        """Writes no more by itself."""
        self._is_stopped = True
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def _due(self) -> None:
        self._run(self._write_and_go_on)

    async def _write_and_go_on(self) -> None:
        try:
            await self.write()
        except Exception as e:
            logger.warning("hourly counters cannot be written to the database (%s): they wait", type(e).__name__)
        finally:
            if not self._is_stopped:
                self.begin()

    def note_shadow(self, decision: Decision, really: str | None) -> None:
        """Counts a decision of a shadow module."""
        key = (decision.module, decision.callback, decision.outcome, really or "")
        self._shadow[key] = self._shadow.get(key, 0) + 1

    async def write(self) -> None:
        """Writes what is new. What cannot be written waits for the next time."""
        self.take()
        calls, shadow = self._calls, self._shadow
        if not calls and not shadow:
            return
        self._calls, self._shadow = {}, {}
        now = int(self._now() * 1000)
        hour = now - now % HOUR_MS
        try:
            await self._tables.interact(lambda txn: write_counters(txn, hour, calls, shadow))
        except BaseException:
            for key, counts in calls.items():
                self._calls[key] = _sum(self._calls.get(key), counts)
            for shadow_key, count in shadow.items():
                self._shadow[shadow_key] = self._shadow.get(shadow_key, 0) + count
            raise

    def take(self) -> None:
        """Counts what was asked until now by the present modes of modules. Call it before they change."""
        modules = self._modules()
        for (module, callback), count in metrics.MODULES.by_callback(self._server_name).items():
            if module not in modules:
                continue
            counts = _counts(count)
            before = self._taken.get((module, callback), [0] * len(counts))
            new = [now - then for now, then in zip(counts, before, strict=True)]
            if any(new):
                self._taken[module, callback] = counts
                key = (module, callback, int(modules[module]))
                self._calls[key] = _sum(self._calls.get(key), new)


def _counts(count: ModuleCount) -> list[int]:
    """In the order of COUNTERS."""
    return [count.calls, count.refusals, count.errors, *count.buckets]


def _sum(one: Sequence[int] | None, other: Sequence[int]) -> list[int]:
    return [*other] if one is None else [a + b for a, b in zip(one, other, strict=True)]


def write_counters(
    txn: LoggingTransaction,
    hour: int,
    calls: Mapping[_Key, Sequence[int]],
    shadow: Mapping[tuple[str, str, str, str], int],
) -> None:
    """Adds to the counters of the hour."""
    # In order: two processes that wait for each other's rows would wait for ever.
    rows = [(hour, *key, *counts) for key, counts in sorted(calls.items())]
    added = ", ".join(f"{column} = {HOURLY}.{column} + excluded.{column}" for column in COUNTERS)
    txn.execute_batch(
        f"INSERT INTO {HOURLY} (hour, module, callback, shadow, {', '.join(COUNTERS)}) "
        f"VALUES {placeholders((*range(4), *COUNTERS))} "
        f"ON CONFLICT (hour, module, callback, shadow) DO UPDATE SET {added}",
        rows,
    )
    txn.execute_batch(
        f"INSERT INTO {HOURLY_SHADOW} (hour, module, callback, outcome, really, count) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (hour, module, callback, outcome, really) DO UPDATE SET "
        f"count = {HOURLY_SHADOW}.count + excluded.count",
        [(hour, *key, count) for key, count in sorted(shadow.items())],
    )


class Hourly:
    """Reads the counters of all processes. Works in every process."""

    def __init__(self, api: ModuleApi) -> None:
        self._tables = decision_tables(api)

    async def counters(self, since: int, module: str | None = None) -> list[dict[str, Any]]:
        """The hours since then (`Hour` of admin.json), the oldest first. Of too many, the newest."""
        where, values = ("", ()) if module is None else (" AND module = ?", (module,))
        sums = ", ".join(f"SUM({column})" for column in COUNTERS)

        def read(txn: LoggingTransaction) -> list[tuple[Any, ...]]:
            txn.execute(
                f"SELECT hour, module, callback, {sums} FROM {HOURLY} WHERE hour >= ?{where} "
                "GROUP BY hour, module, callback ORDER BY hour DESC, module, callback LIMIT ?",
                (since - since % HOUR_MS, *values, MOST_FOUND),
            )
            return txn.fetchall()

        return [_told(row) for row in reversed(await self._tables.interact(read))]


def _told(row: tuple[Any, ...]) -> dict[str, Any]:
    # PostgreSQL's sums are Decimals.
    hour, module, callback, *counts = row
    calls, refusals, errors, *buckets = map(int, counts)
    assert len(buckets) == len(BUCKETS)
    told = {"hour_ts": hour, "module": module, "callback": callback}
    return {**told, "calls": calls, "refusals": refusals, "errors": errors, **quantiles_ms(buckets)}
