"""Runs work in the background, in a log context of its own. Hides where each Synapse release keeps its function."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from synapse import module_api

if TYPE_CHECKING:
    from typing_extensions import LiteralString

# Runs something in the background.
Run = Callable[[Callable[[], Awaitable[None]]], object]


def run_in_background_process(
    api: module_api.ModuleApi, desc: "LiteralString", func: Callable[[], Awaitable[None]]
) -> Any:
    """Starts `func` and does not wait for it. Synapse logs its exceptions, and uses `desc` as a label of metrics.

    Relies on `synapse.module_api.ModuleApi.run_as_background_process`.
    """
    if hasattr(api, "run_as_background_process"):
        return api.run_as_background_process(desc, func)
    # Older releases have a function in place of the method.
    return module_api.run_as_background_process(desc, func)
