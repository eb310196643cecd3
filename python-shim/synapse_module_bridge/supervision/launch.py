"""Says how a host is launched: its command line, its environment, and what `initialize` tells it about Synapse."""

import os
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import attr

from synapse_module_bridge.configuration.config import BridgeConfig
from synapse_module_bridge.process.spawn import RECORDS
from synapse_module_bridge.schema.catalogue import DIGEST
from synapse_module_bridge.schema.protocol import PROTOCOL

# Read when Synapse reads its configuration, as this file is: an upgrade may come before the rest of the shim is
# imported, and before the host is started, which then says that they do not fit.
SHIM_VERSION = version("synapse-module-bridge")


def host_command(node: str, folder: Path, config: BridgeConfig) -> list[str]:
    """The command that starts a host with its files in `folder`."""
    heap = [] if config.memory_mb is None else [f"--max-old-space-size={config.memory_mb}"]
    # The first names a module that blocks the event loop (stall_trace.py). The second gives V8's compiler and garbage
    # collector one thread instead of four, which could keep Synapse from the processors of a small machine.
    options = ["--trace-sigint", "--v8-pool-size=1", *heap]
    return [node, *options, str(folder / "cli.mjs"), "host", "--records", RECORDS]


def environment(config: BridgeConfig) -> Mapping[str, str]:
    """The variables of Synapse's environment that the admin lists under `env`."""
    return {name: os.environ[name] for name in config.env if name in os.environ}


def initialize_params(config: BridgeConfig, *, examined: bool = False, **synapse: Any) -> dict[str, Any]:
    """The part of `initialize` that stays the same until Synapse stops, even where packages are upgraded on disk.

    `examined`: for `check`, which records nothing.
    """
    params: dict[str, Any] = {
        "protocol": PROTOCOL,
        "version": SHIM_VERSION,
        "catalogue": DIGEST,
        "synapse": {"version": version("matrix-synapse"), **synapse},
        "start_timeout_ms": config.start_timeout_ms,
        **({"debug": True} if config.debug else {}),
    }
    if config.record is not None:
        params["record"] = {**attr.asdict(config.record), **({"examined": True} if examined else {})}
    return params
