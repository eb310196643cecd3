"""Which Node runs the host, and what is said of one that cannot."""

import os
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


def test_a_node_that_is_missing_or_cannot_be_executed_is_a_fault_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(StartupProblem, match="cannot run /nonexistent/node: No such file"):
        check_version("/nonexistent/node")
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
