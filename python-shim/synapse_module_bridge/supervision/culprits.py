"""Which modules have ended Node, and which of them are to have a thread of their own from its next start on."""

import logging
import time
from collections import deque
from collections.abc import Callable, Collection

logger = logging.getLogger(__name__)

ENDS_TO_ISOLATE = 2
WITHIN_SECONDS = 3_600.0


class Culprits:
    """`apart` are the modules that run apart from the others anyhow."""

    def __init__(self, apart: Collection[str], now: Callable[[], float] = time.monotonic) -> None:
        self._apart = apart
        self._now = now
        # When each of them has ended Node last.
        self._ends: dict[str, deque[float]] = {}
        # That it was it is told once of each end.
        self._told: set[str] = set()
        self._isolated: set[str] = set()

    @property
    def isolated(self) -> Collection[str]:
        """Those that are to have a thread of their own, until they are reloaded."""
        return frozenset(self._isolated)

    def node_ended(self) -> None:
        """Of something; who it was may become known at once, later, or never."""
        self._told.clear()

    def was(self, module: str) -> bool:
        """It was this module. Tells whether it is put into a thread of its own for that."""
        if module in self._told or module in self._apart or module in self._isolated:
            return False
        self._told.add(module)
        now = self._now()
        ends = self._ends.setdefault(module, deque(maxlen=ENDS_TO_ISOLATE))
        ends.append(now)
        if len(ends) < ENDS_TO_ISOLATE or now - ends[0] > WITHIN_SECONDS:
            return False
        self._isolated.add(module)
        logger.warning(
            "%s has ended Node %d times in an hour: from Node's next start on it has a thread of its own, until it is "
            "reloaded",
            *(module, len(ends)),
        )
        return True

    def reloaded(self, modules: Collection[str]) -> None:
        """These modules have changed: they are judged anew."""
        self._isolated.difference_update(modules)
        for module in modules:
            self._ends.pop(module, None)
