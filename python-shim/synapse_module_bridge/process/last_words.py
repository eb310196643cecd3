"""Keeps what Node printed last, and tells from it whether its heap was full.

A module may have printed the same words: they count only from the process itself, by its id, and only if it died of
what follows them.
"""

import re
import signal
from collections import deque

_LAST_COLLECTION = re.compile(rb"\[(\d+):0x[0-9a-f]+\] +\d+ ms: ")
_FULL = re.compile(rb"FATAL ERROR: .*heap out of memory")
# abort(), or what V8 does in its place.
_FATAL = frozenset({-signal.SIGABRT, -signal.SIGTRAP, -signal.SIGILL})


MOST_LINES = 80
MOST_OF_LINE = 300


class LastWords:
    def __init__(self) -> None:
        # The last lines, each with its beginning.
        self.lines: deque[str] = deque(maxlen=MOST_LINES)
        self._pid: int | None = None
        self._full = False

    def heard(self, line: bytes) -> None:
        if text := line[:MOST_OF_LINE].decode("utf-8", "replace").strip():
            self.lines.append(text)
        # V8 prints its last collections before it says why it ends.
        if found := _LAST_COLLECTION.match(line):
            self._pid = int(found[1][:10])
        elif _FULL.match(line):
            self._full = True

    def tell_of_a_full_heap(self, code: int | None, pid: int) -> bool:
        return self._full and self._pid == pid and code in _FATAL
