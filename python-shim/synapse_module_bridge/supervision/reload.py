"""Replaces the host: when Synapse gets SIGHUP or an admin asks for a reload, when modules have other modes, and while
modules are missing that could not be loaded again at a restart. Only one replacement is under way at a time.
"""

import inspect
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from synapse.app._base import register_sighup
from synapse.logging.context import PreserveLoggingContext, make_deferred_yieldable
from synapse.module_api import ModuleApi
from twisted.internet import threads
from twisted.internet.defer import Deferred

from synapse_module_bridge.reactor.background import Run
from synapse_module_bridge.reactor.unexpected import contained, log_unexpected
from synapse_module_bridge.supervision.accepted import Accepted, Manifest, modes_of
from synapse_module_bridge.supervision.backoff import LONGEST_PAUSE_SECONDS
from synapse_module_bridge.supervision.handshake import Initialize
from synapse_module_bridge.supervision.registered import Registered
from synapse_module_bridge.supervision.supervisor import OVERTAKEN, STOPS, Supervisor
from synapse_module_bridge.supervision.switching import Switching
from synapse_module_bridge.transport.unavailable import Unavailable

logger = logging.getLogger("synapse_module_bridge.reload")

# What became of a reload: as in `Reload` of `schemas/admin.json`.
Outcome = Mapping[str, Any]
UNCHANGED: Outcome = {"outcome": "unchanged"}

# Before the first retry. The pause doubles each time.
FIRST_PAUSE_SECONDS = 1.0
YAML_HAS_CHANGED = (
    "reload: the bridge's entry in homeserver.yaml has changed: it is read when Synapse starts, and not before; "
    "restart Synapse for it"
)


class Reload:
    """`run` runs something in the background. `initialize` and `yaml_has_changed` read files, and run in a thread."""

    def __init__(
        self,
        host: Supervisor,
        accepted: Accepted,
        clock: Any,
        run: Run,
        initialize: Initialize,
        yaml_has_changed: Callable[[], bool],
        registered: Registered,
        switching: Switching,
    ) -> None:
        self._host = host
        self._accepted = accepted
        self._clock = clock
        self._run = run
        self._initialize = initialize
        self._yaml_has_changed = yaml_has_changed
        self._registered = registered
        self._switching = switching
        self._under_way = False
        # Whether somebody has asked for another reload meanwhile.
        self._again = False
        # Whether modules may have to run in other modes.
        self._switches = False
        # Those who wait for the next reload that begins.
        self._next: list[Deferred[Outcome]] = []
        self._pause = FIRST_PAUSE_SECONDS
        self._retry_timer: Any = None
        # As these two, for modules that could not be brought into their modes.
        self._switch_pause = FIRST_PAUSE_SECONDS
        self._switch_timer: Any = None
        self._stopped = False

    def requested(self) -> None:
        """Synapse has got SIGHUP, or an admin asks for a reload."""
        if self._under_way:
            if not self._again:
                logger.info("reload: one is under way; another follows")
            self._again = True
        else:
            self._start(self._reload)

    async def reload(self) -> Outcome:
        """Reloads, and returns what became of it. Does not wait for a host that is down. Never raises."""
        if not self._host.is_up:
            self.requested()
            return {"outcome": "failed", "problem": "Node is down: a reload follows once it is back"}
        done: Deferred[Outcome] = Deferred()
        self._next.append(done)
        self.requested()
        return await make_deferred_yieldable(done)

    def modes_changed(self) -> None:
        """Modules should run in other modes than they do."""
        self._switches = True
        if not self._under_way and not self._stopped:
            self._start(self._switch)

    def some_are_missing(self) -> None:
        """Modules could not be loaded again at a restart: retries them until they can be."""
        if not self._stopped and (self._retry_timer is None or not self._retry_timer.active()):
            self._retry_timer = self._clock.callLater(self._pause, self._retry)
            self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)

    def move(self) -> None:
        """The host's files are in another folder now: replaces the host by one that runs from there."""
        if not self._under_way:
            self._start(self._move)

    def stop(self) -> None:
        """Synapse stops."""
        self._stopped = True
        for timer in (self._retry_timer, self._switch_timer):
            if timer is not None and timer.active():
                timer.cancel()

    def _retry(self) -> None:
        if not self._accepted.missing:
            self._pause = FIRST_PAUSE_SECONDS
        elif self._under_way:
            self.some_are_missing()
        else:
            self._start(self._load_again)

    def _start(self, work: Callable[[], Awaitable[None]]) -> None:
        self._under_way = True
        self._run(lambda: self._work(work))

    async def _work(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await self._one(work)
            while self._again or self._switches:
                # After a reload that has taken over, it is known whether a switch is due.
                again, self._again = self._again, False
                await self._one(self._reload if again else self._switch)
        finally:
            self._under_way = False

    async def _switch(self) -> None:
        self._switches = False
        await self._switching.switch()
        if not self._switching.may_pass:
            self._switch_pause = FIRST_PAUSE_SECONDS
        elif not self._stopped and (self._switch_timer is None or not self._switch_timer.active()):
            self._switch_timer = self._clock.callLater(self._switch_pause, self._switch_again)
            self._switch_pause = min(2 * self._switch_pause, LONGEST_PAUSE_SECONDS)

    def _switch_again(self) -> None:
        self._switching.forget_passing()
        self.modes_changed()

    async def _one(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception as e:
            log_unexpected("a reload", e)

    async def _reload(self) -> None:
        waiting, self._next = self._next, []
        outcome: Outcome = {"outcome": "failed", "problem": "a fault of the bridge: the log says more"}
        try:
            outcome = await self._reloaded()
        finally:
            for one in waiting:
                with PreserveLoggingContext():
                    one.callback(outcome)

    async def _reloaded(self) -> Outcome:
        outcome = None
        while outcome is None:
            outcome = await self._once()
        return outcome

    async def _once(self) -> Outcome | None:
        """Returns None where it has to be done once more: a module is to do more than in the host that was started."""
        if not self._host.is_up:
            logger.info("reload: the module host is down; the reload follows once it is back")
            try:
                await self._host.until_up_again()
            except Unavailable:
                return {"outcome": "failed", "problem": STOPS}
        self._switching.forget_problems()
        self._switches = False
        told, yaml_has_changed = await in_thread(self._look)
        if yaml_has_changed:
            logger.warning(YAML_HAS_CHANGED)
        if told is None:
            logger.info("reload: no file of a module has changed")
            self._switches = True
            return UNCHANGED
        started, modes = time.monotonic(), modes_of(told)
        reason = await self._host.replace(
            lambda manifest: self._switching.overtaken(modes) or self._registered.why_not(manifest["modules"], modes),
            "reload",
            told,
        )
        if reason == OVERTAKEN:
            return None
        if reason == STOPS:
            return {"outcome": "failed", "problem": reason}
        if reason is not None:
            logger.error(
                "reload: the modules that run stay as they are, since the new ones cannot take over: %s", reason
            )
            self._switches = True
            return {"outcome": "failed", "problem": reason}
        names = ", ".join(self._accepted.changed) or "none"
        seconds = time.monotonic() - started
        logger.info("reload: the changed modules have taken over after %.2f s: %s", seconds, names)
        return {"outcome": "reloaded", "changed": list(self._accepted.changed)}

    def _look(self) -> tuple[Mapping[str, Any] | None, bool]:
        """The `initialize` of a new host, or None if nothing has changed; and whether homeserver.yaml has changed."""
        yaml_has_changed = contained("reading homeserver.yaml", self._yaml_has_changed, False)
        is_due = self._accepted.differing() or self._accepted.missing or self._accepted.broken
        return self._initialize("reload") if is_due else None, yaml_has_changed

    async def _load_again(self) -> None:
        """Loads missing modules from the snapshot: what they need from disk may be there now."""
        before = set(self._accepted.missing)
        reason = await self._restart(lambda manifest: self._still_missing(manifest, before))
        if reason is None:
            logger.info("%s could be loaded again", ", ".join(sorted(before - set(self._accepted.missing))))
        if self._accepted.missing:
            self.some_are_missing()
        else:
            self._pause = FIRST_PAUSE_SECONDS

    async def _move(self) -> None:
        reason: str | None = OVERTAKEN
        while reason == OVERTAKEN:
            reason = await self._restart(lambda _: None)
        if reason not in (None, STOPS):
            logger.error("the module host could not be moved to where its files are kept now: %s", reason)

    async def _restart(self, refuse: Callable[[Manifest], str | None]) -> str | None:
        """Replaces the host by one that runs the same code; returns why it stays, or None."""
        told = self._initialize("restart")
        modes = modes_of(told)
        return await self._host.replace(
            lambda manifest: self._switching.overtaken(modes) or refuse(manifest), "restart", told
        )

    def _still_missing(self, manifest: Manifest, before: set[str]) -> str | None:
        found = {module["name"] for module in manifest["modules"]}
        return None if before & found else "none of them can be loaded"


async def in_thread(look: Callable[[], Any]) -> Any:
    """Calls a function that reads files in a thread of Twisted's pool, and returns its result."""
    try:
        reading = threads.deferToThread(look)
    except RuntimeError:
        # The system has no more threads.
        return look()
    return await make_deferred_yieldable(reading)


def on_sighup(api: ModuleApi, reload: Callable[[], None]) -> None:
    """Calls `reload` whenever Synapse gets SIGHUP: `synapse.app._base.register_sighup`."""
    # Over the releases of Synapse, its first parameter was none, the homeserver's id, and the homeserver.
    first = next(iter(inspect.signature(register_sighup).parameters))
    homeserver: Any = api._hs
    register: Callable[..., None] = register_sighup
    if first == "hs":
        register(homeserver, reload)
    elif first == "homeserver_instance_id":
        register(homeserver.get_instance_id(), reload)
    else:
        register(reload)
