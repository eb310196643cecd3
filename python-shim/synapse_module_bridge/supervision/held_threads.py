"""How long Node bears that native code holds too many threads of a module, before it ends for that: longer each time,
since its end touches all modules.
"""

import time
from collections import deque
from collections.abc import Callable

WITHIN_SECONDS = 3_600.0
FIRST_PATIENCE_SECONDS = 30.0
LONGEST_PATIENCE_SECONDS = 900.0


class HeldThreads:
    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        # When Node has ended for them.
        self._ends: deque[float] = deque(maxlen=10)

    def ended_node(self) -> None:
        self._ends.append(self._now())

    @property
    def patience_seconds(self) -> float:
        """None for the first in an hour: until Node is replaced, the module is down."""
        now = self._now()
        recent = sum(now - end < WITHIN_SECONDS for end in self._ends)
        return 0.0 if recent == 0 else min(LONGEST_PATIENCE_SECONDS, FIRST_PATIENCE_SECONDS * 2 ** (recent - 1))
