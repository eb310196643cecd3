"""Starts a process with its four pipes, and the one that ends it with us: all of it is there, or nothing is left."""

import os
import subprocess
from collections.abc import Mapping, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from synapse_module_bridge.process.core_dumps import no_core_dump
from synapse_module_bridge.process.end_with_parent import Lifeline
from synapse_module_bridge.process.reaping import KILLED_SECONDS, kill_all

# Stands in a command for the number of the descriptor to which the process writes its records.
RECORDS = "{records}"


@dataclass(frozen=True)
class Spawned:
    popen: "subprocess.Popen[bytes]"
    lifeline: Lifeline
    # Our ends, by name: stdin, stdout, stderr, records. None of them blocks.
    pipes: dict[str, int]


def spawn(command: Sequence[str], env: Mapping[str, str]) -> Spawned:
    """Raises OSError."""
    lifeline = Lifeline()
    pipes: dict[str, int] = {}
    try:
        popen = _start(command, env, lifeline, pipes)
        lifeline.tie(popen.pid)
        try:
            # Twisted closes what it is given: it gets descriptors of its own.
            for name in ("stdin", "stdout", "stderr"):
                pipe = getattr(popen, name)
                pipes[name] = os.dup(pipe.fileno())
                os.set_blocking(pipes[name], False)
                pipe.close()
        except BaseException:
            # No descriptor is left to be had: the process must not be left either.
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


def _start(
    command: Sequence[str], env: Mapping[str, str], lifeline: Lifeline, pipes: MutableMapping[str, int]
) -> "subprocess.Popen[bytes]":
    pipes["records"], theirs = os.pipe()
    try:
        for fd in (pipes["records"], theirs):
            # Node never waits for us to read.
            os.set_blocking(fd, False)
        with no_core_dump():
            # subprocess uses vfork; Twisted's spawnProcess would fork all of a big Synapse.
            return subprocess.Popen(
                [str(theirs) if part == RECORDS else part for part in command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(env),
                bufsize=0,
                pass_fds=[lifeline.their_end, theirs],
                # A terminal's Ctrl-C is for Synapse, which then ends the process in order. And it leads a group then.
                start_new_session=True,
            )
    finally:
        os.close(theirs)


def killed(popen: "subprocess.Popen[bytes]") -> int | None:
    """Waits a while for the end of a process that was killed; None if not even that has ended it."""
    with suppress(subprocess.TimeoutExpired):
        return popen.wait(timeout=KILLED_SECONDS)
    return None


def close_all(pipes: MutableMapping[str, int]) -> None:
    while pipes:
        os.close(pipes.popitem()[1])
