"""Lets the kernel kill Node when Synapse dies. A Node that a module blocks would not notice the end of its input.

Node inherits the read end of a pipe, and this process keeps its write end. When this process dies, the kernel closes
the write end, and sends SIGKILL to Node's process group (fcntl(2): F_SETOWN, F_SETSIG). Only Linux has this; elsewhere,
Node ends once it is not blocked any more.
"""

import fcntl
import os
import signal
from contextlib import suppress


class Lifeline:
    """The pipe, for one process."""

    def __init__(self) -> None:
        # The process is to inherit the read end.
        self.their_end, our_end = os.pipe()
        self._open = [self.their_end, our_end]

    def tie(self, pid: int) -> None:
        """Ties the process, which has been started as the leader of a group. Closes this process's copy of its end."""
        # Where the kernel refuses, the process still ends with its input.
        with suppress(OSError, AttributeError):
            # Negative for a process group: what Node has started ends, too.
            fcntl.fcntl(self.their_end, fcntl.F_SETOWN, -pid)
            fcntl.fcntl(self.their_end, fcntl.F_SETSIG, signal.SIGKILL)
            flags = fcntl.fcntl(self.their_end, fcntl.F_GETFL)
            fcntl.fcntl(self.their_end, fcntl.F_SETFL, flags | os.O_ASYNC)
        self._open.remove(self.their_end)
        os.close(self.their_end)

    def cut(self) -> None:
        """Closes the pipe: the process has ended, or could not be started."""
        while self._open:
            os.close(self._open.pop())
