"""Computes the pauses between restarts: none at first, then doubling. Jitter keeps workers from restarting in step."""

import random

# So many restarts come without a pause: enough to find the call that ends Node again and again, if it is one.
FIRST_AT_ONCE = 3
# The first pause is between it and twice as long.
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 30.0


class Backoff:
    """Counts ends in a row."""

    def __init__(self) -> None:
        self._failures = 0

    def pause(self) -> float:
        """Counts one more end, and returns how many seconds to wait before the restart."""
        self._failures += 1
        grown = self._failures - FIRST_AT_ONCE
        if grown <= 0:
            return 0.0
        longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(grown, 16))
        return random.uniform(longest / 2, longest)

    def reset(self) -> None:
        """Begins to count anew: the host has run long enough, or the cause of its last end is known."""
        self._failures = 0
