"""What the running Synapse offers to modules: which callbacks it knows, and how they are registered."""

import inspect
from collections.abc import Mapping
from typing import Any

from synapse.module_api import ModuleApi

from synapse_module_bridge.catalogue import CALLBACKS


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


def register(api: ModuleApi, forwarders: Mapping[str, Any]) -> None:
    """Registers each forwarder (a function, or a dict of checkers) for the callback of its name."""
    by_category: dict[str, dict[str, Any]] = {}
    for name, forwarder in forwarders.items():
        by_category.setdefault(CALLBACKS[name].category, {})[name] = forwarder
    for category, named in by_category.items():
        getattr(api, register_method(category))(**named)
