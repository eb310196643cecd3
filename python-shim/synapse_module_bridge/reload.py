"""Reloads the modules when Synapse gets SIGHUP, if one of their files has changed."""

import hashlib
import inspect
import logging
from collections.abc import Callable, Mapping
from typing import Any

from synapse.app._base import register_sighup
from synapse.module_api import ModuleApi

logger = logging.getLogger(__name__)


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


def fingerprint(manifest: Mapping[str, Any]) -> Mapping[str, str]:
    """What the files of the modules hold now, by path."""
    paths = {path for module in manifest["modules"] for path in module.get("files", ())}
    return {path: _digest(path) for path in sorted(paths)}


def _digest(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError as e:
        return f"unreadable: {e.strerror}"


def needs_restart(old: Mapping[str, Any], new: Mapping[str, Any]) -> str | None:
    """What a new declaration has that only a restart of Synapse could add."""
    before = {module["name"]: module for module in old["modules"]}
    callbacks = {name for module in old["modules"] for name in module["callbacks"]}
    problems = []
    for module in new["modules"]:
        problems += [
            f"{module['name']} has the new callback {name}" for name in module["callbacks"] if name not in callbacks
        ]
        known = before.get(module["name"], {}).get("web_resources", ())
        problems += [
            f"{module['name']} has the new web resource {path}" for path in module["web_resources"] if path not in known
        ]
    return f"{'; '.join(problems)}: restart Synapse to add it" if problems else None
