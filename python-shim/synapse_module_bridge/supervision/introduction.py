"""How a host is started, and what it is told of Synapse: the same at each start, and for a check."""

import os
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from synapse_module_bridge.configuration.config import BridgeConfig
from synapse_module_bridge.process.spawn import RECORDS
from synapse_module_bridge.schema.catalogue import DIGEST
from synapse_module_bridge.schema.protocol import PROTOCOL


def host_command(node: str, folder: Path, config: BridgeConfig) -> list[str]:
    """`folder` is where the host's files lie."""
    heap = [] if config.memory_mb is None else [f"--max-old-space-size={config.memory_mb}"]
    # A module that blocks the event loop can then be named: see stall_trace.py. And V8 compiles and collects in one
    # thread of its own instead of four, which on a small machine would keep Synapse waiting for a processor.
    options = ["--trace-sigint", "--v8-pool-size=1", *heap]
    return [node, *options, str(folder / "cli.mjs"), "host", "--records", RECORDS]


def environment(config: BridgeConfig) -> Mapping[str, str]:
    """Of Synapse's own, what the admin passes on."""
    return {name: os.environ[name] for name in config.env if name in os.environ}


def introduction(config: BridgeConfig, **synapse: Any) -> dict[str, Any]:
    """What does not change: an upgrade on disk is none of a Synapse that runs."""
    return {
        "protocol": PROTOCOL,
        "version": version("synapse-module-bridge"),
        "catalogue": DIGEST,
        "synapse": {"version": version("matrix-synapse"), **synapse},
        "start_timeout_ms": config.start_timeout_ms,
    }
