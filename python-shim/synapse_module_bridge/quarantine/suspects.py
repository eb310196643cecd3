"""Defines suspects: calls that may have ended Node. Remembers the calls that were answered last, which are among them.

A call may crash Node after its answer, by a timer or an unhandled rejection.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import attr
from twisted.internet.defer import Deferred

from synapse_module_bridge.calls.call import Call
from synapse_module_bridge.codec.replies import Reply
from synapse_module_bridge.routing.entry import Entry
from synapse_module_bridge.schema.catalogue import Callback
from synapse_module_bridge.schema.protocol import LIMITS

# How long after its answer a call is a suspect.
RECENT_SECONDS = 2.0
# A module in a thread of its own may still be working on a call whose time was up. If the call blocks the thread, the
# thread is ended within this time, so the call is a suspect for this much longer.
OVERDUE_SECONDS = LIMITS["interrupt_after_ms"] / 1000
# So many calls are remembered of one user or server, and of so many of them: no user can flush a call out by further
# ones. (A transaction of a remote server has up to fifty events.)
MOST_OF_ONE = 1_000
MOST_WHO = 5_000
# Of one end: the last calls of each user or server.
MOST_SUSPECTS = 500


@attr.s(slots=True, auto_attribs=True, kw_only=True, eq=False)
class Suspect:
    """A call that may have ended Node, or a thread. Times are of the monotonic clock, in seconds."""

    call: Call
    # The entries that it was sent to.
    entries: Sequence[Entry]
    # How long before the end it had been answered; 0 if it had not.
    age: float = 0.0
    # The room whose state it had, where that was not kept.
    state_room: str | None = None
    # Fires with its reply, if something waits for it.
    answer: "Deferred[Reply] | None" = None
    # Whether it has not answered in its turn.
    is_slow: bool = False
    # Whether it has had a longer turn after that.
    had_a_long_turn: bool = False
    # Whether its module has asked the api for something meanwhile, which other users may have written.
    asked_api: bool = False
    # How often Node has ended while it was asked, perhaps for another reason.
    in_vain: int = 0
    # When it became a suspect. The suspects of one end have about the same time.
    since: float = attr.Factory(time.monotonic)
    # How long Synapse waits for it, if it does.
    deadline: float = attr.ib()

    @deadline.default
    def _deadline(self) -> float:
        return self.call.deadline

    @property
    def took(self) -> float:
        """How long it had run when Node ended. It may have waited in line for a part of this time."""
        return self.since - self.call.since

    @property
    def is_waited_for(self) -> bool:
        """Whether Synapse waits for its answer."""
        return self.answer is not None and not self.answer.called

    @property
    def modules(self) -> set[str]:
        """The names of the modules that it was sent to."""
        return {entry.module for entry in self.entries}


# Makes a new call like one that has ended: `Rules.again`.
Again = Callable[[Callback, Mapping[str, Any], bool, str, str | None, str | None], Call]


class _Answered(NamedTuple):
    """A call without all that is of no use any more: so many are kept that their size is most of what they cost."""

    # When it was answered; for an overdue call, when its module may be working on it at the latest.
    at: float
    entries: Sequence[Entry]
    # The room whose state it had.
    state_room: str | None
    is_overdue: bool
    # The rest is as in Call, but for the room's state.
    callback: Callback
    # The values of `params`, in order: half as large as a dict.
    args: tuple[Any, ...]
    local: bool
    who: str
    request: str | None
    uploader: str | None

    @property
    def params(self) -> dict[str, Any]:
        """Synapse's arguments by name."""
        return dict(zip(self.callback.param_names, self.args, strict=False))


class Recent:
    """The calls that were answered last."""

    def __init__(self) -> None:
        # By user or server, the fields of `_Answered`. The user or server with the last answer is last.
        self._answered: OrderedDict[str, deque[tuple[Any, ...]]] = OrderedDict()

    def add(self, call: Call, entries: Sequence[Entry], *, is_overdue: bool = False) -> None:
        """Remembers a call that was answered just now. `is_overdue`: its module may still be working on it."""
        callback = call.callback
        if not callback.repeatable:
            return
        answered, who, now = self._answered, call.who, time.monotonic()
        own = answered.get(who)
        if own is None:
            own = answered[who] = deque(maxlen=MOST_OF_ONE)
            self._forget_the_oldest(now)
        else:
            answered.move_to_end(who)
            while own and own[0][0] < now - RECENT_SECONDS:
                own.popleft()
        params, state_room = call.params, None
        if callback.state_param is not None:
            params, state_room = call.without_state()
        at = now + OVERDUE_SECONDS if is_overdue else now
        # A plain tuple: to make and to drop an `_Answered` takes as long as all of the above.
        args = tuple(params.values())
        own.append((at, entries, state_room, is_overdue, callback, args, call.local, who, call.request, call.uploader))

    def _forget_the_oldest(self, now: float) -> None:
        answered = self._answered
        while len(answered) > 1:
            oldest = next(iter(answered.values()))
            if oldest[-1][0] >= now - RECENT_SECONDS and len(answered) <= MOST_WHO:
                break
            answered.popitem(last=False)

    def take(self, again: Again, modules: Collection[str] | None = None) -> list[Suspect]:
        """The calls that may have ended Node, or the thread of these modules, the last first. They are forgotten."""
        now = time.monotonic()
        # Round robin over users and servers, so that MOST_SUSPECTS leaves out the oldest of each.
        in_rounds = sorted(
            ((number, one) for own in self._answered.values() for number, one in enumerate(reversed(own))),
            key=itemgetter(0),
        )
        known = [_Answered._make(one) for _, one in in_rounds]
        before, self._answered = self._answered, OrderedDict()
        taken: list[Suspect] = []
        for one in reversed(known):
            concerned = [entry for entry in one.entries if modules is None or entry.module in modules]
            others = [entry for entry in one.entries if modules is not None and entry.module not in modules]
            if others:
                own = self._answered.setdefault(one.who, deque(maxlen=MOST_OF_ONE))
                own.append(one._replace(entries=others))
            if concerned and now - one.at <= RECENT_SECONDS:
                age = 0.0 if one.is_overdue else now - one.at
                call = again(one.callback, one.params, one.local, one.who, one.request, one.uploader)
                taken.append(Suspect(call=call, entries=concerned, age=age, state_room=one.state_room))
        # Restores the order: the user or server with the last answer is last.
        for who in before:
            if who in self._answered:
                self._answered.move_to_end(who)
        return sorted(taken[-MOST_SUSPECTS:], key=lambda suspect: suspect.age)
