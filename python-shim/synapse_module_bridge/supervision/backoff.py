"""The pauses between restarts: none at first, then doubling, with jitter so that workers do not restart in step."""

import random

# Without a pause. What ends it again and again is found out meanwhile, if it is a call.
FIRST_AT_ONCE = 3
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 30.0


class Backoff:
    def __init__(self) -> None:
        self._failures = 0

    def pause(self) -> float:
        """How long to wait before the next restart."""
        self._failures += 1
        grown = self._failures - FIRST_AT_ONCE
        if grown <= 0:
            return 0.0
        longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(grown, 16))
        return random.uniform(longest / 2, longest)

    def reset(self) -> None:
        """Its next end has nothing to do with the last: it ran well for long, or what ended it is known."""
        self._failures = 0
