"""Tells what only a restart of Synapse can change: it takes callbacks, login types and web resources when it starts."""

from collections.abc import Mapping, Sequence
from typing import Any

from synapse_module_bridge.schema.catalogue import CALLBACKS
from synapse_module_bridge.schema.modes import ENFORCE, OFF, SHADOW, Mode

# A module, as it declares itself.
Declared = Mapping[str, Any]


class Registered:
    """The declarations that are registered with Synapse."""

    def __init__(self) -> None:
        self._modules: Sequence[Declared] = ()

    def are(self, modules: Sequence[Declared]) -> None:
        """These were registered."""
        self._modules = modules

    def why_not(self, modules: Sequence[Declared], modes: Mapping[str, Mode]) -> str | None:
        """Why these modules cannot run in these modes before Synapse is restarted; or None."""
        return needs_restart(self._modules, [needed(module, modes.get(module["name"], ENFORCE)) for module in modules])


def needed(module: Declared, mode: Mode) -> Declared:
    """What has to be registered for a module in a mode."""
    if mode == OFF:
        return {**module, "callbacks": {}, "web_resources": []}
    if mode == SHADOW:
        # Clients must not be offered the login types of a shadow module.
        callbacks = {name: entry for name, entry in module["callbacks"].items() if not CALLBACKS[name].listed}
        return {**module, "callbacks": callbacks}
    return module


def only_asked(module: Declared) -> Sequence[str]:
    """The callbacks of a module for which Synapse asks no other, so that it cannot be a shadow module."""
    return [name for name in module["callbacks"] if CALLBACKS[name].single]


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
