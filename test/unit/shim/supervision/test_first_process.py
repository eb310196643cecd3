"""The Node that is started before the rest of the shim is imported."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from synapse_module_bridge.configuration.config import BridgeConfig, parse
from synapse_module_bridge.process.spawn import end
from synapse_module_bridge.schema.startup_problems import StartupProblem
from synapse_module_bridge.supervision import first_process
from synapse_module_bridge.supervision.first_process import FirstProcess
from synapse_module_bridge.supervision.launch import environment, host_command


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "installed"
    folder.mkdir()
    (folder / "cli.mjs").write_text("run")
    monkeypatch.setattr(first_process, "HOST_FOLDER", folder)
    return folder


def configured(folder: Path, version: str = "v24.0.0", **config: Any) -> BridgeConfig:
    """With a Node that runs until it is killed."""
    node = folder / "node"
    node.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo {version} && exit\nexec sleep 60\n')
    node.chmod(0o700)
    return parse({"modules": [{"path": "m.ts"}], "node": str(node), **config})


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_the_process_that_was_started_early_is_given_once(installed: Path, tmp_path: Path) -> None:
    config = configured(tmp_path)
    before = descriptors()
    first = FirstProcess(config)
    assert first.check().folder() == installed
    command, env = host_command(first.node, installed, config), environment(config)
    early = first.start(command, env)
    assert is_running(early.popen.pid)
    another = first.start(command, env)
    assert another.popen.pid != early.popen.pid
    # What was given is not its own any more.
    first.abandon()
    assert is_running(early.popen.pid)
    for spawned in (early, another):
        end(spawned)
        assert not is_running(spawned.popen.pid)
    assert descriptors() == before


def replace(installed: Path) -> None:
    (installed / "cli.mjs").write_text("RUN!")


def add(installed: Path) -> None:
    (installed / "more.mjs").write_text("")


@pytest.mark.parametrize("upgrade", [replace, add])
def test_a_process_that_may_run_other_files_than_are_kept_is_not_used(
    installed: Path, tmp_path: Path, upgrade: Any
) -> None:
    config = configured(tmp_path)
    first = FirstProcess(config)
    early = first._spawned
    assert early is not None
    upgrade(installed)
    files = first.check()
    assert not is_running(early.popen.pid)
    spawned = first.start(host_command(first.node, files.folder(), config), {})
    assert spawned is not early
    end(spawned)


def test_a_process_of_a_host_that_was_replaced_later_is_not_used(installed: Path, tmp_path: Path) -> None:
    config = configured(tmp_path)
    first = FirstProcess(config)
    files, early = first.check(), first._spawned
    assert early is not None
    replace(installed)
    folder = files.folder()
    assert folder != installed
    spawned = first.start(host_command(first.node, folder, config), {})
    assert not is_running(early.popen.pid)
    end(spawned)
    shutil.rmtree(folder.parent)


def test_a_node_that_is_too_old_is_told_and_nothing_is_left(installed: Path, tmp_path: Path) -> None:
    before = descriptors()
    first = FirstProcess(configured(tmp_path, "v18.0.0"))
    early = first._spawned
    assert early is not None
    with pytest.raises(StartupProblem, match="is v18"):
        first.check()
    first.abandon()
    assert not is_running(early.popen.pid)
    assert descriptors() == before


def test_what_was_not_asked_for_yet_is_abandoned_too(installed: Path, tmp_path: Path) -> None:
    before = descriptors()
    first = FirstProcess(configured(tmp_path))
    version, early = first._version, first._spawned
    assert version is not None
    assert early is not None
    first.abandon()
    assert not is_running(version._popen.pid)
    assert not is_running(early.popen.pid)
    assert descriptors() == before


def test_what_keeps_it_from_being_started_is_told_by_the_next_attempt(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise BlockingIOError

    with monkeypatch.context() as patched:
        patched.setattr(first_process, "spawn", fail)
        first = FirstProcess(configured(tmp_path))
        first.check()
        with pytest.raises(BlockingIOError):
            first.start([first.node], {})


def test_little_is_imported_before_node_is_started() -> None:
    program = "import sys, synapse_module_bridge.module_bridge; print(*sys.modules)"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True).stdout
    folders = {name.split(".")[1] for name in printed.split() if name.startswith("synapse_module_bridge.")}
    assert folders == {"module_bridge", "routing", "supervision", "process", "configuration", "schema"}
