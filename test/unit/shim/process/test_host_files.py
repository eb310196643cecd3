"""The host's files: run as installed, or from what was kept of them."""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from synapse_module_bridge.process import host_files
from synapse_module_bridge.process.host_files import HostFiles, remove_left_behind
from synapse_module_bridge.schema.startup_problems import StartupProblem


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


def size_of_kept(files: HostFiles) -> int:
    return sum(map(len, files._kept[0].values()))


def replace(installed: Path) -> None:
    (installed / "cli.mjs").write_text("RUN")


def remove_one(installed: Path) -> None:
    (installed / "schemas" / "api.json").unlink()


def remove_all(installed: Path) -> None:
    shutil.rmtree(installed)


@pytest.mark.parametrize("upgrade", [replace, remove_one, remove_all])
@pytest.mark.parametrize("is_compressed", [False, True])
def test_a_host_that_was_replaced_is_run_from_what_was_kept_of_it(
    installed: Path, temporary: Path, is_compressed: bool, upgrade: Callable[[Path], None]
) -> None:
    (installed / "long.mjs").write_text("long" * 1000)
    files = HostFiles(installed)
    if is_compressed:
        files.compress()
        for thread in threading.enumerate():
            if thread.name == "host files":
                thread.join(10)
        assert size_of_kept(files) < 1000
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


def test_what_is_kept_stays_as_it_is_where_no_thread_can_be_started(
    installed: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    files = HostFiles(installed)
    monkeypatch.setattr(threading.Thread, "start", fail)
    files.compress()
    remove_all(installed)
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


# As in another container: its process ids mean nothing here.
OWN_PROCESS_IDS = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]


def can_have_own_process_ids() -> bool:
    return (
        shutil.which("unshare") is not None and subprocess.run([*OWN_PROCESS_IDS, "true"], check=False).returncode == 0
    )


@pytest.mark.parametrize("apart", [[], OWN_PROCESS_IDS], ids=["here", "in another container"])
def test_what_a_killed_process_has_written_is_removed_and_what_a_living_one_has_is_left(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch, apart: list[str]
) -> None:
    if apart and not can_have_own_process_ids():
        pytest.skip("this machine allows no namespaces of process ids")
    monkeypatch.setattr(host_files, "UNLOCKED_SECONDS", -1.0)
    monkeypatch.setattr(host_files, "candidates", lambda: iter([str(temporary)]))
    processes, written = [], []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cli.mjs").write_text("run")
        command = [*apart, sys.executable, "-c", WRITES, str(tmp_path / name)]
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
    # The end of its output is its own end, and not only that of `unshare`.
    assert processes[0].stdout is not None and processes[0].stdout.read() == ""
    try:
        remove_left_behind()
        assert [folder.exists() for folder in written] == [False, True]
        assert {*others, "other"} <= {path.name for path in temporary.iterdir()}
    finally:
        processes[1].kill()
        for process in processes:
            process.communicate()
