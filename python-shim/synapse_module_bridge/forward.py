"""Builds the functions that Synapse calls: one for each callback, with the callback's own name and signature."""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from synapse_module_bridge.catalogue import Callback

Forwarder = Callable[..., Awaitable[Any]]


def make_forwarder(callback: Callback, answer: Callable[[Callback, Sequence[Any]], Awaitable[Any]]) -> Forwarder:
    """`answer` gets the callback and Synapse's arguments."""

    async def forward(*args: Any) -> Any:
        return await answer(callback, args)

    forwarder: Any = forward
    forwarder.__name__ = callback.name
    # Synapse names its metrics after it.
    forwarder.__qualname__ = f"ModuleBridge.{callback.name}"
    forwarder.__doc__ = callback.summary
    # Synapse counts the parameters to tell old modules from new ones.
    forwarder.__signature__ = _signature(callback)
    built: Forwarder = forwarder
    return built


def _signature(callback: Callback) -> inspect.Signature:
    return inspect.Signature(
        [inspect.Parameter(param.name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for param in callback.params]
    )
