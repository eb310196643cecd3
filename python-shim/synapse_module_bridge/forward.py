"""Builds the functions that Synapse calls: one for each callback, with the callback's own name and signature."""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from synapse_module_bridge.catalogue import Callback

Answer = Callable[[Callback, Sequence[Any]], Awaitable[Any]]
Forwarder = Callable[..., Any]


def make_forwarder(callback: Callback, answer: Answer) -> Forwarder:
    """`answer` gets the callback and Synapse's arguments."""

    async def forward(*args: Any) -> Any:
        return await answer(callback, args)

    return as_callback(callback, forward)


def as_callback(callback: Callback, forward: Forwarder) -> Forwarder:
    """The function, with the callback's own name and signature."""
    forward.__name__ = callback.name
    # Synapse names its metrics after it.
    forward.__qualname__ = f"ModuleBridge.{callback.name}"
    forward.__doc__ = callback.summary
    # Synapse counts the parameters to tell old modules from new ones.
    described: Any = forward
    described.__signature__ = inspect.Signature(
        [inspect.Parameter(param.name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for param in callback.params]
    )
    return forward
