"""Asks all processes for a reload, and tells what became of it in each."""

import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from synapse.module_api import ModuleApi

from synapse_module_bridge.reactor.background import run_in_background_process
from synapse_module_bridge.reactor.unexpected import log_unexpected
from synapse_module_bridge.shared.mode_tables import LAST_RELOAD, MOST_BY_CHARACTERS, OUTCOMES_TABLE, RELOADS_TABLE
from synapse_module_bridge.storage.own_tables import OwnTables, Txn
from synapse_module_bridge.telemetry.log_text import one_line

logger = logging.getLogger("synapse_module_bridge.reload")

# So many requests are kept, with their outcomes.
MOST_KEPT = 100
# Two processes may take the same number at once.
ATTEMPTS = 3

# As `processes` of `Reload` in `schemas/admin.json`.
Outcome = Mapping[str, Any]


class Reloads:
    """`process` is the name of this process. `announce` is as for `Modes`."""

    def __init__(
        self,
        api: ModuleApi,
        tables: OwnTables,
        process: str,
        announce: Callable[[], Awaitable[None]],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._api = api
        self._tables = tables
        self._process = process
        self._announce = announce
        self._now = now
        # One for each bridge that runs modules here.
        self._reload: list[Callable[[], Awaitable[Outcome]]] = []
        # Called when a reload is over, before those who have asked for it are told. Never raises.
        self.before_told: Callable[[], Awaitable[None]] = _nothing
        # The newest request that was worked on; None before the first look.
        self._seen: int | None = None
        self._latest = 0
        self._under_way = False

    def add(self, reload: Callable[[], Awaitable[Outcome]]) -> None:
        """A bridge reloads its modules by `reload`, which never raises."""
        self._reload.append(reload)

    async def request(self, by: str) -> int:
        """Asks all processes for a reload. Returns the number of the request, for `outcomes`."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                number = await self._tables.interact(lambda txn: self._write(txn, by[:MOST_BY_CHARACTERS]))
                break
            except Exception:
                if attempt == ATTEMPTS:
                    raise
        logger.info("%s has asked all processes for a reload", one_line(by))
        await self._announce()
        return number

    def _write(self, txn: Txn, by: str) -> int:
        txn.execute(f"SELECT MAX(id) FROM {RELOADS_TABLE} WHERE id <= ?", (LAST_RELOAD,))
        number = int(txn.fetchone()[0] or 0) + 1
        txn.execute(f"INSERT INTO {RELOADS_TABLE} (id, by, ts) VALUES (?, ?, ?)", (number, by, int(self._now() * 1000)))
        for table in (RELOADS_TABLE, OUTCOMES_TABLE):
            txn.execute(f"DELETE FROM {table} WHERE id <= ?", (number - MOST_KEPT,))
        return number

    async def outcomes(self, number: int) -> Mapping[str, Outcome]:
        """By process, what became of the request there, as far as it is known. Processes without modules are absent."""

        def read(txn: Txn) -> list[tuple[str, str]]:
            txn.execute(f"SELECT process, outcome FROM {OUTCOMES_TABLE} WHERE id = ?", (number,))
            rows: list[tuple[str, str]] = txn.fetchall()
            return rows

        return {process: json.loads(outcome) for process, outcome in await self._tables.interact(read)}

    def look(self, latest: int) -> None:
        """The newest request has this number."""
        self._latest = latest
        if self._seen is None:
            # Requests before the start: the files were read since.
            self._seen = latest
        elif latest > self._seen and self._reload and not self._under_way:
            self._under_way = True
            run_in_background_process(self._api, "module_bridge_reload_request", self._work)

    async def _work(self) -> None:
        try:
            while self._seen is not None and self._seen < self._latest:
                numbers = range(max(self._seen, self._latest - MOST_KEPT) + 1, self._latest + 1)
                self._seen = self._latest
                outcome = merged([await reload() for reload in self._reload])
                await self.before_told()
                await self._tables.interact(lambda txn, of=numbers, what=outcome: self._note(txn, of, what))  # type: ignore[misc]
        except Exception as e:
            log_unexpected("noting a reload", e)
        finally:
            self._under_way = False

    def _note(self, txn: Txn, numbers: range, outcome: Outcome) -> None:
        for number in numbers:
            txn.execute(
                f"INSERT INTO {OUTCOMES_TABLE} (id, process, outcome) VALUES (?, ?, ?) ON CONFLICT (id, process) "
                "DO UPDATE SET outcome = excluded.outcome",
                (number, self._process, json.dumps(outcome)),
            )


async def _nothing() -> None:
    pass


def merged(outcomes: list[Outcome]) -> Outcome:
    """What became of the reloads of several bridges of one process."""
    kinds = [outcome["outcome"] for outcome in outcomes]
    kind = next(one for one in ("failed", "reloaded", "unchanged") if one in kinds)
    changed = [name for outcome in outcomes for name in outcome.get("changed", ())]
    problems = [outcome["problem"] for outcome in outcomes if "problem" in outcome]
    return {
        "outcome": kind,
        **({"changed": changed} if kind == "reloaded" else {}),
        **({"problem": "; ".join(problems)} if problems else {}),
    }
