"""Builds the functions that Synapse calls: one for each callback, with the callback's own name and signature."""

import inspect
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from typing import Any

from synapse_module_bridge.schema.catalogue import Callback

Answer = Callable[[Callback, Sequence[Any]], Awaitable[Any]]
Forwarder = Callable[..., Any]


def make_forwarder(callback: Callback, answer: Answer) -> Forwarder:
    """`answer` gets the callback and Synapse's arguments."""

    def forward(*args: Any, **named: Any) -> LazyCall:
        return LazyCall(answer, callback, in_order(callback, args, named) if named else args)

    return as_callback(callback, forward)


class LazyCall:
    """One call, which begins when Synapse awaits it.

    Neither a coroutine nor a Deferred: of those, Synapse's delay_cancellation (synapse/util/async_helpers.py) makes two
    more Deferreds each time, a tenth of what many calls cost. What is neither it awaits as it is. So a request that
    Synapse cancels does not wait for the answer: the call is cancelled with it.
    """

    __slots__ = ("_answer", "_args", "_callback")

    def __init__(self, answer: Answer, callback: Callback, args: Sequence[Any]) -> None:
        self._answer, self._callback, self._args = answer, callback, args

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._answer(self._callback, self._args).__await__()


def in_order(callback: Callback, args: Sequence[Any], named: Mapping[str, Any]) -> Sequence[Any]:
    """The arguments by their places; a newer Synapse may give some by name, and others that nobody here knows."""
    left = callback.param_names[len(args) :]
    last = max((index for index, name in enumerate(left, 1) if name in named), default=0)
    return [*args, *(named.get(name) for name in left[:last])]


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
