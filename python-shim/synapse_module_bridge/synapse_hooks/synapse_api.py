"""Finds out which callbacks this release of Synapse has, and registers them by ModuleApi's `register_*_callbacks`."""

import inspect
import sys
from collections.abc import Mapping, Sequence
from operator import ge
from typing import Any

from synapse.module_api import ModuleApi

from synapse_module_bridge.schema.catalogue import CALLBACKS


def register_method(category: str) -> str:
    """The name of the ModuleApi's method that registers callbacks of a category."""
    return f"register_{category}_callbacks"


def available_callbacks(api: type[ModuleApi] | ModuleApi) -> Mapping[str, frozenset[str]]:
    """By category, the callbacks that this Synapse accepts: the parameters of the methods that register them."""
    available = {}
    for category in {callback.category for callback in CALLBACKS.values()}:
        method = getattr(api, register_method(category), None)
        if method is not None:
            available[category] = frozenset(inspect.signature(method).parameters) - {"self"}
    return available


def delegates_authentication(api: ModuleApi) -> bool:
    """Whether another service logs users in. Then Synapse raises where a password auth provider is registered.

    Relies on ModuleApi's private `_auth_delegation_enabled`, which older releases lack.
    """
    return bool(getattr(api, "_auth_delegation_enabled", False))


def register(api: ModuleApi, forwarders: Mapping[str, Any]) -> list[str]:
    """Registers the forwarders by callback: functions, or dicts of functions by login.

    Returns the names of those that Synapse has forgotten, since some releases accept a function and do not keep it. The
    place where a release keeps functions differs, so reference counts are compared.
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
        # Synapse may keep the dict itself, or the functions in it.
        if whole >= after[name][0] and (not parts or any(map(ge, parts, after[name][1:])))
    ]


def _hand_over(api: ModuleApi, forwarders: Mapping[str, Any]) -> None:
    by_category: dict[str, dict[str, Any]] = {}
    for name, forwarder in forwarders.items():
        by_category.setdefault(CALLBACKS[name].category, {})[name] = forwarder
    for category, named in by_category.items():
        getattr(api, register_method(category))(**named)


def _references(functions: Mapping[str, Sequence[Any]]) -> Mapping[str, Sequence[int]]:
    """The reference counts. This function itself leaves no reference behind."""
    return {name: list(map(sys.getrefcount, listed)) for name, listed in functions.items()}
