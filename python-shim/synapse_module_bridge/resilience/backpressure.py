"""Bounds how many calls Node works on at once; the rest wait in line, local calls first.

A remote join may check ten thousand events at once, which must not keep local users waiting. No user and no server can
take all the places, in flight or in line.
"""

from collections import OrderedDict
from functools import partial

from synapse.logging.context import SENTINEL_CONTEXT, set_current_context
from twisted.internet.defer import Deferred

from synapse_module_bridge.resilience.fair_share import TIMES_WHAT_IS_FREE, FairShare
from synapse_module_bridge.schema.protocol import LIMITS

# A few hundred calls keep Node busy. More would only wait in Node instead of here.
MOST_IN_FLIGHT = LIMITS["requests_at_once"]
# The other places are for local calls alone.
MOST_FEDERATED = MOST_IN_FLIGHT * 3 // 4
# Local and federated calls each have a line of this length: two large remote joins may wait.
MOST_WAITING = 20_000


class Overloaded(Exception):
    """The line is full."""


class Backpressure:
    """In its methods, `who` is the local user, or the remote server, that a call counts for."""

    def __init__(self) -> None:
        self._in_flight = 0
        # How many of those are federated.
        self._federated = 0
        # By whether calls are local.
        self._shares = {True: FairShare(), False: FairShare()}
        self._lines = {True: _Line(), False: _Line()}
        # Whether `_let_in` is running.
        self._calling = False

    @property
    def in_flight(self) -> int:
        """How many calls have a place."""
        return self._in_flight

    @property
    def waiting(self) -> int:
        """How many calls wait in line."""
        return self._lines[True].length + self._lines[False].length

    def enters(self, local: bool, who: str, *, from_line: bool = False) -> bool:
        """Takes a place if there is one for this user or server, and no call waits before this one.

        Each call that has entered must `leave`. With `from_line`, the call is the one that has waited.
        """
        if self._lines[local].length and not from_line:
            return False
        free = MOST_IN_FLIGHT - self._in_flight
        if not local:
            free = min(free, MOST_FEDERATED - self._federated)
        # As `FairShare.admits` and `take`, in place, since each call comes through here.
        held = self._shares[local].held
        own = held.get(who, 0)
        if own >= TIMES_WHAT_IS_FREE * free:
            return False
        held[who] = own + 1
        self._in_flight += 1
        self._federated += not local
        return True

    def line_up(self, local: bool, who: str) -> "Deferred[None]":
        """Waits in line. The Deferred fires once the call has entered, and may be cancelled. Raises Overloaded."""
        line = self._lines[local]
        turn = line.join(who)
        # All calls before it may be of other users or servers, which have their share already.
        if len(line.waiting[who]) == 1:
            self._let_in()
        return turn

    def leave(self, local: bool, who: str) -> None:
        """Gives up the call's place, and lets the next calls in."""
        self._in_flight -= 1
        self._federated -= not local
        held = self._shares[local].held
        if held[who] == 1:
            del held[who]
        else:
            held[who] -= 1
        if self._lines[True].length or self._lines[False].length:
            self._let_in()

    def _let_in(self) -> None:
        """Gives free places to waiting calls."""
        # A call that is let in may leave at once, and call this again: the loop below goes on then.
        if self._calling:
            return
        self._calling = True
        # As `SentinelContext`.
        context = set_current_context(SENTINEL_CONTEXT)
        try:
            while (turn := self._next()) is not None:
                turn.callback(None)
        finally:
            set_current_context(context)
            self._calling = False

    def _next(self) -> "Deferred[None] | None":
        """The next call that has got a place: local calls first, users and servers in turn."""
        for local in (True, False):
            line = self._lines[local]
            if self._in_flight >= MOST_IN_FLIGHT or (not local and self._federated >= MOST_FEDERATED):
                continue
            # A short loop: while a place is free, only few users or servers can have used up their share.
            for who in line.waiting:
                if self.enters(local, who, from_line=True):
                    return line.next_of(who)
        return None


class _Line:
    """The waiting calls, either local or federated, by user or server."""

    def __init__(self) -> None:
        # In the order of their turns. A plain dict would find its first key only after passing all removed ones.
        self.waiting: OrderedDict[str, OrderedDict[Deferred[None], None]] = OrderedDict()
        self.length = 0

    def join(self, who: str) -> "Deferred[None]":
        turns = self.waiting.get(who)
        # A fair share, as of the places: who waits holds a part of the line.
        own = 0 if turns is None else len(turns)
        if own >= TIMES_WHAT_IS_FREE * (MOST_WAITING - self.length):
            raise Overloaded
        turn: Deferred[None] = Deferred(partial(self._give_up, who))
        if turns is None:
            turns = self.waiting[who] = OrderedDict()
        turns[turn] = None
        self.length += 1
        return turn

    def next_of(self, who: str) -> "Deferred[None]":
        turns = self.waiting[who]
        turn, _ = turns.popitem(last=False)
        if turns:
            # The other users or servers have their turn first.
            self.waiting.move_to_end(who)
        else:
            del self.waiting[who]
        self.length -= 1
        return turn

    def _give_up(self, who: str, turn: "Deferred[None]") -> None:
        turns = self.waiting[who]
        del turns[turn]
        if not turns:
            del self.waiting[who]
        self.length -= 1
