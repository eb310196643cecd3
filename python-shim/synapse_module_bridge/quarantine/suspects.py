"""Which calls may have ended Node: those that it was working on, and those that it had just answered, since a crash may
come after the answer (a timer, a rejection that nobody handles).
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import attr
from twisted.internet.defer import Deferred

from synapse_module_bridge.calls.call import Asked, Call
from synapse_module_bridge.codec.replies import Reply
from synapse_module_bridge.routing.route import Entry

# So long after its answer a call is suspected.
RECENT_SECONDS = 2.0
# One that had its share of the time in a thread of its own is suspected for longer: a thread that it hangs is ended
# three seconds after it was asked, or four.
OVERDUE_SECONDS = 3.0
# Of one user or server, and of how many of them: nobody can talk another, or themselves, out of it. One transaction of
# another server has fifty events.
MOST_OF_ONE = 1_000
MOST_WHO = 500
# Of all, those of each that came last.
MOST_SUSPECTS = 500


@attr.s(slots=True, auto_attribs=True, kw_only=True, eq=False)
class Suspect:
    """A call that was asked of these modules."""

    call: Call
    entries: Sequence[Entry]
    # How long before the end it had been answered; 0 for one that had not.
    age: float = 0.0
    # The room whose state it was asked with, where that was not kept.
    state_room: str | None = None
    # Who waits for its answer, if anybody does.
    answer: "Deferred[Reply] | None" = None
    # It was asked, and has not answered while it had its turn; and not when it had a longer one.
    is_slow: bool = False
    had_a_long_turn: bool = False
    # Its module has asked the api for something meanwhile, which others may have written.
    asked_api: bool = False
    # How often Node has ended meanwhile, perhaps of something else.
    in_vain: int = 0
    # When it became one: those of one end do so together.
    since: float = attr.Factory(time.monotonic)
    # Until when it is waited for, if it is.
    deadline: float = attr.ib()

    @deadline.default
    def _deadline(self) -> float:
        return self.call.deadline

    @property
    def took(self) -> float:
        """For how many seconds it had run when Node ended, and perhaps had waited in line before."""
        return self.since - self.call.since

    @property
    def is_waited_for(self) -> bool:
        return self.answer is not None and not self.answer.called

    @property
    def modules(self) -> set[str]:
        return {entry.module for entry in self.entries}


# Makes a call of this kind once more, with other parameters, whose time runs from now.
Again = Callable[[Asked, Mapping[str, Any]], Call]


class _Answered(NamedTuple):
    at: float
    asked: Asked
    # Without the room's state.
    params: Mapping[str, Any]
    # Whom it was asked of.
    entries: Sequence[Entry]
    # The room whose state went with it.
    state_room: str | None
    is_overdue: bool


class Recent:
    """The calls that were answered last."""

    def __init__(self) -> None:
        # By whose they are; who had the last answer is last.
        self._answered: OrderedDict[str, deque[_Answered]] = OrderedDict()

    def add(self, call: Call, entries: Sequence[Entry], *, is_overdue: bool = False) -> None:
        """`is_overdue`: their thread may still be working on it."""
        if not call.callback.repeatable:
            return
        answered, who, now = self._answered, call.who, time.monotonic()
        own = answered.get(who)
        if own is None:
            own = answered[who] = deque(maxlen=MOST_OF_ONE)
            self._forget_the_oldest(now)
        else:
            answered.move_to_end(who)
            while own and own[0].at < now - RECENT_SECONDS:
                own.popleft()
        params, state_room = (call.params, None) if call.callback.state_param is None else call.without_state()
        asked = Asked(call.callback, call.local, who, call.request)
        at = now + OVERDUE_SECONDS if is_overdue else now
        own.append(_Answered(at, asked, params, entries, state_room, is_overdue))

    def _forget_the_oldest(self, now: float) -> None:
        answered = self._answered
        while len(answered) > 1:
            oldest = next(iter(answered.values()))
            if oldest[-1].at >= now - RECENT_SECONDS and len(answered) <= MOST_WHO:
                break
            answered.popitem(last=False)

    def take(self, again: Again, modules: Collection[str] | None = None) -> list[Suspect]:
        """Those that may have ended Node, or the thread of these modules: the last first. They are known no more."""
        now = time.monotonic()
        # The last one of each first.
        rounds = zip_longest(*(reversed(own) for own in self._answered.values()))
        known = [answered for last in rounds for answered in last if answered is not None]
        before, self._answered = self._answered, OrderedDict()
        taken: list[Suspect] = []
        for one in reversed(known):
            concerned = [entry for entry in one.entries if modules is None or entry.module in modules]
            others = [entry for entry in one.entries if modules is not None and entry.module not in modules]
            if others:
                own = self._answered.setdefault(one.asked.who, deque(maxlen=MOST_OF_ONE))
                own.append(one._replace(entries=others))
            if concerned and now - one.at <= RECENT_SECONDS:
                call = again(one.asked, one.params)
                age = 0.0 if one.is_overdue else now - one.at
                taken.append(Suspect(call=call, entries=concerned, age=age, state_room=one.state_room))
        # Who had the last answer is last, as before.
        for who in before:
            if who in self._answered:
                self._answered.move_to_end(who)
        return sorted(taken[-MOST_SUSPECTS:], key=lambda suspect: suspect.age)
