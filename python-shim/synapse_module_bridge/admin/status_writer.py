"""Writes the status of this process every few seconds, and when it changes, so that each process can answer for all."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from synapse.module_api import ModuleApi

from synapse_module_bridge.reactor.background import run_in_background_process
from synapse_module_bridge.schema.admin import ADMIN_LIMITS
from synapse_module_bridge.shared.statuses import Statuses

logger = logging.getLogger("synapse_module_bridge.admin")

STATUS_MS = ADMIN_LIMITS["status_ms"]


class StatusWriter:
    """`status` makes the status of the process `name`."""

    def __init__(
        self, api: ModuleApi, statuses: Statuses, name: str, status: Callable[[], Awaitable[dict[str, Any]]]
    ) -> None:
        self._api = api
        self._statuses = statuses
        self._name = name
        self._status = status
        # An IReactorTime.
        self._clock: Any = None
        self._is_due = False
        self._is_writing = False
        # Whether something has changed since the write that is under way has begun.
        self._again = False
        self._has_failed = False

    def start(self, clock: Any) -> None:
        """Writes the first status once the reactor of `clock` turns, and then regularly."""
        self._clock = clock
        self.write_soon()
        self._api.looping_background_call(self.write, STATUS_MS, desc="module_bridge_status", run_on_all_instances=True)

    def write_soon(self) -> None:
        """The status has changed. It is written once the reactor turns, with all that changes until then."""
        if not self._is_due:
            self._is_due = True
            self._clock.callLater(0, self._begin)

    def _begin(self) -> None:
        self._is_due = False
        run_in_background_process(self._api, "module_bridge_status", self.write)

    async def write(self) -> None:
        """Writes it, or once more after a write that is under way. Never raises."""
        self._again = True
        if self._is_writing:
            return
        self._is_writing = True
        try:
            while self._again:
                self._again = False
                await self._write()
        finally:
            self._is_writing = False

    async def _write(self) -> None:
        try:
            clean_up = self._api.should_run_background_tasks()
            await self._statuses.write(self._name, await self._status(), clean_up=clean_up)
        except Exception as e:
            if not self._has_failed:
                logger.warning(
                    "the status of this process cannot be written to the database (%s), so that other processes take "
                    "it for gone; it is tried again every %.0f s",
                    *(type(e).__name__, STATUS_MS / 1000),
                )
            self._has_failed = True
        else:
            if self._has_failed:
                logger.info("the status of this process can be written again")
            self._has_failed = False
