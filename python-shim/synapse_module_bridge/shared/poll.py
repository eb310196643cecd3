"""Looks at the shared tables regularly: once for all bridges of a process, and never twice at the same time."""

import logging
import time
from collections.abc import Callable
from typing import Any

from synapse.logging.context import PreserveLoggingContext, make_deferred_yieldable
from synapse.module_api import ModuleApi
from twisted.internet.defer import DeferredLock

from synapse_module_bridge.reactor.background import run_in_background_process
from synapse_module_bridge.reactor.unexpected import contained
from synapse_module_bridge.schema.admin import ADMIN_LIMITS
from synapse_module_bridge.shared.mode_tables import Reading, read
from synapse_module_bridge.storage.own_tables import OwnTables

logger = logging.getLogger("synapse_module_bridge.shared")

PAUSE_SECONDS = ADMIN_LIMITS["mode_poll_ms"] / 1000
# A slow database gets longer pauses, but a change must be in force within 5 s.
LONGEST_PAUSE_SECONDS = 3.0
# The pauses are so many times as long as the look takes.
SPARING = 5


class Poll:
    """`clock` is an IReactorTime. `taken` gets what each look has found, or None."""

    def __init__(self, api: ModuleApi, tables: OwnTables, clock: Any, taken: Callable[[Reading | None], None]) -> None:
        self._api = api
        self._tables = tables
        self._clock = clock
        self._taken = taken
        self._lock = DeferredLock()
        self._timer: Any = None
        self._stopped = False
        # Whether the last look has failed, which is logged once.
        self.fails = False

    def start(self) -> None:
        """Looks at once, and then regularly until `stop`. The reactor runs."""
        self._look()

    def stop(self) -> None:
        """Synapse stops: its database goes."""
        self._stopped = True
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def soon(self) -> None:
        """Something has changed: looks at once."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
            self._look()

    def _look(self) -> None:
        async def look() -> None:
            began = time.monotonic()
            await self.look()
            if not self._stopped:
                pause = min(max(PAUSE_SECONDS, SPARING * (time.monotonic() - began)), LONGEST_PAUSE_SECONDS)
                self._timer = self._clock.callLater(pause, self._look)

        if not self._stopped:
            run_in_background_process(self._api, "module_bridge_poll", look)

    async def look(self) -> None:
        """Looks once, after a look that is under way. Never raises."""
        await make_deferred_yieldable(self._lock.acquire())
        try:
            found: Reading | None = await self._tables.interact(read)
            if self.fails:
                logger.info("the modes of modules can be read again")
            self.fails = False
        except Exception as e:
            if not self.fails and not self._stopped:
                logger.error("the modes of modules cannot be read: those that are known stay (%s)", type(e).__name__)
            self.fails, found = True, None
        finally:
            with PreserveLoggingContext():
                self._lock.release()
        contained("taking what other processes have written", lambda: self._taken(found), None)
