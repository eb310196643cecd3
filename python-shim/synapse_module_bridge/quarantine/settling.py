"""Finds the call that has ended Node, so that only that one is set aside, and modules judge all others.

Once Node is back, the calls that it was working on are asked again, one at a time, in a thread apart. A call that the
thread survives has its answer; the author of a call that ends the thread is set aside. Then come the calls that had
been answered shortly before the end: in groups, each of which is watched until a late crash would have come, and halved
while it ends the thread. If other calls have run in a thread before, its end does not prove that the last one did it,
so that one is asked again, alone in a new thread. Meanwhile, all other calls go on, except those of the same authors.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from math import inf

from twisted.internet.defer import Deferred

from synapse_module_bridge.calls.again import AskAgain
from synapse_module_bridge.calls.call import Call
from synapse_module_bridge.codec.replies import Reply
from synapse_module_bridge.quarantine.answered_groups import AnsweredGroups
from synapse_module_bridge.quarantine.gate import Gate
from synapse_module_bridge.quarantine.preparing import RoomState
from synapse_module_bridge.quarantine.quarantine import Quarantine
from synapse_module_bridge.quarantine.suspect_line import Rank, SuspectLine
from synapse_module_bridge.quarantine.suspects import Suspect
from synapse_module_bridge.quarantine.turn import TURN_SECONDS, UNAWAITED_SECONDS, AskApart, End, NodeEnded, Turns, fail
from synapse_module_bridge.reactor.background import Run
from synapse_module_bridge.reactor.deadline import DeadlinePassed
from synapse_module_bridge.resilience.entrance import Entrance
from synapse_module_bridge.routing.entry import Entry
from synapse_module_bridge.schema.protocol import Reason
from synapse_module_bridge.transport.host_interface import Host
from synapse_module_bridge.transport.unavailable import Unavailable

# For all suspects of one end that Synapse does not wait for: many of them may never answer.
MOST_UNAWAITED_SECONDS = 15.0
# If more suspects than this are left once the call is found, they are asked as usual, which is faster.
MOST_APART = 32
# While a suspect is asked, Node may end for another reason. The suspect is then asked again, so many times.
MOST_IN_VAIN = 2
# A group is watched for the age of its oldest answer, and for this.
MARGIN_SECONDS = 0.1
# How long a thread must stand at most, while others may wait, before its end is blamed on a call.
MOST_STANDING_SECONDS = 1.0
# The assumed age of a suspect that may have ended the thread while a later one was running in it.
UNSURE_SECONDS = 0.4


class Settling:
    """For one bridge. `ask` asks modules about a suspect. `run` runs something in the background.

    `room_state` looks up the state of a room.
    """

    def __init__(
        self,
        host: Host,
        entrance: Entrance,
        quarantine: Quarantine,
        ask: AskApart,
        run: Run,
        room_state: RoomState | None = None,
    ) -> None:
        self._host = host
        self._entrance = entrance
        self._quarantine = quarantine
        self.turns = Turns(host, entrance, ask, room_state)
        self.turns.thread.lost = self._thread_lost
        self._run = run
        # Called when the call is found that has ended Node, with the module that was running, where that is
        # known, and when the call became a suspect.
        self.found: Callable[[str | None, float], None] = lambda module, since: None
        # The Node that has ended last has not read the calls that were sent later, on the monotonic clock.
        self.unread_since = inf
        # Whether there are suspects. Each call reads this.
        self.busy = False
        # Suspects that Node was working on.
        self._line = SuspectLine()
        self.gate = Gate()
        # Suspects that had been answered.
        self._past = AnsweredGroups()
        # Suspects that have run in the present thread, and may still end it.
        self._ran: list[Suspect] = []
        # How long suspects that Synapse does not wait for have been asked, since the last end.
        self._spent = 0.0

    async def settle(self, call: Call, entries: Sequence[Entry], deadline: float) -> Reply:
        """The reply to a call on which Node, or a thread, was working when it ended: the call is a suspect, and waits.

        Raises RpcError, Unavailable and AskAgain.
        """
        answer: Deferred[Reply] = Deferred()
        suspect = Suspect(call=call, entries=entries, answer=answer, deadline=deadline)
        self._line.join(suspect)
        self._start()
        with self.gate.closed(call, suspect.modules):
            try:
                await self._host.until_up(deadline)
                return await self._host.within(answer, deadline)
            except DeadlinePassed:
                raise Unavailable(Reason.DEADLINE) from None
            finally:
                # It stays a suspect, and is asked again even if nothing waits for it.
                suspect.answer = None
                answer.addErrback(lambda _: None)

    def node_ended(self, cause: str, culprit: str | None, *, under_way: int, before: bool) -> bool:
        """As `Turns.node_ended`."""
        self._ran = []
        # Suspects of an earlier end have had their time.
        self._line.drop_unawaited()
        return self.turns.node_ended(cause, culprit, under_way=under_way, before=before)

    def suspect(self, unanswered: Sequence[Suspect], answered: Sequence[Suspect]) -> None:
        """Adds suspects that Synapse does not wait for: calls that were not answered in time, and answered ones."""
        if self._has_spent_its_time:
            self._past.clear()
        self._spent = 0.0
        for suspect in unanswered:
            self._line.join(suspect)
        self._past.add(answered)
        self._start()

    def _start(self) -> None:
        if not self.busy and (self._line or self._past):
            self.busy = True
            self._run(self._work)

    async def _work(self) -> None:
        try:
            while self._line or self._past:
                await self._host.until_up_again()
                if self._line:
                    suspect = self._line.next()
                    # Another call of the author could hang Node, which then could not report the end of the thread.
                    with self.gate.closed(suspect.call, suspect.modules) if suspect.is_waited_for else nullcontext():
                        await self._settle_one(suspect)
                elif self._past:
                    await self._settle_group(self._past.next())
        except Unavailable:
            pass  # Synapse is shutting down
        finally:
            self.busy = False
            self.turns.over()
            self._past.clear()
            self._ran = []
            self._let_go(Unavailable(Reason.DOWN))
            self._entrance.open()

    def _let_go(self, why: Exception) -> None:
        for suspect in self._line.leave_all():
            fail(suspect, why)

    async def _settle_one(self, suspect: Suspect) -> None:
        if self._is_over_for(suspect) or self._is_set_aside(suspect):
            fail(suspect, AskAgain())
            self._open_entrance()
            return
        self._entrance.close_no_longer_than(TURN_SECONDS)
        try:
            end = await self._ask(suspect)
            earlier = self._ran
            if end is not None and earlier and not end.of_node:
                # A suspect before it may have ended the thread: it is asked alone in a new one.
                self._ran = []
                end = await self._ask(suspect)
                if end is None:
                    self._doubt(earlier)
            if end is not None:
                await self._set_aside_on_trial(suspect, end)
                return
            self._ran.append(suspect)
            suspect.in_vain = 0
            if suspect.is_waited_for:
                # It has not answered in its turn, and comes after the others now.
                suspect.is_slow = True
                self._line.join(suspect)
            elif suspect.is_slow and not self._is_over_for(suspect):
                self._line.join(suspect)
            self._open_entrance()
        except NodeEnded:
            if suspect.is_waited_for and suspect.in_vain < MOST_IN_VAIN:
                # It is asked again while nothing else runs, so that the cause of the next end is clear.
                suspect.in_vain += 1
                self._entrance.close()
                self._line.join(suspect, Rank.AGAIN)
            else:
                self._entrance.open()
                fail(suspect, Unavailable(Reason.DOWN))

    async def _set_aside_on_trial(self, suspect: Suspect, end: End) -> None:
        """Sets the author aside, and ends that where the thread ends as soon while nobody is asked."""
        ids = self._set_aside(suspect, end)
        # They are not asked about meanwhile.
        self.gate.let_in(suspect.call, suspect.modules)
        seconds = min(end.after, MOST_STANDING_SECONDS) + MARGIN_SECONDS
        if end.of_node or not await self.turns.thread_ends_unasked(suspect, seconds):
            self._conclude(suspect, end)
            return
        # A timer of the module, perhaps: nobody is to blame.
        self._quarantine.acquit(ids)
        fail(suspect, AskAgain())
        self._open_entrance()

    def _is_over_for(self, suspect: Suspect) -> bool:
        """Whether nothing waits for it, and it has had its turn: a long turn if it had run long before Node ended."""
        if suspect.is_waited_for:
            return False
        had_its_turn = suspect.is_slow and (suspect.had_a_long_turn or suspect.took <= UNAWAITED_SECONDS)
        return had_its_turn or self._has_spent_its_time

    async def _ask(self, suspect: Suspect, watched: float = 0.0) -> End | None:
        """As `Turns.ask`. Counts the time of suspects that Synapse does not wait for."""
        began, is_waited_for = time.monotonic(), suspect.is_waited_for
        suspect.had_a_long_turn = suspect.is_slow and not is_waited_for
        try:
            return await self.turns.ask(suspect, watched, others_wait=bool(self._line))
        finally:
            if not is_waited_for:
                self._spent += time.monotonic() - began

    @property
    def _has_spent_its_time(self) -> bool:
        return self._spent > MOST_UNAWAITED_SECONDS

    def _open_entrance(self) -> None:
        if not (self._line and self.turns.keeps_closed):
            self._entrance.open()

    def _thread_lost(self) -> None:
        """The thread has ended while no suspect was asked in it: one that has run in it did it, after its answer."""
        earlier, self._ran = self._ran, []
        self._doubt(earlier)

    def _doubt(self, earlier: list[Suspect]) -> None:
        for suspect in earlier:
            suspect.age = max(suspect.age, UNSURE_SECONDS)
        self._halve(earlier)

    def _halve(self, group: list[Suspect]) -> None:
        half = (len(group) + 1) // 2
        self._past.put_first(group[half:], group[:half])

    async def _settle_group(self, group: list[Suspect]) -> None:
        """Asks a group of suspects that had been answered, and watches the thread for as long as a crash may take."""
        if self._has_spent_its_time:
            return
        group = [suspect for suspect in group if self._is_worth_asking(suspect)]
        seconds = max((suspect.age for suspect in group), default=0.0) + MARGIN_SECONDS
        for number, suspect in enumerate(group, 1):
            try:
                end = await self._ask(suspect, seconds if number == len(group) else 0.0)
                if end is not None:
                    await self._divide([*self._ran, suspect], group[number:], end, seconds)
                    return
            except NodeEnded:
                suspect.in_vain += 1
                self._past.put_first(group)
                return
            self._ran.append(suspect)
            if self._line or self._has_spent_its_time:
                # Suspects that Synapse waits for come first. The group begins anew later.
                self._past.put_first(group)
                return
        if len(group) > 1:
            # The last one may have run in a new thread.
            await self.turns.hear_of_thread(group[-1])
        self._ran = []

    def _is_worth_asking(self, suspect: Suspect) -> bool:
        return suspect.in_vain < MOST_IN_VAIN and not suspect.is_slow and not self._is_set_aside(suspect)

    async def _divide(self, candidates: list[Suspect], rest: list[Suspect], end: End, seconds: float) -> None:
        """One of the candidates has ended the thread, or the thread has ended by itself. The rest was not asked yet."""
        self._ran = []
        if len(candidates) > 1:
            self._past.put_first(rest)
            self._halve(candidates)
            return
        is_found = end.of_node or await self._thread_stands(candidates[0], seconds)
        # Of another end, or nobody is found: the rest is asked.
        self._past.put_first(rest)
        if is_found:
            self._set_aside(candidates[0], end)
            self._conclude(candidates[0], end)

    async def _thread_stands(self, suspect: Suspect, seconds: float) -> bool:
        """As `Turns.thread_stands`: a thread may end by itself. Nothing waits meanwhile."""
        began = time.monotonic()
        try:
            return await self.turns.thread_stands(suspect, seconds)
        finally:
            self._spent += time.monotonic() - began

    def _is_set_aside(self, suspect: Suspect) -> bool:
        return self._quarantine.active and any(
            self._quarantine.holds(suspect.call, entry.module) for entry in suspect.entries
        )

    def _set_aside(self, suspect: Suspect, end: End) -> list[str]:
        """Returns the ids of what is set aside now, and was not before."""
        return [
            id
            for module in _running(suspect, end)
            for id in self._quarantine.add(suspect.call, module, end.cause, asked_api=suspect.asked_api)
        ]

    def _conclude(self, suspect: Suspect, end: End) -> None:
        modules = _running(suspect, end)
        self.found(modules[0] if len(modules) == 1 else None, suspect.since)
        # A question without a hash cannot be set aside.
        fail(suspect, AskAgain() if self._is_set_aside(suspect) else Unavailable(Reason.QUARANTINE))
        self._past.found(suspect)
        if len(self._line) > MOST_APART:
            self._let_go(AskAgain())
        self._open_entrance()


def _running(suspect: Suspect, end: End) -> list[str]:
    """The module that was running; where that is not known, all that were asked."""
    return [end.module] if end.module in suspect.modules else sorted(suspect.modules)
