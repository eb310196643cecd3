"""Registers what the Synapse under test offers, and leaves out what an older one does not give."""

import inspect
from collections.abc import Callable
from typing import Any

from synapse.module_api import ModuleApi

Json = Any

# The default of a parameter that older releases do not give.
ABSENT: Any = object()


def register_offered(api: ModuleApi, category: str, **callbacks: Callable[..., Any]) -> None:
    """Registers the callbacks of a category, but for those that this Synapse lacks."""
    register = getattr(api, f"register_{category}_callbacks", None)
    if register is None:
        return
    offered = inspect.signature(register).parameters
    register(**{name: callback for name, callback in callbacks.items() if name in offered})


def given(params: Json) -> Json:
    """The parameters less those that this Synapse has not given."""
    return {name: value for name, value in params.items() if value is not ABSENT}
