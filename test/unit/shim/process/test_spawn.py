"""What Node, and what its modules start, inherit of Synapse's process: with the real host."""

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from real_host import problem
from synapse_module_bridge.process.core_dumps import no_core_dump


def told(folder: Path, command: str) -> str:
    """What a module's own process prints."""
    (folder / "m.mjs").write_text(
        'import { execSync } from "node:child_process";\n'
        f'throw new Error("<<" + execSync({command!r}, {{ encoding: "utf8" }}) + ">>");\n'
    )
    said = problem([folder / "m.mjs"], 30, PATH=os.environ["PATH"])
    return said.partition("<<")[2].partition(">>")[0].strip()


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
