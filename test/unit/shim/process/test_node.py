"""Which Node runs the host, and what is said of one that cannot."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from observed import observed
from synapse_module_bridge.process import node
from synapse_module_bridge.process.node import check_version, find_node
from synapse_module_bridge.schema.startup_problems import StartupProblem


def program(folder: Path, script: str) -> str:
    path = folder / "node"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return str(path)


@pytest.mark.parametrize("version", ["v20.19.0", "v22.0.0", "v100.1.2-nightly"])
def test_a_node_that_is_new_enough_is_taken(tmp_path: Path, version: str) -> None:
    check_version(program(tmp_path, f"echo {version}"))


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo v18.20.1", "is v18.20.1; Node >= 20.19 is needed"),
        ("echo v20.18.9", "is v20.18.9"),
        ("echo Python 3.11", "did not answer as Node does"),
        ("exit 127", "exit code 127"),
        ("printf '\\377'", "did not answer as Node does"),
        ("exec sleep 60", "cannot run"),
        ("exec yes", "prints far more than Node does: 'y"),
        ("exec yes >&2", "prints far more than Node does: 'y"),
    ],
)
def test_what_is_no_node_or_too_old_is_a_fault_that_says_so(
    tmp_path: Path, script: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "VERSION_TIMEOUT_SECONDS", 1)
    with pytest.raises(StartupProblem, match=r"config\.node: ") as raised:
        check_version(program(tmp_path, script))
    assert words in str(raised.value)
    observed(2 if "20" in script or "18" in script else 1, str(raised.value), on="the start")


def ends(pid: int) -> bool:
    """Whether the process ends soon. Nobody may have waited for its end."""
    for _ in range(200):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.01)
    return False


def test_nothing_is_left_of_what_is_no_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "VERSION_TIMEOUT_SECONDS", 1)
    descriptors = len(os.listdir("/proc/self/fd"))
    with pytest.raises(StartupProblem, match="cannot run"):
        # It keeps the output open.
        check_version(program(tmp_path, f"sleep 60 & echo $! > {tmp_path / 'pid'}; echo v24.0.0"))
    assert ends(int((tmp_path / "pid").read_text()))
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_nothing_is_left_where_synapse_is_killed_before_node_has_told_its_version(tmp_path: Path) -> None:
    path = program(tmp_path, f"echo $$ > {tmp_path / 'new'}; mv {tmp_path / 'new'} {tmp_path / 'pid'}; exec sleep 60")
    code = "import sys; from synapse_module_bridge.process.node import check_version; check_version(sys.argv[1])"
    synapse = subprocess.Popen([sys.executable, "-c", code, path])
    until = time.monotonic() + 30
    while not (tmp_path / "pid").exists():
        assert time.monotonic() < until
        time.sleep(0.01)
    synapse.send_signal(signal.SIGKILL)
    synapse.wait()
    assert ends(int((tmp_path / "pid").read_text()))


def test_a_node_that_is_missing_or_cannot_be_executed_is_a_fault_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(StartupProblem, match="cannot run /nonexistent/node: No such file"):
        check_version("/nonexistent/node")
    with pytest.raises(StartupProblem, match=r"cannot run a.b: embedded null byte; set `node:`"):
        check_version("a\0b")
    path = program(tmp_path, "echo v24.0.0")
    os.chmod(path, 0o600)
    with pytest.raises(StartupProblem, match="Permission denied"):
        check_version(path)
    observed(1, "a fault with the path that was tried", on="the start")


def test_the_configured_node_comes_first_then_the_one_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = program(tmp_path, "echo v24.0.0")
    assert find_node("/configured") == "/configured"
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_node(None) == path
    monkeypatch.setenv("PATH", "")
    with pytest.raises(StartupProblem, match="no Node found: run `pip install"):
        find_node(None)
