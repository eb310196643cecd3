"""Bounds how many calls Node has at once, so that a remote join of ten thousand events neither floods it nor keeps a
local user waiting: the rest wait in line, local calls first. Neither in flight nor in line can one user, or one server,
take all the places.
"""

from collections import OrderedDict

from twisted.internet.defer import Deferred

from synapse_module_bridge.reactor.log_context import SentinelContext
from synapse_module_bridge.resilience.fair_share import FairShare

# Some hundred calls keep Node busy; more only make each wait inside of it instead of in line.
MOST_IN_FLIGHT = 256
# The rest is kept for local users.
MOST_FEDERATED = 192
# On each side. A remote join asks at most ten thousand at once; two of them may wait.
MOST_WAITING = 20_000


class Overloaded(Exception):
    """The line is full."""


class Backpressure:
    """`who` is a local user, or a remote server."""

    def __init__(self) -> None:
        self._in_flight = 0
        self._federated = 0
        self._shares = {True: FairShare(), False: FairShare()}
        self._lines = {True: _Line(), False: _Line()}
        self._calling = False

    @property
    def in_flight(self) -> int:
        return self._in_flight

    @property
    def waiting(self) -> int:
        return self._lines[True].length + self._lines[False].length

    def enters(self, local: bool, who: str) -> bool:
        """Whether there is a place at once. Each call that entered must leave."""
        return not self._lines[local].length and self._take(local, who)

    def line_up(self, local: bool, who: str) -> "Deferred[None]":
        """Fires when it is this call's turn, which has then entered. May be cancelled. Raises Overloaded."""
        turn = self._lines[local].join(who)
        # Those ahead of it may all hold too much already.
        self._let_in()
        return turn

    def _take(self, local: bool, who: str) -> bool:
        """Takes a place, if there is one."""
        free = MOST_IN_FLIGHT - self._in_flight
        if not local:
            free = min(free, MOST_FEDERATED - self._federated)
        if not self._shares[local].takes_one(who, free):
            return False
        self._in_flight += 1
        self._federated += not local
        return True

    def leave(self, local: bool, who: str) -> None:
        self._in_flight -= 1
        self._federated -= not local
        self._shares[local].take(who, -1)
        if self._lines[True].length or self._lines[False].length:
            self._let_in()

    def _let_in(self) -> None:
        """Gives the places that are free to those whose turn it is."""
        # Where a call whose turn came has left at once, the loop below goes on, instead of one within it.
        if self._calling:
            return
        self._calling = True
        try:
            with SentinelContext():
                while (turn := self._next()) is not None:
                    turn.callback(None)
        finally:
            self._calling = False

    def _next(self) -> "Deferred[None] | None":
        """Whose turn it is, if there is a place; local calls first, each user or server in turn."""
        for local in (True, False):
            line = self._lines[local]
            if self._in_flight >= MOST_IN_FLIGHT or (not local and self._federated >= MOST_FEDERATED):
                continue
            # With a place free, those who hold too much already are few: together they hold no more than there is.
            for who in line.waiting:
                if self._take(local, who):
                    return line.next_of(who)
        return None


class _Line:
    """Those who wait on one side, by whom they are of."""

    def __init__(self) -> None:
        # Whose turn is next is first. No plain dict: its first key is found by passing all that were taken out before.
        self.waiting: OrderedDict[str, OrderedDict[Deferred[None], None]] = OrderedDict()
        self.length = 0
        self._share = FairShare()

    def join(self, who: str) -> "Deferred[None]":
        if not self._share.admits(who, MOST_WAITING - self.length):
            raise Overloaded
        turn: Deferred[None] = Deferred(lambda turn: self._give_up(who, turn))
        self.waiting.setdefault(who, OrderedDict())[turn] = None
        self._count(who, 1)
        return turn

    def next_of(self, who: str) -> "Deferred[None]":
        turns = self.waiting[who]
        turn, _ = turns.popitem(last=False)
        if turns:
            # The others come first now.
            self.waiting.move_to_end(who)
        else:
            del self.waiting[who]
        self._count(who, -1)
        return turn

    def _give_up(self, who: str, turn: "Deferred[None]") -> None:
        turns = self.waiting[who]
        del turns[turn]
        if not turns:
            del self.waiting[who]
        self._count(who, -1)

    def _count(self, who: str, more: int) -> None:
        self.length += more
        self._share.take(who, more)
