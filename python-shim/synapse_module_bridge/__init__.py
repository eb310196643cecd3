"""Runs Matrix Synapse modules that are written in TypeScript. Synapse itself loads only Python."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synapse_module_bridge.module_bridge import ModuleBridge

__all__ = ["ModuleBridge"]


def __getattr__(name: str) -> Any:
    # Imported on demand: most subcommands need nothing of Synapse, whose import takes a second.
    if name != "ModuleBridge":
        raise AttributeError(f"module {__name__} has no attribute {name}")
    from synapse_module_bridge.module_bridge import ModuleBridge

    return ModuleBridge
