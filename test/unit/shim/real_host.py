"""Starts the real host, without a bridge."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from synapse_module_bridge.process.node import find_node
from synapse_module_bridge.process.spawn import RECORDS
from synapse_module_bridge.schema.catalogue import DIGEST
from synapse_module_bridge.schema.installed import HOST_FOLDER
from synapse_module_bridge.schema.protocol import PROTOCOL
from synapse_module_bridge.schema.startup_problems import StartupProblem
from synapse_module_bridge.supervision.host_events import HostEvents
from synapse_module_bridge.supervision.supervisor import Supervisor
from twisted.internet.task import Clock

SOUND = "export default { callbacks: {} };\n"


def start(folder: Path, text: str, seconds: float = 20, memory: str = "64") -> str:
    """The fault of a start with three modules, of which the second is given."""
    names = ("first", "second", "third")
    for name in names:
        (folder / f"{name}.mjs").write_text(text if name == "second" else SOUND)
    initialize: dict[str, Any] = {
        "protocol": PROTOCOL,
        "version": version("synapse-module-bridge"),
        "catalogue": DIGEST,
        "synapse": {},
        "modules": [{"path": str(folder / f"{name}.mjs")} for name in names],
    }
    command = [
        find_node(None),
        "--trace-sigint",
        f"--max-old-space-size={memory}",
        str(HOST_FOLDER / "cli.mjs"),
        "host",
        "--records",
        RECORDS,
    ]
    host = Supervisor(
        Clock(), Clock(), lambda: command, {}, lambda _: initialize, seconds, lambda *_: None, HostEvents()
    )
    with pytest.raises(StartupProblem) as raised:
        host.start()
    return str(raised.value)
