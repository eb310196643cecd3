"""Connects what one bridge keeps of decisions: the rows, and the hourly counters."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from synapse.logging.context import PreserveLoggingContext
from synapse.module_api import ModuleApi
from twisted.internet.defer import Deferred

from synapse_module_bridge.calls.decision import Ledger
from synapse_module_bridge.reactor.background import run_in_background_process
from synapse_module_bridge.reactor.deadline import add_deadline
from synapse_module_bridge.routing.workers import name_of_process
from synapse_module_bridge.shared.decision_table import decision_tables
from synapse_module_bridge.shared.decision_writer import DecisionWriter
from synapse_module_bridge.shared.hourly import HourlyWriter

logger = logging.getLogger("synapse_module_bridge.decisions")

# When Synapse stops, the last rows have so long.
LAST_SECONDS = 2.0


class Keeping:
    """`modules` gives the names of modules, and whether each is a shadow module. `clock` is an IReactorTime."""

    def __init__(self, api: ModuleApi, modules: Callable[[], Mapping[str, bool]], clock: Any) -> None:
        self._clock = clock
        self._api = api
        tables = decision_tables(api)
        server_name = api.server_name
        self._hourly = HourlyWriter(
            *(tables, server_name, modules),
            lambda func: run_in_background_process(api, "module_bridge_hourly", func),
            clock,
        )
        self.writer = DecisionWriter(
            *(tables, name_of_process(api), server_name),
            lambda func: run_in_background_process(api, "module_bridge_decisions", func),
            *(clock, self._hourly.note_shadow),
        )
        self.ledger = Ledger(self.writer.keep)

    def dropped(self) -> int:
        """How many decisions were counted and not stored."""
        return self.writer.dropped

    def modes_change(self) -> None:
        """Call it before modules have other modes: what they were asked until now is counted by those of before."""
        self._hourly.take()

    def begin(self, reactor: Any, stop: "Callable[[], Deferred[None]]") -> None:
        """Writes counters from now on. When Synapse stops, waits for what `stop` returns, and writes what is left."""
        self._hourly.begin()
        reactor.addSystemEventTrigger("before", "shutdown", lambda: self._last(stop))

    def _last(self, stop: "Callable[[], Deferred[None]]") -> "Deferred[None]":
        self._hourly.stop()
        written: Deferred[None] = Deferred()

        async def write() -> None:
            try:
                await self.writer.finish()
                await self._hourly.write()
            finally:
                with PreserveLoggingContext():
                    if not written.called:
                        written.callback(None)

        def begin(_: None) -> None:
            add_deadline(written, LAST_SECONDS, self._clock)
            written.addErrback(lambda _: logger.error("the last decisions could not be written in time"))
            run_in_background_process(self._api, "module_bridge_last_decisions", write)

        with PreserveLoggingContext():
            stop().addCallback(begin)
        return written
