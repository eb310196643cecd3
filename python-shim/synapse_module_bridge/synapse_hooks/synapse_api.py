"""What the running Synapse offers to modules: which callbacks it knows, and how they are registered."""

import inspect
import sys
from collections.abc import Mapping, Sequence
from operator import ge
from typing import Any

from synapse.module_api import ModuleApi

from synapse_module_bridge.schema.catalogue import CALLBACKS


def register_method(category: str) -> str:
    return f"register_{category}_callbacks"


def available_callbacks(api: type[ModuleApi] | ModuleApi) -> Mapping[str, frozenset[str]]:
    """For each category, the callbacks that this Synapse takes."""
    available = {}
    for category in {callback.category for callback in CALLBACKS.values()}:
        method = getattr(api, register_method(category), None)
        if method is not None:
            available[category] = frozenset(inspect.signature(method).parameters) - {"self"}
    return available


def delegates_authentication(api: ModuleApi) -> bool:
    """Whether another service logs users in: Synapse then takes no password auth provider."""
    return bool(getattr(api, "_auth_delegation_enabled", False))


def register(api: ModuleApi, forwarders: Mapping[str, Any]) -> list[str]:
    """Registers each forwarder (a function, or a dict of checkers) for the callback of its name.

    Gives the names of those that Synapse has not kept: some of its releases take a function and forget it. Where each
    release keeps them differs, so it is only looked whether anything refers to them that did not before.
    """
    functions = {
        name: [forwarder, *forwarder.values()] if isinstance(forwarder, dict) else [forwarder]
        for name, forwarder in forwarders.items()
    }
    before = _references(functions)
    _hand_over(api, forwarders)
    after = _references(functions)
    return [
        name
        for name, (whole, *parts) in before.items()
        # Who keeps the dict of checkers keeps the checkers.
        if whole >= after[name][0] and (not parts or any(map(ge, parts, after[name][1:])))
    ]


def _hand_over(api: ModuleApi, forwarders: Mapping[str, Any]) -> None:
    by_category: dict[str, dict[str, Any]] = {}
    for name, forwarder in forwarders.items():
        by_category.setdefault(CALLBACKS[name].category, {})[name] = forwarder
    for category, named in by_category.items():
        getattr(api, register_method(category))(**named)


def _references(functions: Mapping[str, Sequence[Any]]) -> Mapping[str, Sequence[int]]:
    """How many refer to each. Nothing here does once this has returned."""
    return {name: list(map(sys.getrefcount, listed)) for name, listed in functions.items()}
