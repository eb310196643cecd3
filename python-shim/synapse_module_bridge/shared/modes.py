"""Knows which mode each module should have: that of homeserver.yaml, unless an admin has set another while Synapse ran.

What an admin sets is in Synapse's database, so that it holds in all processes, and after restarts.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from synapse.logging.context import PreserveLoggingContext
from synapse.module_api import ModuleApi
from twisted.internet.defer import Deferred

from synapse_module_bridge.reactor.background import run_in_background_process
from synapse_module_bridge.reactor.deadline import DeadlinePassed, within
from synapse_module_bridge.reactor.unexpected import contained
from synapse_module_bridge.schema.modes import Mode
from synapse_module_bridge.shared import mode_tables
from synapse_module_bridge.shared.mode_tables import MOST_BY_CHARACTERS, Change, Override, Reading, note_of
from synapse_module_bridge.shared.moments import read_until
from synapse_module_bridge.storage.own_tables import OwnTables
from synapse_module_bridge.telemetry.log_text import one_line

logger = logging.getLogger("synapse_module_bridge.modes")

# After this time, calls wait no longer for the first reading: the modes of homeserver.yaml hold.
FIRST_READING_SECONDS = 10.0


class UnknownModule(ValueError):
    """homeserver.yaml has no such module. The message names those that it has."""


class Modes:
    """`clock` is an IReactorTime. `announce` lets the other processes look at once, where that is possible.

    `now` gives the time in seconds since the epoch.
    """

    def __init__(
        self,
        api: ModuleApi,
        tables: OwnTables,
        clock: Any,
        announce: Callable[[], Awaitable[None]],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._api = api
        self._tables = tables
        self._clock = clock
        self._announce = announce
        self._now = now
        # Of all bridges of this process.
        self._yaml: dict[str, Mode] = {}
        # One for each bridge that runs modules here.
        self._changed: list[Callable[[], None]] = []
        self._stored: Mapping[str, Override] = {}
        # Those of them that have not ended by themselves.
        self._lasting: Mapping[str, Override] = {}
        # Whether the table was read, or is not waited for any longer.
        self.is_known = False
        self._is_told = False
        self._waiting: list[Deferred[None]] = []

    def add(self, yaml: Mapping[str, Mode], changed: Callable[[], None] | None = None) -> None:
        """A bridge has these modules, with the modes of homeserver.yaml.

        `changed` is called whenever modules should have other modes, where the bridge runs them in this process.
        """
        self._yaml |= yaml
        if changed is not None:
            self._changed.append(changed)

    @property
    def yaml(self) -> Mapping[str, Mode]:
        """The modes of homeserver.yaml, of all bridges, in their order."""
        return self._yaml

    def overrides(self) -> Mapping[str, Override]:
        """What admins have set, as last read, for modules that homeserver.yaml has."""
        return {name: override for name, override in self._lasting.items() if name in self._yaml}

    def wished(self, module: str, yaml_mode: Mode) -> Mode:
        """The mode that the module should have."""
        override = self._lasting.get(module)
        return yaml_mode if override is None else override.mode

    async def set(
        self, module: str, mode: Mode, *, by: str, until: int | str | None = None, note: str | None = None
    ) -> Override:
        """Sets a mode, until a moment as `read_until` takes it, or for good. It holds here when this returns.

        Raises UnknownModule, and ValueError for an `until` or a note that does not fit.
        """
        yaml_mode, now = self._yaml_mode(module), self._now_ms()
        end = None if until is None else read_until(until, now)
        wanted = Override(mode=mode, by=by[:MOST_BY_CHARACTERS], ts=now, until=end, note=note_of(note))
        await self._tables.interact(lambda txn: mode_tables.override(txn, module, wanted, yaml_mode))
        await self._announce()
        return wanted

    async def reset(self, module: str, *, by: str, note: str | None = None) -> bool:
        """Lets the mode of homeserver.yaml come back. Returns whether another was set. Raises UnknownModule."""
        yaml_mode, now, kept = self._yaml_mode(module), self._now_ms(), note_of(note)
        by = by[:MOST_BY_CHARACTERS]
        was_set = await self._tables.interact(lambda txn: mode_tables.reset(txn, module, yaml_mode, by, now, kept))
        await self._announce()
        return was_set

    async def changes(self, module: str | None = None, limit: int = 100) -> Sequence[Change]:
        """The history of one module, or of all, the newest change first."""
        return await self._tables.interact(lambda txn: mode_tables.changes(txn, module, limit))

    def _yaml_mode(self, module: str) -> Mode:
        if module not in self._yaml:
            raise UnknownModule(f"there is no module {module}: homeserver.yaml has {', '.join(self._yaml)}")
        return self._yaml[module]

    def _now_ms(self) -> int:
        return int(self._now() * 1000)

    def read_before(self, reading: Reading) -> None:
        """The table was read before the reactor ran, so that nothing has to wait."""
        self._take(reading)
        self.is_known = True

    def wait_no_longer(self) -> None:
        """The table could not be read in time."""
        if not self.is_known:
            logger.error("the modes of modules could not be read yet: those of homeserver.yaml hold meanwhile")
            self._settled()

    def look(self, reading: Reading | None) -> None:
        """The table was read, or could not be (None): then only time has passed."""
        before = self._lasting
        if reading is not None:
            self._take(reading)
        else:
            self._lasting = self._of_now(self._stored)
        if not self._is_told and reading is not None:
            self._is_told = True
            self._tell()
        elif self._is_told:
            self._tell_changes(before)
        if reading is not None and not self.is_known:
            self._settled()
        elif before != self._lasting:
            self._call_changed()

    def _settled(self) -> None:
        self.is_known = True
        self._call_changed()
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            with PreserveLoggingContext():
                if not one.called:
                    one.callback(None)

    def _call_changed(self) -> None:
        for changed in self._changed:
            contained("applying modes", changed, None)

    async def until_known(self, seconds: float) -> None:
        """Waits for the first reading, for at most so long."""
        if self.is_known:
            return
        waiting: Deferred[None] = Deferred()
        self._waiting.append(waiting)
        try:
            await within(waiting, seconds, self._clock)
        except DeadlinePassed:
            pass
        finally:
            if waiting in self._waiting:
                self._waiting.remove(waiting)

    def _take(self, reading: Reading) -> None:
        self._stored = reading.overrides
        self._lasting = self._of_now(self._stored)
        ended = {name: override for name, override in self._stored.items() if name not in self._lasting}
        if ended and self._is_told and self._api.should_run_background_tasks():
            run_in_background_process(self._api, "module_bridge_modes", lambda: self._remove(ended))

    def _of_now(self, stored: Mapping[str, Override]) -> Mapping[str, Override]:
        now = self._now_ms()
        return {name: override for name, override in stored.items() if override.lasts(now)}

    async def _remove(self, ended: Mapping[str, Override]) -> None:
        for name, override in ended.items():
            yaml_mode = self._yaml.get(name, override.mode)
            until = override.until or 0
            await self._tables.interact(
                lambda txn, name=name, until=until, yaml_mode=yaml_mode: mode_tables.end(  # type: ignore[misc]
                    txn, name, until, yaml_mode
                )
            )

    def _tell(self) -> None:
        """What differs from homeserver.yaml, at the start."""
        for name, override in self._lasting.items():
            yaml_mode = self._yaml.get(name)
            if yaml_mode is None:
                logger.warning(
                    "a mode is set for %s, which homeserver.yaml does not have: it is ignored", one_line(name)
                )
            elif yaml_mode != override.mode:
                said = f"{override.mode}, as {_set(override)} (homeserver.yaml says {yaml_mode})"
                logger.warning("%s: its mode is %s", name, said)

    def _tell_changes(self, before: Mapping[str, Override]) -> None:
        for name, yaml_mode in self._yaml.items():
            was, override = before.get(name), self._lasting.get(name)
            if was == override:
                continue
            old_mode = yaml_mode if was is None else was.mode
            if override is None:
                logger.info("%s: its mode is %s again, as in homeserver.yaml (it was %s)", name, yaml_mode, old_mode)
            else:
                logger.warning("%s: its mode is %s, as %s (it was %s)", name, override.mode, _set(override), old_mode)


def _set(override: Override) -> str:
    """The end of a sentence that says who has set it, and when."""
    return f"{one_line(override.by)} has set {override.when_and_why()}"
