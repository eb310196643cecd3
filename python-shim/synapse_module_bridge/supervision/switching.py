"""Brings modules into the modes that they should have: replaces the host by one that runs the same code in those modes.

A module that is off is not loaded, so that the host frees what it holds. Whoever is not asked any more is that at once:
the routing table does not wait for the host.
"""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from synapse_module_bridge.schema.modes import MODES, OFF, SHADOW, Mode, lesser
from synapse_module_bridge.supervision.accepted import Accepted, Manifest
from synapse_module_bridge.supervision.registered import Registered, only_asked
from synapse_module_bridge.supervision.supervisor import OVERTAKEN, PASSING, Supervisor

logger = logging.getLogger("synapse_module_bridge.modes")

Modes = Mapping[str, Mode]


class Switching:
    """`wished` has the modes that modules should have, and `running` those in which the host runs them.

    `initialize` gives the parameters for a host that runs what was accepted last, in given modes.
    """

    def __init__(
        self,
        host: Supervisor,
        accepted: Accepted,
        registered: Registered,
        wished: Callable[[], Modes],
        running: Callable[[], Modes],
        initialize: Callable[[Modes], Mapping[str, Any]],
    ) -> None:
        self._host = host
        self._accepted = accepted
        self._registered = registered
        self._wished = wished
        self._running = running
        self._initialize = initialize
        # By name, why a module does not run in the mode that it should have.
        self.problems: dict[str, str] = {}
        # Those of them that may pass: the host's own reasons.
        self._passing: set[str] = set()

    @property
    def may_pass(self) -> bool:
        """Whether it makes sense to try again."""
        return bool(self._passing)

    def forget_passing(self) -> None:
        """Tries again."""
        for name in self._passing:
            self.problems.pop(name, None)
        self._passing.clear()

    def forget_problems(self) -> None:
        """An admin has asked again, or the files may have changed."""
        self.problems.clear()
        self._passing.clear()

    @property
    def is_due(self) -> bool:
        """Whether a module should run in another mode, and nothing is known to keep it from that."""
        running = self._running()
        return any(mode != running.get(name) and name not in self.problems for name, mode in self._wished().items())

    def overtaken(self, modes: Modes) -> str | None:
        """Why a host that was started in these modes must not take over any more: a module would do less than it does.

        An admin may have switched it on again meanwhile. That of a module with a problem is known, and meant.
        """
        running = self._running()
        is_overtaken = any(
            _is_more(lesser(mode, running.get(name, mode)), modes.get(name, mode))
            for name, mode in self._wished().items()
            if name not in self.problems
        )
        return OVERTAKEN if is_overtaken else None

    def why_restart_needed(self, name: str, mode: Mode) -> str | None:
        """Why a module cannot have this mode before Synapse is restarted, or at all; or None. It can always be off."""
        module = self._accepted.declared(name)
        if mode == OFF or module is None:
            return None
        if name in self._accepted.broken:
            return f"{name} cannot be loaded: {self._accepted.broken[name]}: mend it, and reload or restart Synapse"
        if mode == SHADOW and (callbacks := only_asked(module)):
            return f"{name} implements {callbacks[0]}: Synapse would ask no other module, so nobody would answer"
        return self._registered.why_not([module], {name: mode})

    async def switch(self) -> None:
        """Replaces the host, if that is due. Does nothing while the host is down: the next one gets the modes."""
        if not self._host.is_up or not self.is_due:
            return
        wished, running = self._wished(), self._running()
        modes = dict(wished)
        for name, mode in wished.items():
            now = running.get(name, mode)
            if mode == now:
                continue
            why = self.problems.get(name) or self.why_restart_needed(name, mode)
            if why is not None:
                # It must not do more than was wished.
                modes[name] = now if _is_more(mode, now) else OFF
                self._stays(name, mode, why)
        raised = {name for name, mode in modes.items() if _is_more(mode, running.get(name, mode))}
        reason = await self._replace(modes, raised)
        if reason is None or reason in PASSING:
            return
        for name in raised:
            self._stays(name, wished[name], reason)
        self._passing |= raised
        if not raised:
            lowered = {name for name, mode in wished.items() if mode != running.get(name)} - self.problems.keys()
            self.problems |= dict.fromkeys(lowered, reason)
            self._passing |= lowered
            names = ", ".join(sorted(lowered))
            logger.error("%s: asked no more, but not freed, since the module host stays as it is: %s", names, reason)
        else:
            # Those that are to do less do not have to wait for those that cannot do more.
            await self.switch()

    def _stays(self, name: str, mode: Mode, why: str) -> None:
        if self.problems.get(name) != why:
            self.problems[name] = why
            logger.error("%s cannot have the mode %s: %s", name, mode, why)

    async def _replace(self, modes: Modes, raised: set[str]) -> str | None:
        if modes == self._running():
            return None

        def refuse(manifest: Manifest) -> str | None:
            if overtaken := self.overtaken(modes):
                return overtaken
            lacking = raised - {module["name"] for module in manifest["modules"]}
            faults = [fault["message"] for fault in manifest.get("faults", ())]
            return "; ".join(faults) or f"{', '.join(lacking)}: not loaded" if lacking else None

        began = time.monotonic()
        told = self._initialize(modes)
        reason = await self._host.replace(refuse, "restart", told)
        if reason is None:
            seconds = time.monotonic() - began
            logger.info("the modules run in their modes after %.2f s: %s", seconds, _in_words(modes))
        return reason


def _is_more(mode: Mode, than: Mode) -> bool:
    return MODES.index(mode) > MODES.index(than)


def _in_words(modes: Modes) -> str:
    return ", ".join(f"{name} {mode}" for name, mode in modes.items())
