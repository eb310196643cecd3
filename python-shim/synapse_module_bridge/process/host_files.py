"""Keeps the host's files in memory, so that a restart runs the same host as before, even after an upgrade on disk.

Where an upgrade has replaced or removed the installed files, the kept ones are written to a private folder.
"""

import atexit
import fcntl
import logging
import os
import shutil
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from synapse_module_bridge.schema.startup_problems import StartupProblem

logger = logging.getLogger("synapse_module_bridge.host_files")

PREFIX = "synapse-module-bridge-"
# The process that has written a folder holds a lock on this file in it while it lives.
LOCK = "lock"
# A younger folder may not be locked yet.
UNLOCKED_SECONDS = 60.0
# The host does not read these.
_NOT_KEPT = frozenset({"THIRD_PARTY_LICENSES.txt", "compiler-licenses.txt"})
# Modification time, change time, size and inode.
_Signs = tuple[int, int, int, int]
# By path below the folder.
Signs = Mapping[Path, _Signs]


class HostFiles:
    """Reads the files of the folder `installed`. Raises StartupProblem where it cannot."""

    def __init__(self, installed: Path) -> None:
        try:
            # What is kept of each file, by path below the folder, and the function that makes its content of that.
            self._kept: tuple[Mapping[Path, bytes], Callable[[bytes], bytes]] = (_read(installed), bytes)
        except OSError as e:
            raise StartupProblem(None, f"the host that is installed cannot be read: {e}") from None
        self._folder = installed
        self._signs = self._look(installed)

    def compress(self) -> None:
        """Compresses what is kept to a fourth of its size, in a thread: Synapse's start need not wait for that."""
        # Where there is no thread to be had, more memory is taken.
        with suppress(RuntimeError):
            threading.Thread(target=self._compress, name="host files", daemon=True).start()

    def _compress(self) -> None:
        contents, _ = self._kept
        self._kept = {name: zlib.compress(content, 1) for name, content in contents.items()}, zlib.decompress

    def are_as_seen(self, seen: Signs | None) -> bool:
        """Whether the kept files are those that `look_at` saw."""
        return seen is not None and seen == self._signs

    def folder(self) -> Path:
        """A folder with the files as they were at the start, which is written if need be.

        Raises StartupProblem where it cannot be written.
        """
        if not self.are_as_they_were():
            self._folder = self._written()
            logger.warning(
                "the host's files are not any more what Synapse was started with (an upgrade?): it runs what was kept "
                "of them, from %s, until Synapse is restarted",
                self._folder,
            )
            self._signs = self._look(self._folder)
        return self._folder

    def are_as_they_were(self) -> bool:
        """Whether the present folder still has the files as they were."""
        signs = self._look(self._folder)
        if signs is None or (signs != self._signs and not self._is_whole(self._folder)):
            return False
        self._signs = signs
        return True

    def _look(self, folder: Path) -> Signs | None:
        """For each file, what changes when somebody writes it; None where a file is missing."""
        try:
            return {name: _signs(os.stat(folder / name)) for name in self._kept[0]}
        except OSError:
            return None

    def _is_whole(self, folder: Path) -> bool:
        kept, unpack = self._kept
        try:
            return all((folder / name).read_bytes() == unpack(content) for name, content in kept.items())
        except OSError:
            return False

    def _written(self) -> Path:
        problems = []
        for place in candidates():
            try:
                return self._write(place)
            except OSError as e:
                problems.append(f"{place}: {e.strerror}")
        raise StartupProblem(
            None,
            "the host's files were replaced, and what was kept of them cannot be written anywhere "
            f"({'; '.join(problems)}): make room in one of them, or restart Synapse",
        )

    def _write(self, place: str) -> Path:
        kept, unpack = self._kept
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
        try:
            _lock(folder)
            for name, content in kept.items():
                path = folder / "host" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(unpack(content))
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return folder / "host"


def look_at(folder: Path) -> Signs | None:
    """For each file that would be kept, what changes when somebody writes it; None where the folder cannot be read."""
    try:
        return {name: _signs(os.stat(folder / name)) for name in _list(folder)}
    except OSError:
        return None


def _list(folder: Path) -> Sequence[Path]:
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in _NOT_KEPT]
    return [path.relative_to(folder) for path in paths]


def _read(folder: Path) -> Mapping[Path, bytes]:
    return {name: (folder / name).read_bytes() for name in _list(folder)}


def candidates() -> Iterator[str]:
    """Folders to write to, in order of preference."""
    with suppress(OSError):
        yield tempfile.gettempdir()
    yield "/dev/shm"
    with suppress(OSError):
        yield os.getcwd()


def remove_left_behind() -> None:
    """Removes the folders of processes that were killed before they could remove them."""
    for place in candidates():
        for folder in Path(place).glob(f"{PREFIX}*"):
            try:
                if _is_left_behind(folder):
                    shutil.rmtree(folder, ignore_errors=True)
            except OSError:
                # The folder is shared: anything may have such a name.
                logger.debug("could not look at %s", folder, exc_info=True)


def _is_left_behind(folder: Path) -> bool:
    stat = folder.lstat()
    if stat.st_uid != os.getuid() or time.time() - stat.st_mtime < UNLOCKED_SECONDS:
        return False
    # By a lock, not by a process id: another container may share the folder.
    with open(folder / LOCK, "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return True


_locks: list[int] = []


def _lock(folder: Path) -> None:
    lock = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    # The descriptor stays open, and locked, until this process ends in whatever way.
    _locks.append(lock)
    with suppress(OSError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _signs(stat: os.stat_result) -> _Signs:
    return stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino
