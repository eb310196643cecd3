"""Ends a process with this one, however this one ends: a module that blocks Node would not let it notice that its input
has ended.

The process holds the reading end of a pipe whose writing end is ours. The kernel closes that for whoever dies, and then
sends the process SIGKILL (fcntl(2): F_SETOWN, F_SETSIG). Linux has that; elsewhere such a process stays until it is
blocked no more.
"""

import fcntl
import os
import signal
from contextlib import suppress


class Lifeline:
    def __init__(self) -> None:
        # The first is what the process is to inherit.
        self.their_end, our_end = os.pipe()
        self._open = [self.their_end, our_end]

    def tie(self, pid: int) -> None:
        """The process has been started, as the first of its group."""
        # Where it is refused, the process still ends with its input.
        with suppress(OSError, AttributeError):
            # With what it has started: negative for a group of processes.
            fcntl.fcntl(self.their_end, fcntl.F_SETOWN, -pid)
            fcntl.fcntl(self.their_end, fcntl.F_SETSIG, signal.SIGKILL)
            flags = fcntl.fcntl(self.their_end, fcntl.F_GETFL)
            fcntl.fcntl(self.their_end, fcntl.F_SETFL, flags | os.O_ASYNC)
        self._open.remove(self.their_end)
        os.close(self.their_end)

    def cut(self) -> None:
        """The process has ended, or could not be started."""
        while self._open:
            os.close(self._open.pop())
