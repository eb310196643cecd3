"""Reloads changed modules when Synapse gets SIGHUP, and retries modules that could not be loaded again at a restart."""

import inspect
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from synapse.app._base import register_sighup
from synapse.logging.context import make_deferred_yieldable
from synapse.module_api import ModuleApi
from twisted.internet import threads

from synapse_module_bridge.reactor.background import Run
from synapse_module_bridge.reactor.unexpected import contained, log_unexpected
from synapse_module_bridge.schema.catalogue import CALLBACKS
from synapse_module_bridge.supervision.accepted import Accepted, Manifest
from synapse_module_bridge.supervision.backoff import LONGEST_PAUSE_SECONDS
from synapse_module_bridge.supervision.handshake import Initialize
from synapse_module_bridge.supervision.supervisor import Supervisor
from synapse_module_bridge.transport.unavailable import Unavailable

logger = logging.getLogger("synapse_module_bridge.reload")

# Before the first retry. The pause doubles each time.
FIRST_PAUSE_SECONDS = 1.0
YAML_HAS_CHANGED = (
    "SIGHUP: the bridge's entry in homeserver.yaml has changed: it is read when Synapse starts, and not before; "
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
    ) -> None:
        self._host = host
        self._accepted = accepted
        self._clock = clock
        self._run = run
        self._initialize = initialize
        self._yaml_has_changed = yaml_has_changed
        # The declarations that are registered with Synapse, which takes no more until it is restarted.
        self._registered: Sequence[Mapping[str, Any]] = ()
        self._under_way = False
        # Whether another SIGHUP has come meanwhile.
        self._again = False
        self._pause = FIRST_PAUSE_SECONDS
        self._retry_timer: Any = None
        self._stopped = False

    def registered(self, modules: Sequence[Mapping[str, Any]]) -> None:
        """These modules' declarations were registered with Synapse."""
        self._registered = modules

    def requested(self) -> None:
        """Synapse has got SIGHUP."""
        if self._under_way:
            if not self._again:
                logger.info("SIGHUP: a reload is under way; another follows")
            self._again = True
        else:
            self._start(self._reload)

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
        if self._retry_timer is not None and self._retry_timer.active():
            self._retry_timer.cancel()

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
            while self._again:
                self._again = False
                await self._one(self._reload)
        finally:
            self._under_way = False

    async def _one(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception as e:
            log_unexpected("a reload", e)

    async def _reload(self) -> None:
        if not self._host.is_up:
            logger.info("SIGHUP: the module host is down; a reload follows once it is back")
            try:
                await self._host.until_up_again()
            except Unavailable:
                return
        told, yaml_has_changed = await in_thread(self._look)
        if yaml_has_changed:
            logger.warning(YAML_HAS_CHANGED)
        if told is None:
            logger.info("SIGHUP: no file of a module has changed")
            return
        started = time.monotonic()
        reason = await self._host.replace(
            lambda manifest: needs_restart(self._registered, manifest["modules"]), "reload", told
        )
        if reason is not None:
            logger.error(
                "SIGHUP: the modules that run stay as they are, since the new ones cannot take over: %s", reason
            )
            return
        names = ", ".join(self._accepted.changed) or "none"
        seconds = time.monotonic() - started
        logger.info("SIGHUP: the changed modules have taken over after %.2f s: %s", seconds, names)

    def _look(self) -> tuple[Mapping[str, Any] | None, bool]:
        """The `initialize` of a new host, or None if nothing has changed; and whether homeserver.yaml has changed."""
        yaml_has_changed = contained("reading homeserver.yaml", self._yaml_has_changed, False)
        is_due = self._accepted.differing() or self._accepted.missing
        return self._initialize("reload") if is_due else None, yaml_has_changed

    async def _load_again(self) -> None:
        """Loads missing modules from the snapshot: what they need from disk may be there now."""
        before = set(self._accepted.missing)
        reason = await self._host.replace(lambda manifest: self._still_missing(manifest, before), "restart")
        if reason is None:
            logger.info("%s could be loaded again", ", ".join(sorted(before - set(self._accepted.missing))))
        if self._accepted.missing:
            self.some_are_missing()
        else:
            self._pause = FIRST_PAUSE_SECONDS

    async def _move(self) -> None:
        reason = await self._host.replace(lambda _: None, "restart")
        if reason is not None:
            logger.error("the module host could not be moved to where its files are kept now: %s", reason)

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


def _logins(module: Mapping[str, Any]) -> list[tuple[str, tuple[str, ...]]]:
    checkers = module.get("callbacks", {}).get("auth_checkers", {}).get("checkers", ())
    return [(checker["login_type"], tuple(checker["fields"])) for checker in checkers]


def needs_restart(registered: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> str | None:
    """Why the declarations `new` need a restart of Synapse, since more would have to be registered; or None."""
    before = {module["name"]: module for module in registered}
    callbacks = {name for module in registered for name in module["callbacks"]}
    problems = []
    for module in new:
        own = before.get(module["name"], {})
        # Some callbacks are registered once for each module.
        own_callbacks = own.get("callbacks", {})
        problems += [
            f"{module['name']} has the new callback {name}"
            for name in module["callbacks"]
            if name not in (own_callbacks if CALLBACKS[name].per_module else callbacks)
        ]
        logins = _logins(own)
        problems += [
            f"{module['name']} has the new login type {login_type} by {' and '.join(fields) or 'nothing'}"
            for login_type, fields in _logins(module)
            if logins and (login_type, fields) not in logins
        ]
        known = own.get("web_resources", ())
        problems += [
            f"{module['name']} has the new web resource {path}" for path in module["web_resources"] if path not in known
        ]
    return f"{'; '.join(problems)}: restart Synapse to add it" if problems else None
