"""Keeps the last lines of Node's standard error, and finds out from them whether its heap was full.

A module may print the same lines. They count only with the process's own id, and only if the process died as V8 does
after them.
"""

import re
import signal
from collections import deque

_LAST_COLLECTION = re.compile(rb"\[(\d+):0x[0-9a-f]+\] +\d+ ms: ")
_FULL = re.compile(rb"FATAL ERROR: .*heap out of memory")
# How V8 ends the process: by abort() or, in some builds, by a trap or an illegal instruction.
_FATAL = frozenset({-signal.SIGABRT, -signal.SIGTRAP, -signal.SIGILL})


# Enough for what V8 prints when it crashes.
MOST_LINES = 80
# In bytes; longer lines are cut.
MOST_OF_LINE = 300


class LastWords:
    """For one process."""

    def __init__(self) -> None:
        self.lines: deque[str] = deque(maxlen=MOST_LINES)
        self._pid: int | None = None
        self._full = False

    def heard(self, line: bytes) -> None:
        """Takes one line of standard error."""
        if text := line[:MOST_OF_LINE].decode("utf-8", "replace").strip():
            self.lines.append(text)
        # Before the error, V8 lists its last garbage collections.
        if found := _LAST_COLLECTION.match(line):
            self._pid = int(found[1][:10])
        elif _FULL.match(line):
            self._full = True

    def tell_of_a_full_heap(self, code: int | None, pid: int) -> bool:
        """Whether a process with this id and exit code has died of a full heap."""
        return self._full and self._pid == pid and code in _FATAL
