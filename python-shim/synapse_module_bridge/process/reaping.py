"""Ends a process with what it has started, and waits for it to exit.

That by looking now and then: a thread that waits may not start, or stand behind slow ones.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from functools import partial
from typing import Any

FIRST_LOOK_SECONDS = 0.002
LONGEST_LOOK_SECONDS = 0.05
# Not even SIGKILL ends a process that waits for a broken disk: then it is left behind.
KILLED_SECONDS = 5.0


def kill_all(popen: "subprocess.Popen[bytes]") -> None:
    """Ends a process and its group, which it leads: native code of a module's may wait for one of those.

    Not where it has ended: its number may be another's.
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
    """Tells the exit code, once. After so many seconds, it tells that the process is overdue, and kills it. None if not
    even that has ended it.
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
