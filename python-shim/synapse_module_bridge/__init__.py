"""Run Matrix Synapse modules that are written in TypeScript."""

from synapse_module_bridge.bridge import ModuleBridge

__all__ = ["ModuleBridge"]
