"""Remembers which modules have ended Node, and decides which of them get a thread of their own at its next start."""

import logging
import time
from collections import deque
from collections.abc import Callable, Collection

logger = logging.getLogger(__name__)

# A first end may be an accident.
ENDS_TO_ISOLATE = 2
WITHIN_SECONDS = 3_600.0
# The module of an end is found within seconds, when Node has ended a few times more at most.
ENDS_KEPT = 16


class Culprits:
    """`apart` has the modules that have a thread of their own anyway. `now` is a clock in seconds."""

    def __init__(self, apart: Collection[str], now: Callable[[], float] = time.monotonic) -> None:
        self._apart = apart
        self._now = now
        # When Node has ended, whoever did it.
        self._node_ends: deque[float] = deque(maxlen=ENDS_KEPT)
        # By module, the last of these that it has caused.
        self._ends: dict[str, list[float]] = {}
        self._isolated: set[str] = set()

    @property
    def isolated(self) -> Collection[str]:
        """The modules that get a thread of their own, until they are reloaded."""
        return frozenset(self._isolated)

    def node_ended(self) -> None:
        """Node has ended. The module that ended it may become known at once, later, or never."""
        self._node_ends.append(self._now())

    def was(self, module: str, since: float | None = None) -> bool:
        """This module has ended Node: the last time before `since`, or the last time.

        Returns whether it gets a thread of its own from now on.
        """
        if module in self._apart or module in self._isolated:
            return False
        end = max((end for end in self._node_ends if since is None or end <= since), default=None)
        ends = self._ends.get(module, [])
        if end is None or end in ends:
            return False
        ends = self._ends[module] = sorted([*ends, end])[-ENDS_TO_ISOLATE:]
        if len(ends) < ENDS_TO_ISOLATE or ends[-1] - ends[0] > WITHIN_SECONDS:
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
