"""Kills a process with what it has started, and waits for it to exit.

It polls on the reactor: a thread that waits might not be started, or wait in the pool behind slow ones.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from functools import partial
from typing import Any

# The pause between two polls doubles from the first to the longest. Most processes exit within milliseconds.
FIRST_LOOK_SECONDS = 0.002
LONGEST_LOOK_SECONDS = 0.05
# SIGKILL does not end a process that waits for a broken disk. After this time, it is left behind.
KILLED_SECONDS = 5.0


def kill_all(popen: "subprocess.Popen[bytes]") -> None:
    """Kills a process and its process group, which it leads: a module's native code may wait for one of them.

    Does nothing where the process has ended, since its id may belong to another one now.
    """
    if popen.poll() is None:
        try:
            os.killpg(popen.pid, signal.SIGKILL)
        except OSError:
            popen.kill()


def when_exited(
    popen: "subprocess.Popen[bytes]",
    clock: Any,
    seconds: float,
    overdue: Callable[[], object],
    exited: Callable[[int | None], object],
) -> None:
    """Calls `exited` once, with the exit code, or with None where not even SIGKILL has ended the process.

    After `seconds`, it calls `overdue` and kills the process.
    """

    def look(until: float, pause: float, killed: bool) -> None:
        code = popen.poll()
        if code is None and time.monotonic() >= until and not killed:
            overdue()
            kill_all(popen)
            until, pause, killed = time.monotonic() + KILLED_SECONDS, FIRST_LOOK_SECONDS, True
            code = popen.poll()
        if code is not None or time.monotonic() >= until:
            exited(code)
        else:
            clock.callLater(pause, partial(look, until, min(2 * pause, LONGEST_LOOK_SECONDS), killed))

    clock.callLater(0, partial(look, time.monotonic() + seconds, FIRST_LOOK_SECONDS, False))
