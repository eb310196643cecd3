"""Bounds how many calls Node has at once, so that a remote join of ten thousand events neither floods it nor keeps a
local user waiting: the rest wait in line, local calls first.
"""

from collections import deque
from collections.abc import Callable

from synapse.logging.context import PreserveLoggingContext, make_deferred_yieldable
from twisted.internet.defer import Deferred

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
        free = self._has_place(local) and not self._lines[local]
        if free:
            self._take(local)
        return free

    async def wait(self, *, local: bool, on_wait: Callable[["Deferred[None]"], None]) -> None:
        """Enters when it is this call's turn. `on_wait` may put a deadline on the wait.

        Raises Overloaded, or what the Deferred was cancelled with.
        """
        if self.waiting >= MOST_WAITING:
            raise Overloaded
        turn: Deferred[None] = Deferred(lambda deferred: self._lines[local].remove(deferred))
        self._lines[local].append(turn)
        on_wait(turn)
        await make_deferred_yieldable(turn)

    def _has_place(self, local: bool) -> bool:
        return self._in_flight < MOST_IN_FLIGHT and (local or self._federated < MOST_FEDERATED)

    def _take(self, local: bool) -> None:
        self._in_flight += 1
        self._federated += not local

    def leave(self, *, local: bool) -> None:
        self._in_flight -= 1
        self._federated -= not local
        if self._calling:
            # A call whose turn came has left at once: the loop below goes on, instead of one within it.
            return
        self._calling = True
        try:
            while (turn := self._next()) is not None:
                with PreserveLoggingContext():
                    turn.callback(None)
        finally:
            self._calling = False

    def _next(self) -> "Deferred[None] | None":
        """Whose turn it is, if there is a place; local calls first."""
        for local in (True, False):
            if self._lines[local] and self._has_place(local):
                self._take(local)
                return self._lines[local].popleft()
        return None
