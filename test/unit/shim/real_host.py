"""Starts the real host, without a bridge, with modules that keep it from starting."""

from collections.abc import Sequence
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


def problem_with(text: str, folder: Path, seconds: float = 20, memory: str = "64") -> str:
    """What is said of a start with three modules, of which the second is given."""
    names = ("first", "second", "third")
    for name in names:
        (folder / f"{name}.mjs").write_text(text if name == "second" else SOUND)
    flags = ("--trace-sigint", f"--max-old-space-size={memory}")
    return problem([folder / f"{name}.mjs" for name in names], seconds, flags)


def problem(modules: Sequence[Path], seconds: float, flags: Sequence[str] = (), **env: str) -> str:
    """What is said of a start with these modules."""
    initialize: dict[str, Any] = {
        "protocol": PROTOCOL,
        "version": version("synapse-module-bridge"),
        "catalogue": DIGEST,
        "synapse": {},
        "modules": [{"path": str(path)} for path in modules],
    }
    command = [find_node(None), *flags, str(HOST_FOLDER / "cli.mjs"), "host", "--records", RECORDS]
    host = Supervisor(
        Clock(), Clock(), lambda: command, env, lambda _: initialize, seconds, lambda *_: None, HostEvents()
    )
    with pytest.raises(StartupProblem) as raised:
        host.start()
    return str(raised.value)
