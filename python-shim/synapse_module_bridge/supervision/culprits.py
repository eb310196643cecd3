"""Remembers which modules have ended Node, and decides which of them get a thread of their own at its next start."""

import logging
import time
from collections import deque
from collections.abc import Callable, Collection

logger = logging.getLogger(__name__)

# A first end may be an accident.
ENDS_TO_ISOLATE = 2
WITHIN_SECONDS = 3_600.0


class Culprits:
    """`apart` has the modules that have a thread of their own anyway. `now` is a clock in seconds."""

    def __init__(self, apart: Collection[str], now: Callable[[], float] = time.monotonic) -> None:
        self._apart = apart
        self._now = now
        # By module, the times of its last ends of Node.
        self._ends: dict[str, deque[float]] = {}
        # The modules that are already counted for the present end.
        self._told: set[str] = set()
        self._isolated: set[str] = set()

    @property
    def isolated(self) -> Collection[str]:
        """The modules that get a thread of their own, until they are reloaded."""
        return frozenset(self._isolated)

    def node_ended(self) -> None:
        """Node has ended. The module that ended it may become known at once, later, or never."""
        self._told.clear()

    def was(self, module: str) -> bool:
        """This module has ended Node. Returns whether it gets a thread of its own from now on."""
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
        """These modules have changed: their past ends no longer count."""
        self._isolated.difference_update(modules)
        for module in modules:
            self._ends.pop(module, None)
