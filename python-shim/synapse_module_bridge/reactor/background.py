"""Runs work that no request waits for, in a log context of its own."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from synapse import module_api

if TYPE_CHECKING:
    from typing_extensions import LiteralString


def run_in_background_process(
    api: module_api.ModuleApi, desc: "LiteralString", func: Callable[[], Awaitable[None]]
) -> Any:
    """`desc` becomes a metric's label. Exceptions are logged."""
    if hasattr(api, "run_as_background_process"):
        return api.run_as_background_process(desc, func)
    # An older Synapse has it as a function.
    return module_api.run_as_background_process(desc, func)
