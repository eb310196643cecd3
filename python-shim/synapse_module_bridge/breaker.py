"""Stops asking a module that keeps missing its deadline, and tries it again now and then.

One breaker belongs to one callback of one module. Closed, every call passes. After some misses in a row it opens:
calls are answered by policy at once, but for one probe now and then; the first probe that is answered closes it.
"""

import logging
from collections.abc import Callable

logger = logging.getLogger(__name__)

# A single slow call is no pattern; five in a row at the default deadline are 25 s of waiting clients.
MISSES_TO_OPEN = 5
FIRST_PROBE_SECONDS = 2.0
LONGEST_PROBE_SECONDS = 60.0


class Breaker:
    def __init__(self, name: str, now: Callable[[], float]) -> None:
        self._name = name
        self._now = now
        self._misses = 0
        self._pause = FIRST_PROBE_SECONDS
        self._probe_at: float | None = None
        self._opened_at = 0.0

    @property
    def is_open(self) -> bool:
        return self._probe_at is not None

    def admits(self) -> bool:
        """Whether a call may pass now. While open, the one call that it lets pass is the probe."""
        if self._probe_at is None:
            return True
        if self._now() < self._probe_at:
            return False
        # The next probe, should this one tell nothing.
        self._probe_at = self._now() + self._pause
        return True

    def answered(self) -> None:
        if self._misses == 0:
            return
        if self._probe_at is not None:
            logger.warning("%s answers again; it was not asked for %.0f s", self._name, self._now() - self._opened_at)
        self._misses, self._pause, self._probe_at = 0, FIRST_PROBE_SECONDS, None

    def missed(self) -> None:
        """A deadline has passed while this module was running."""
        self._misses += 1
        if self._probe_at is not None:
            self._pause = min(self._pause * 2, LONGEST_PROBE_SECONDS)
            self._probe_at = self._now() + self._pause
        elif self._misses >= MISSES_TO_OPEN:
            self._opened_at = self._now()
            self._probe_at = self._opened_at + self._pause
            logger.error(
                "%s has missed %d deadlines in a row: it is not asked, but for a probe now and then",
                self._name,
                self._misses,
            )
