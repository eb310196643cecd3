"""Decides how long Node goes on with too many held threads of a module before it ends itself to get rid of them.

Each time within an hour it is longer, since the end of Node affects all modules.
"""

import time
from collections import deque
from collections.abc import Callable

WITHIN_SECONDS = 3_600.0
FIRST_PATIENCE_SECONDS = 30.0
LONGEST_PATIENCE_SECONDS = 900.0


class HeldThreads:
    """Counts the ends of Node for this cause. `now` is a clock in seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        # The times of these ends.
        self._ends: deque[float] = deque(maxlen=10)

    def ended_node(self) -> None:
        """Node has ended because of held threads."""
        self._ends.append(self._now())

    @property
    def patience_seconds(self) -> float:
        """0 for the first time within an hour, since the module is down until Node is replaced."""
        now = self._now()
        recent = sum(now - end < WITHIN_SECONDS for end in self._ends)
        return 0.0 if recent == 0 else min(LONGEST_PATIENCE_SECONDS, FIRST_PATIENCE_SECONDS * 2 ** (recent - 1))
