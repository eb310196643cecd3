"""Builds the functions that Synapse calls: one for each callback, with the callback's own name and signature."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from synapse.module_api import ModuleApi

from synapse_module_bridge.background import run_in_background_process
from synapse_module_bridge.calls import Calls
from synapse_module_bridge.catalogue import Callback

Forwarder = Callable[..., Awaitable[Any]]


def make_forwarder(callback: Callback, calls: Calls, api: ModuleApi) -> Forwarder:
    async def ask(*args: Any) -> Any:
        return await calls.ask(callback, args)

    async def notify(*args: Any) -> None:
        # Synapse would wait for it, and with it every client that syncs.
        run_in_background_process(api, "module_bridge_notification", lambda: calls.ask(callback, args))

    forwarder: Any = notify if callback.notify else ask
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
