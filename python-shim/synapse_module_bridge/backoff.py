"""The pauses between restarts: none at first, then doubling, with jitter so that workers do not restart in step."""

import random

FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 30.0


class Backoff:
    def __init__(self) -> None:
        self._failures = 0

    def pause(self) -> float:
        """How long to wait before the next restart."""
        longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(self._failures, 16))
        pause = random.uniform(longest / 2, longest) if self._failures else 0.0
        self._failures += 1
        return pause

    def reset(self) -> None:
        """It ran well for long: its next end has nothing to do with the last."""
        self._failures = 0
