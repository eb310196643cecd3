"""Asks modules about one suspect, to see whether it ends the thread or the Node that it runs in.

It runs in the host's thread apart. Where there is none, and Synapse waits, it runs in Node itself, alone.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from synapse.logging.context import PreserveLoggingContext
from twisted.internet.defer import Deferred

from synapse_module_bridge.calls.call import Call
from synapse_module_bridge.codec.replies import Reply
from synapse_module_bridge.process.exit_cause import is_of_no_call, may_be_of_a_thread
from synapse_module_bridge.quarantine.preparing import Preparing, RoomState
from synapse_module_bridge.quarantine.suspects import Suspect
from synapse_module_bridge.quarantine.thread_apart import ThreadApart
from synapse_module_bridge.reactor.deadline import DeadlinePassed
from synapse_module_bridge.resilience.entrance import Entrance
from synapse_module_bridge.routing.entry import Entry
from synapse_module_bridge.schema.protocol import ERROR_CODES, LIMITS, Reason
from synapse_module_bridge.transport.host_interface import Host
from synapse_module_bridge.transport.rpc import ConnectionGone, RpcError
from synapse_module_bridge.transport.unavailable import Unavailable

MODULE_ENDED = ERROR_CODES["module_ended"]
MODULE_UNAVAILABLE = ERROR_CODES["module_unavailable"]
# A turn in the thread, while other suspects wait, and at least: long enough for the host to notice that it hangs.
TURN_SECONDS = 2 * LIMITS["suspect_blocked_ms"] / 1000
# The turn of a suspect that Synapse does not wait for. Its second turn is LONG_TURN_TIMES as long as it had run before
# the end, since filling the memory takes time.
UNAWAITED_SECONDS = 2.5
LONG_TURN_TIMES = 1.5
LONGEST_TURN_SECONDS = 10.0
# To set the thread up where nothing waits, and at least. Without the thread, a suspect that hangs Node would hang it
# again.
SET_UP_SECONDS = 15.0
LEAST_SET_UP_SECONDS = 3.0
# A turn in Node itself: long enough to notice that it hangs.
ALONE_SECONDS = (LIMITS["interrupt_after_ms"] + LIMITS["kill_after_ms"]) / 1000
# For all such turns after an end, since all other calls wait meanwhile.
MOST_ALONE_SECONDS = 2 * ALONE_SECONDS
# Before such a turn, open calls have this time to finish.
DRAIN_SECONDS = 0.5
LOOK_SECONDS = 0.02

# Asks modules until a deadline: in the thread apart, which is watched for some seconds after the answer, or, with None,
# as usual. Raises RpcError, Unavailable and ConnectionGone.
AskApart = Callable[[Call, Sequence[Entry], float, float | None], Awaitable[Reply]]


class End(NamedTuple):
    """The suspect has ended the thread, or Node."""

    # The name of the module that did it, as the host says; None where that is not known.
    module: Any
    cause: str
    # Whether it was Node, while nothing else was running.
    of_node: bool = False
    # How many seconds after the question.
    after: float = 0.0


class NodeEnded(Exception):
    """Node has ended while a suspect was asked, perhaps for another reason."""


class _NoThread(Exception):
    """The thread has ended before the call began in it."""


class Turns:
    """The turns of all suspects of one bridge. `ask` asks modules, `room_state` looks up the state of a room."""

    def __init__(self, host: Host, entrance: Entrance, ask: AskApart, room_state: RoomState | None = None) -> None:
        self._host = host
        self._entrance = entrance
        self._ask = ask
        self.thread = ThreadApart(host)
        self.preparing = Preparing(host, room_state)
        # The suspect whose turn it is.
        self._suspect: Suspect | None = None
        # Whether it is being asked. Otherwise the thread is being set up.
        self._is_asked = False
        # Whether that is in the thread, or in Node itself.
        self._is_apart = True
        # The end of Node during this turn, where the suspect has caused it.
        self._node_end: End | None = None
        # How long all other calls have waited, since the last end.
        self._alone_seconds = 0.0
        # Whether the entrance stays closed between turns, since the next suspect may need Node alone, too.
        self.keeps_closed = False

    def over(self) -> None:
        """There are no suspects any more."""
        self.thread.forget()
        self._alone_seconds, self.keeps_closed = 0.0, False

    def node_ended(self, cause: str, culprit: str | None, *, under_way: int, before: bool) -> bool:
        """Node has ended, and its open calls have not failed yet. Returns whether the present suspect has ended it.

        `under_way` is the number of open calls, the suspect's included. `before`: a call that had been answered, or was
        given up, may have ended it.
        """
        suspect, self._node_end = self._suspect, None
        if suspect is None or under_way > int(self._is_asked):
            return False
        if is_of_no_call(cause) or (self._is_apart and not may_be_of_a_thread(cause)):
            return False
        # After an end in vain, the entrance was closed: this Node has got no call but the suspect's.
        if not before or (suspect.in_vain > 0 and self._entrance.is_closed):
            self._node_end = End(culprit, cause, of_node=True)
        return self._is_asked and self._node_end is not None

    def api_asked(self, module: Any) -> None:
        """A module has asked the api for something."""
        if self._suspect is not None and self._is_asked and module in self._suspect.modules:
            self._suspect.asked_api = True

    async def ask(self, suspect: Suspect, watched: float = 0.0, *, others_wait: bool = False) -> End | None:
        """Gives the suspect its turn. Returns how it has ended the thread or Node; None where it has not.

        Then its answer has fired, unless the modules have not answered in its turn. The thread is watched for `watched`
        seconds after the answer. Raises NodeEnded.
        """
        await self.preparing.prepare(suspect)
        self.keeps_closed = False
        if await self._has_thread(suspect):
            try:
                seconds = _seconds(suspect, others_wait=others_wait)
                return await self._ask_host(suspect, seconds + watched, watched)
            except _NoThread as e:
                self.thread.is_missing(suspect.modules, str(e))
        if suspect.is_waited_for:
            return await self._ask_alone(suspect)
        # Node alone is only for suspects that Synapse waits for, since all other calls would wait.
        return None

    async def thread_stands(self, suspect: Suspect, seconds: float) -> bool:
        """Whether a thread with the suspect's modules goes on for `seconds` without any call. Raises NodeEnded."""
        try:
            return await self.thread.is_ready(suspect.modules, SET_UP_SECONDS, seconds, patient=True)
        except ConnectionGone:
            raise NodeEnded from None

    async def hear_of_thread(self, suspect: Suspect) -> None:
        """Lets the host tell of a thread that has ended between two turns: it does so when a thread is set up."""
        with suppress(ConnectionGone):
            await self.thread.is_ready(suspect.modules, LEAST_SET_UP_SECONDS, patient=True)

    async def thread_ends_unasked(self, suspect: Suspect, seconds: float) -> bool:
        """Whether a thread of the same modules ends within so many seconds while nobody is asked."""
        try:
            return await self.thread.ends_unasked(suspect.modules, LEAST_SET_UP_SECONDS, seconds)
        except ConnectionGone:
            # Node has ended meanwhile: it is not known.
            return False

    def _begin(self, suspect: Suspect, *, is_asked: bool) -> None:
        self._suspect, self._is_asked, self._node_end = suspect, is_asked, None

    async def _has_thread(self, suspect: Suspect) -> bool:
        seconds, patient = SET_UP_SECONDS, not suspect.is_waited_for
        self._begin(suspect, is_asked=False)
        self._is_apart = True
        if not patient:
            seconds = max(LEAST_SET_UP_SECONDS, suspect.deadline - time.monotonic() - TURN_SECONDS)
        try:
            return await self.thread.is_ready(suspect.modules, seconds, patient=patient)
        except ConnectionGone:
            if self._node_end is not None:
                # Native code may crash Node when it is loaded twice.
                self.thread.is_missing(suspect.modules, f"Node has ended of it: {self._node_end.cause}")
            raise NodeEnded from None
        finally:
            self._suspect = None

    async def _ask_alone(self, suspect: Suspect) -> End | None:
        if self._alone_seconds >= MOST_ALONE_SECONDS:
            fail(suspect, Unavailable(Reason.DOWN))
            return None
        began = time.monotonic()
        self._entrance.close()
        try:
            await self._until_nothing_is_under_way(began + DRAIN_SECONDS)
            seconds = min(ALONE_SECONDS, suspect.deadline - time.monotonic())
            return await self._ask_host(suspect, seconds, None)
        except _NoThread:
            # The thread of an isolated module has ended: it is not clear which call has ended it.
            raise NodeEnded from None
        finally:
            self._alone_seconds += time.monotonic() - began
            self.keeps_closed = self._alone_seconds < MOST_ALONE_SECONDS

    async def _until_nothing_is_under_way(self, deadline: float) -> None:
        while self._entrance.backpressure.in_flight and time.monotonic() < deadline:
            with suppress(DeadlinePassed):
                await self._host.within(Deferred(), time.monotonic() + LOOK_SECONDS)

    async def _ask_host(self, suspect: Suspect, seconds: float, watched: float | None) -> End | None:
        self._begin(suspect, is_asked=True)
        self._is_apart = is_apart = watched is not None
        began = time.monotonic()
        try:
            reply = await self._ask(suspect.call, suspect.entries, began + seconds, watched)
        except RpcError as e:
            is_clear = is_apart or not self._entrance.backpressure.in_flight
            if e.code == MODULE_ENDED and e.data.get("began") is True and is_clear:
                return End(e.data.get("module"), str(e.data.get("cause")), after=time.monotonic() - began)
            if e.code == MODULE_ENDED or (e.code == MODULE_UNAVAILABLE and is_apart):
                raise _NoThread(e.message) from None
            fail(suspect, e)
        except Unavailable as e:
            if e.reason != Reason.DEADLINE or suspect.is_slow:
                fail(suspect, e)
            elif not suspect.is_waited_for:
                suspect.is_slow = True
        except ConnectionGone:
            if self._node_end is None:
                raise NodeEnded from None
            return self._node_end
        else:
            if suspect.answer is not None and not suspect.answer.called:
                with PreserveLoggingContext():
                    suspect.answer.callback(reply)
        finally:
            self._suspect, self._is_asked = None, False
        return None


def _seconds(suspect: Suspect, *, others_wait: bool) -> float:
    if not suspect.is_waited_for:
        longer = min(LONG_TURN_TIMES * suspect.took, LONGEST_TURN_SECONDS) if suspect.is_slow else 0.0
        return max(UNAWAITED_SECONDS, longer)
    left = suspect.deadline - time.monotonic()
    return TURN_SECONDS if left < TURN_SECONDS or (others_wait and not suspect.is_slow) else left


def fail(suspect: Suspect, why: Exception) -> None:
    """Fails the suspect's answer, if something waits for it."""
    if suspect.answer is not None and not suspect.answer.called:
        with PreserveLoggingContext():
            suspect.answer.errback(why)
