"""Around the host's process: its files, its heartbeat, its Node, and what needs a restart."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from observed import observed
from supervised import Process
from synapse_module_bridge.process import host_files, node
from synapse_module_bridge.process.host_files import HostFiles, remove_left_behind
from synapse_module_bridge.process.node import check_version, find_node
from synapse_module_bridge.schema.startup_problems import StartupProblem
from synapse_module_bridge.supervision.reload import needs_restart
from synapse_module_bridge.supervision.watchdog import LOOK_SECONDS, LOOKS_TO_INTERRUPT, LOOKS_TO_KILL, Watchdog
from twisted.internet.task import Clock

# --- host_files


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    folder = tmp_path / "installed"
    (folder / "schemas").mkdir(parents=True)
    (folder / "cli.mjs").write_text("run")
    (folder / "schemas" / "api.json").write_text("{}")
    return folder


def test_the_installed_host_is_run_and_nothing_is_written_while_it_is_as_it_was(
    installed: Path, temporary: Path
) -> None:
    files = HostFiles(installed)
    assert files.folder() == installed
    # Installed once more, it is the same.
    (installed / "cli.mjs").write_text("run")
    assert files.folder() == installed
    assert list(temporary.iterdir()) == []


def replace(installed: Path) -> None:
    (installed / "cli.mjs").write_text("RUN")


def remove_one(installed: Path) -> None:
    (installed / "schemas" / "api.json").unlink()


def remove_all(installed: Path) -> None:
    shutil.rmtree(installed)


@pytest.mark.parametrize("upgrade", [replace, remove_one, remove_all])
def test_a_host_that_was_replaced_is_run_from_what_was_kept_of_it(
    installed: Path, temporary: Path, upgrade: Callable[[Path], None]
) -> None:
    files = HostFiles(installed)
    upgrade(installed)
    folder = files.folder()
    assert ((folder / "cli.mjs").read_text(), (folder / "schemas" / "api.json").read_text()) == ("run", "{}")
    assert os.stat(folder.parent).st_mode & 0o077 == 0
    assert files.folder() == folder
    # A cleaner of temporary folders may come at any time.
    remove_one(folder)
    assert (files.folder() / "schemas" / "api.json").read_text() == "{}"
    shutil.rmtree(temporary)
    temporary.mkdir()
    assert (files.folder() / "cli.mjs").read_text() == "run"


def test_a_temporary_folder_that_is_full_or_gone_is_not_needed(
    installed: Path, temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = HostFiles(installed)
    remove_all(installed)
    shutil.rmtree(temporary)
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.setattr(host_files, "candidates", lambda: iter([str(temporary), "/proc", str(other)]))
    assert files.folder().parent.parent == other
    monkeypatch.setattr(host_files, "candidates", lambda: iter([str(temporary), "/proc"]))
    shutil.rmtree(other)
    with pytest.raises(
        StartupProblem, match=rf"cannot be written anywhere \({temporary}: No such file or directory; /proc: "
    ):
        files.folder()


def test_there_is_more_than_one_place_to_write_to(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(host_files.candidates()) == [str(temporary), "/dev/shm", os.getcwd()]

    def nowhere() -> str:
        raise FileNotFoundError

    monkeypatch.setattr(tempfile, "gettempdir", nowhere)
    monkeypatch.setattr(os, "getcwd", nowhere)
    assert list(host_files.candidates()) == ["/dev/shm"]


WRITES = """
import sys, time
from pathlib import Path
from synapse_module_bridge.process.host_files import HostFiles
files = HostFiles(Path(sys.argv[1]))
Path(sys.argv[1], "cli.mjs").write_text("another")
print(files.folder().parent, flush=True)
time.sleep(60)
"""


def test_what_a_killed_process_has_written_is_removed_and_what_a_living_one_has_is_left(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_files, "UNLOCKED_SECONDS", -1.0)
    monkeypatch.setattr(host_files, "candidates", lambda: iter([str(temporary)]))
    processes, written = [], []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cli.mjs").write_text("run")
        command = [sys.executable, "-c", WRITES, str(tmp_path / name)]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(temporary)}
        )
        assert process.stdout is not None
        processes.append(process)
        written.append(Path(process.stdout.readline().strip()))
    others = [f"{host_files.PREFIX}{name}" for name in ("x", "1-a", f"{os.getpid()}-a")]
    for name in [*others, "other"]:
        (temporary / name).mkdir()
    (temporary / f"{host_files.PREFIX}link").symlink_to(temporary / "other")
    (temporary / f"{host_files.PREFIX}file").touch()
    processes[0].kill()
    processes[0].wait()
    try:
        remove_left_behind()
        assert [folder.exists() for folder in written] == [False, True]
        assert {*others, "other"} <= {path.name for path in temporary.iterdir()}
    finally:
        processes[1].kill()
        for process in processes:
            process.communicate()


# --- heartbeat


class Beaten(Process):
    def __init__(self) -> None:
        super().__init__()
        self.ends: list[str] = []
        self.interrupts: list[float] = []
        self.attach(None, None, self.ends.append)

    def interrupt(self, silent_seconds: float) -> None:
        self.interrupts.append(silent_seconds)


def test_a_host_that_gives_signs_of_life_lives_and_tells_of_itself() -> None:
    clock, process = Clock(), Beaten()
    pulses: list[Any] = []
    watchdog = Watchdog(clock, process, pulses.append)  # type: ignore[arg-type]
    for _ in range(20):
        clock.advance(LOOK_SECONDS)
        process.pulse()
    assert (process.ends, process.interrupts, len(pulses)) == ([], [], 20)
    watchdog.stop()
    assert clock.getDelayedCalls() == []


def test_a_silent_host_is_interrupted_once_and_then_killed_after_so_many_looks_and_not_before() -> None:
    clock, process = Clock(), Beaten()
    Watchdog(clock, process, lambda _: None)  # type: ignore[arg-type]
    clock.pump([LOOK_SECONDS] * (LOOKS_TO_INTERRUPT - 1))
    assert process.interrupts == []
    clock.pump([LOOK_SECONDS] * (LOOKS_TO_KILL - LOOKS_TO_INTERRUPT))
    assert (process.interrupts, process.ends) == ([3.0], [])
    clock.advance(LOOK_SECONDS)
    assert process.ends == ["it did not answer"]
    assert clock.getDelayedCalls() == []


def test_a_synapse_that_was_held_up_itself_does_not_blame_the_host() -> None:
    clock, process = Clock(), Beaten()
    Watchdog(clock, process, lambda _: None)  # type: ignore[arg-type]
    clock.advance(3_600)
    assert (process.ends, process.interrupts) == ([], [])
    for row in (40, 42):
        observed(row, "the host lives on", on="fake clock")


def test_one_sign_of_life_is_enough_to_live_on() -> None:
    clock, process = Clock(), Beaten()
    Watchdog(clock, process, lambda _: None)  # type: ignore[arg-type]
    for _ in range(5):
        clock.pump([LOOK_SECONDS] * (LOOKS_TO_INTERRUPT - 1))
        process.pulse()
    assert (process.ends, process.interrupts) == ([], [])
    observed(42, "the host lives on", on="fake clock")


def test_an_answer_is_a_sign_of_life_too_since_pulses_may_wait_behind_many() -> None:
    clock, process = Clock(), Beaten()
    Watchdog(clock, process, lambda _: None)  # type: ignore[arg-type]
    for _ in range(4 * LOOKS_TO_KILL):
        process.has_spoken = True
        clock.advance(LOOK_SECONDS)
    assert (process.ends, process.interrupts) == ([], [])


def test_a_host_that_is_dead_with_its_output_held_open_is_noticed() -> None:
    clock, process = Clock(), Beaten()
    killed: list[Any] = []
    Watchdog(clock, process, lambda _: None)  # type: ignore[arg-type]
    process.has_ended = True
    process.kill = lambda cause=None: killed.append(cause)  # type: ignore[method-assign]
    clock.advance(LOOK_SECONDS)
    assert killed == [None]


# --- reload


def declared(**modules: tuple[list[str], list[str]]) -> list[dict[str, Any]]:
    return [
        {"name": name, "callbacks": {callback: {} for callback in callbacks}, "web_resources": paths}
        for name, (callbacks, paths) in modules.items()
    ]


PRESENCE = ["get_users_for_states", "get_interested_users"]
OLD = declared(m=(["user_may_invite", *PRESENCE], ["/a"]), n=(["on_new_event"], []))


def test_only_a_restart_adds_what_is_registered_for_each_module() -> None:
    def logins(*checkers: tuple[str, list[str]]) -> Any:
        listed = [{"login_type": login_type, "fields": fields} for login_type, fields in checkers]
        return [{"name": "m", "callbacks": {"auth_checkers": {"checkers": listed}}, "web_resources": []}]

    old = logins(("m.login.password", ["password"]), ("org.example.token", ["a"]))
    assert needs_restart(old, logins(("org.example.token", ["a"]))) is None
    said = needs_restart(old, logins(("org.example.token", ["a", "b"])))
    assert said == "m has the new login type org.example.token by a and b: restart Synapse to add it"
    one = declared(m=(["check_3pid_auth"], []), n=([], []))
    other = needs_restart(one, declared(m=([], []), n=(["check_3pid_auth"], [])))
    assert other == "n has the new callback check_3pid_auth: restart Synapse to add it"


@pytest.mark.parametrize(
    ("new", "words"),
    [
        (OLD, None),
        (declared(m=([], []), n=([], [])), None),
        # Another module's callback is registered already.
        (declared(m=(["on_new_event"], []), n=([], [])), None),
        (declared(m=(["check_event_allowed"], ["/a"]), n=([], [])), "m has the new callback check_event_allowed"),
        # Each module that has it is registered by itself.
        (declared(m=([], []), n=(PRESENCE, [])), "n has the new callback get_users_for_states; n has the new callback"),
        (declared(m=([], ["/a", "/b"]), n=([], [])), "m has the new web resource /b"),
        # A path belongs to the module that had it.
        (declared(m=([], []), n=([], ["/a"])), "n has the new web resource /a"),
    ],
)
def test_only_a_restart_adds_callbacks_and_web_resources(new: Any, words: str | None) -> None:
    said = needs_restart(OLD, new)
    assert said is None if words is None else said is not None and words in said and "restart Synapse" in said


# --- node


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
