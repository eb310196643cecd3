"""Bounds how many calls Node has at once, so that a remote join of ten thousand events neither floods it nor keeps a
local user waiting: the rest wait in line, local calls first.
"""

from collections import deque

from twisted.internet.defer import Deferred

from synapse_module_bridge.log_context import SentinelContext

# Some hundred calls keep Node busy; more only make each wait inside of it instead of in line.
MOST_IN_FLIGHT = 256
# The rest is kept for local users.
MOST_FEDERATED = 192
# A remote join asks at most ten thousand at once; two of them may wait.
MOST_WAITING = 20_000


class Overloaded(Exception):
    """The line is full."""


class Admission:
    def __init__(self) -> None:
        self._in_flight = 0
        self._federated = 0
        self._lines: dict[bool, deque[Deferred[None]]] = {True: deque(), False: deque()}
        self._calling = False

    @property
    def in_flight(self) -> int:
        return self._in_flight

    @property
    def waiting(self) -> int:
        return len(self._lines[True]) + len(self._lines[False])

    def enters(self, *, local: bool) -> bool:
        """Whether there is a place at once. Each call that entered must leave."""
        return not self._lines[local] and self._take(local)

    def line_up(self, *, local: bool) -> "Deferred[None]":
        """Fires when it is this call's turn, which has then entered. May be cancelled. Raises Overloaded."""
        if self.waiting >= MOST_WAITING:
            raise Overloaded
        turn: Deferred[None] = Deferred(self._lines[local].remove)
        self._lines[local].append(turn)
        return turn

    def _take(self, local: bool) -> bool:
        """Takes a place, if there is one."""
        if self._in_flight >= MOST_IN_FLIGHT or not (local or self._federated < MOST_FEDERATED):
            return False
        self._in_flight += 1
        self._federated += not local
        return True

    def leave(self, *, local: bool) -> None:
        self._in_flight -= 1
        self._federated -= not local
        # Where a call whose turn came has left at once, the loop below goes on, instead of one within it.
        if self._calling or not (self._lines[True] or self._lines[False]):
            return
        self._calling = True
        try:
            with SentinelContext():
                while (turn := self._next()) is not None:
                    turn.callback(None)
        finally:
            self._calling = False

    def _next(self) -> "Deferred[None] | None":
        """Whose turn it is, if there is a place; local calls first."""
        for local in (True, False):
            if self._lines[local] and self._take(local):
                return self._lines[local].popleft()
        return None
