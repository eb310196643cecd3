"""Reloads the modules when Synapse gets SIGHUP, if one of their files has changed."""

import hashlib
import inspect
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from synapse.app._base import register_sighup
from synapse.module_api import ModuleApi

from synapse_module_bridge.catalogue import CALLBACKS

logger = logging.getLogger(__name__)

Manifest = Mapping[str, Any]
# Starts a new host, unless what it is given finds a reason not to; gives why the present one stays, or None.
Replace = Callable[[Callable[[Manifest], str | None]], Awaitable[str | None]]


class Reload:
    """`run` starts a background process."""

    def __init__(self, replace: Replace, run: Callable[[Callable[[], Awaitable[None]]], object]) -> None:
        self._replace = replace
        self._run = run
        self._manifest: Manifest = {"modules": []}
        self._loaded: Mapping[str, str] = {}
        self._under_way = False
        self._again = False

    def loaded(self, manifest: Manifest) -> None:
        """These declarations are in force now."""
        self._manifest = manifest
        self._loaded = fingerprint(manifest)

    def requested(self) -> None:
        if self._under_way:
            self._again = True
            return
        files = fingerprint(self._manifest)
        if files == self._loaded:
            logger.info("SIGHUP: no file of a module has changed")
            return
        self._under_way = True
        self._run(lambda: self._reload(files))

    async def _reload(self, files: Mapping[str, str]) -> None:
        started = time.monotonic()
        try:
            reason = await self._replace(lambda manifest: needs_restart(self._manifest, manifest))
        finally:
            self._under_way = False
        if reason is None:
            # A file that was changed once more while it was being loaded must count as changed.
            self._loaded = {path: files.get(path, digest) for path, digest in self._loaded.items()}
            logger.info("SIGHUP: the changed modules have taken over after %.2f s", time.monotonic() - started)
        else:
            logger.error(
                "SIGHUP: the modules that run stay as they are, since the new ones cannot take over: %s", reason
            )
        if self._again:
            self._again = False
            self.requested()


def on_sighup(api: ModuleApi, reload: Callable[[], None]) -> None:
    """Calls `reload` whenever Synapse gets SIGHUP."""
    # Synapse's own function has taken nothing, an id, and then the homeserver as its first argument.
    first = next(iter(inspect.signature(register_sighup).parameters))
    homeserver: Any = api._hs
    register: Callable[..., None] = register_sighup
    if first == "hs":
        register(homeserver, reload)
    elif first == "homeserver_instance_id":
        register(homeserver.get_instance_id(), reload)
    else:
        register(reload)


def fingerprint(manifest: Manifest) -> Mapping[str, str]:
    """What the files of the modules hold now, by path."""
    paths = {path for module in manifest["modules"] for path in module.get("files", ())}
    return {path: _digest(path) for path in sorted(paths)}


def _digest(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError as e:
        return f"unreadable: {e.strerror}"


def _logins(module: Manifest) -> list[tuple[str, tuple[str, ...]]]:
    checkers = module.get("callbacks", {}).get("auth_checkers", {}).get("checkers", ())
    return [(checker["login_type"], tuple(checker["fields"])) for checker in checkers]


def needs_restart(old: Manifest, new: Manifest) -> str | None:
    """What a new declaration has that only a restart of Synapse could add."""
    before = {module["name"]: module for module in old["modules"]}
    callbacks = {name for module in old["modules"] for name in module["callbacks"]}
    problems = []
    for module in new["modules"]:
        own = before.get(module["name"], {})
        # Some callbacks are registered for each module.
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
