"""Builds the functions that are registered with Synapse: one for each callback, with its name and signature."""

import inspect
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from functools import partial
from typing import Any

from synapse_module_bridge.schema.catalogue import Callback

# Answers a call. Gets the callback, and Synapse's arguments in order.
Answer = Callable[[Callback, Sequence[Any]], Awaitable[Any]]
Forwarder = Callable[..., Any]


def make_forwarder(callback: Callback, answer: Answer) -> Forwarder:
    """The function for Synapse, which answers each call by `answer`."""

    def forward(*args: Any, **named: Any) -> LazyCall:
        return LazyCall(answer, callback, in_order(callback, args, named) if named else args)

    return as_callback(callback, forward)


class LazyCall(partial[Awaitable[Any]]):
    """An awaitable call, which begins when Synapse awaits it.

    It is neither a coroutine nor a Deferred. For those, Synapse's `delay_cancellation` (synapse/util/async_helpers.py)
    creates two more Deferreds, a tenth of the cost of many calls. It awaits other awaitables directly, so that a call
    is cancelled together with its request, instead of delaying the cancellation.
    """

    __slots__ = ()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self().__await__()


def in_order(callback: Callback, args: Sequence[Any], named: Mapping[str, Any]) -> Sequence[Any]:
    """All arguments in order. A newer Synapse may pass some by name; those that the catalogue lacks are dropped."""
    left = callback.param_names[len(args) :]
    last = max((index for index, name in enumerate(left, 1) if name in named), default=0)
    return [*args, *(named.get(name) for name in left[:last])]


def as_callback(callback: Callback, forward: Forwarder) -> Forwarder:
    """The function itself, with the callback's name and signature."""
    forward.__name__ = callback.name
    # Synapse's metrics have it as a label.
    forward.__qualname__ = f"ModuleBridge.{callback.name}"
    forward.__doc__ = callback.summary
    # Synapse counts the parameters to recognise modules that are written for older releases.
    described: Any = forward
    described.__signature__ = inspect.Signature(
        [inspect.Parameter(param.name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for param in callback.params]
    )
    return forward
