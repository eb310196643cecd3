"""Writes the status of this process every few seconds, so that each process can answer for all of them."""

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
        self._is_writing = False
        self._has_failed = False

    def start(self, clock: Any) -> None:
        """Writes the first status once the reactor of `clock` turns, and then regularly."""
        clock.callLater(0, lambda: run_in_background_process(self._api, "module_bridge_status", self.write))
        self._api.looping_background_call(self.write, STATUS_MS, desc="module_bridge_status", run_on_all_instances=True)

    async def write(self) -> None:
        """Writes it once, unless it is being written. Never raises."""
        if self._is_writing:
            return
        self._is_writing = True
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
        finally:
            self._is_writing = False
