"""What Node, and what its modules start, inherit of Synapse's process: with the real host."""

import os
import resource
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from synapse_module_bridge.process.core_dumps import no_core_dump
from synapse_module_bridge.process.node import find_node
from synapse_module_bridge.process.spawn import RECORDS
from synapse_module_bridge.schema.catalogue import DIGEST
from synapse_module_bridge.schema.installed import HOST_FOLDER
from synapse_module_bridge.schema.protocol import PROTOCOL
from synapse_module_bridge.schema.startup_problems import StartupProblem
from synapse_module_bridge.supervision.host_events import HostEvents
from synapse_module_bridge.supervision.supervisor import Supervisor
from twisted.internet.task import Clock


def told(folder: Path, command: str) -> str:
    """What a module's own process prints."""
    (folder / "m.mjs").write_text(
        'import { execSync } from "node:child_process";\n'
        f'throw new Error("<<" + execSync({command!r}, {{ encoding: "utf8" }}) + ">>");\n'
    )
    initialize: dict[str, Any] = {
        "protocol": PROTOCOL,
        "version": version("synapse-module-bridge"),
        "catalogue": DIGEST,
        "synapse": {},
        "modules": [{"path": str(folder / "m.mjs")}],
    }
    run = [find_node(None), str(HOST_FOLDER / "cli.mjs"), "host", "--records", RECORDS]
    host = Supervisor(
        Clock(),
        Clock(),
        lambda: run,
        {"PATH": os.environ["PATH"]},
        lambda _: initialize,
        30,
        lambda *_: None,
        HostEvents(),
    )
    with pytest.raises(StartupProblem) as raised:
        host.start()
    return str(raised.value).partition("<<")[2].partition(">>")[0].strip()


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """So that the next have numbers of which Node takes no care."""
    opened = [os.open("/dev/null", os.O_RDONLY) for _ in range(50)]
    yield
    for fd in opened:
        os.close(fd)


@pytest.mark.usefixtures("many_descriptors")
def test_a_process_of_a_module_cannot_write_records(tmp_path: Path) -> None:
    # What ls writes to is one, and grep's.
    assert told(tmp_path, "ls -l /proc/self/fd | grep -c '^l-wx.*pipe'") == "1"


def test_node_leaves_no_core_dump(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    try:
        assert int(told(tmp_path, "ulimit -Sc; true")) <= 1
        assert resource.getrlimit(resource.RLIMIT_CORE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))


def test_the_limit_of_core_dumps_is_as_it_was_though_the_start_fails() -> None:
    before = resource.getrlimit(resource.RLIMIT_CORE)
    with pytest.raises(OSError, match="no"), no_core_dump():
        raise OSError("no")
    assert resource.getrlimit(resource.RLIMIT_CORE) == before
