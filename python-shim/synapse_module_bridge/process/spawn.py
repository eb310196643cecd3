"""Starts a process with its pipes and its lifeline. Where any part fails, nothing of it is left."""

import os
import subprocess
from collections.abc import Mapping, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from synapse_module_bridge.process.core_dumps import no_core_dump
from synapse_module_bridge.process.end_with_parent import Lifeline
from synapse_module_bridge.process.reaping import KILLED_SECONDS, kill_all

# Placeholder in a command: the descriptor to which the process writes its records.
RECORDS = "{records}"


@dataclass(frozen=True)
class Spawned:
    """A process that was started."""

    popen: "subprocess.Popen[bytes]"
    lifeline: Lifeline
    # This process's ends, non-blocking, by name: stdin, stdout, stderr, records.
    pipes: dict[str, int]


def spawn(command: Sequence[str], env: Mapping[str, str]) -> Spawned:
    """Starts the process, with `env` as its whole environment. Raises OSError."""
    lifeline = Lifeline()
    pipes: dict[str, int] = {}
    try:
        popen = _start(command, env, lifeline, pipes)
        lifeline.tie(popen.pid)
        try:
            # Copies, since Twisted closes the descriptors that it gets.
            for name in ("stdin", "stdout", "stderr"):
                pipe = getattr(popen, name)
                pipes[name] = os.dup(pipe.fileno())
                os.set_blocking(pipes[name], False)
                pipe.close()
        except BaseException:
            # This process has no descriptors left: without pipes, Node is of no use.
            kill_all(popen)
            killed(popen)
            for pipe in (popen.stdin, popen.stdout, popen.stderr):
                pipe.close()  # type: ignore[union-attr] # there is one
            raise
    except BaseException:
        lifeline.cut()
        close_all(pipes)
        raise
    return Spawned(popen, lifeline, pipes)


def end(spawned: Spawned) -> None:
    """Kills a process that nothing reads from yet, and closes its pipes. Blocks until it has ended."""
    kill_all(spawned.popen)
    killed(spawned.popen)
    spawned.lifeline.cut()
    close_all(spawned.pipes)


def _start(
    command: Sequence[str], env: Mapping[str, str], lifeline: Lifeline, pipes: MutableMapping[str, int]
) -> "subprocess.Popen[bytes]":
    pipes["records"], theirs = os.pipe()
    try:
        for fd in (pipes["records"], theirs):
            # Also for Node, which must never wait until its log is read.
            os.set_blocking(fd, False)
        with no_core_dump():
            # subprocess uses vfork; Twisted's spawnProcess forks, which is slow in a large process.
            return subprocess.Popen(
                [str(theirs) if part == RECORDS else part for part in command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(env),
                bufsize=0,
                pass_fds=[lifeline.their_end, theirs],
                # A group of its own, to be killed as one. Also, Ctrl-C in a terminal is for Synapse, which ends Node.
                start_new_session=True,
            )
    finally:
        os.close(theirs)


def killed(popen: "subprocess.Popen[bytes]") -> int | None:
    """Blocks until a process that was killed has ended, and returns its exit code; None after KILLED_SECONDS."""
    with suppress(subprocess.TimeoutExpired):
        return popen.wait(timeout=KILLED_SECONDS)
    return None


def close_all(pipes: MutableMapping[str, int]) -> None:
    """Closes all descriptors, and empties the mapping."""
    while pipes:
        os.close(pipes.popitem()[1])
