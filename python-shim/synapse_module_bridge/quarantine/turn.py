"""Asks one suspect, so that it shows whether it ends what it runs in.

That is the host's thread apart; or, where it cannot be had and somebody waits, Node itself with nothing else under way.
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
from synapse_module_bridge.quarantine.preparing import Preparing
from synapse_module_bridge.quarantine.suspects import Suspect
from synapse_module_bridge.quarantine.thread_apart import ThreadApart
from synapse_module_bridge.reactor.deadline import DeadlinePassed
from synapse_module_bridge.resilience.entrance import Entrance
from synapse_module_bridge.routing.route import Entry
from synapse_module_bridge.schema.protocol import ERROR_CODES, Reason
from synapse_module_bridge.transport.host_interface import Host
from synapse_module_bridge.transport.rpc import ConnectionGone, RpcError
from synapse_module_bridge.transport.unavailable import Unavailable

MODULE_ENDED = ERROR_CODES["module_ended"]
MODULE_UNAVAILABLE = ERROR_CODES["module_unavailable"]
# What one may take in the thread while others wait, and what it has at least: where the call hangs the thread, that
# shows after a second.
TURN_SECONDS = 2.0
# One that nobody waits for; and so many times as long as it had run before, where that was longer. What fills the
# memory may take its time.
UNAWAITED_SECONDS = 2.5
LONG_TURN_TIMES = 1.5
LONGEST_TURN_SECONDS = 10.0
# What the thread may take to be set up where nobody waits; and at least, also where somebody will soon wait no more,
# since one that hangs Node would do so again.
SET_UP_SECONDS = 15.0
LEAST_SET_UP_SECONDS = 3.0
# One that Node is asked alone: where it hangs Node, that shows after three seconds.
ALONE_SECONDS = 4.0
# All of them after an end: all else waits meanwhile.
MOST_ALONE_SECONDS = 8.0
# What is under way may take to be finished before that.
DRAIN_SECONDS = 0.5
LOOK_SECONDS = 0.02

# Asks these modules until a deadline: in the thread apart, which is watched for some seconds after the answer; or, with
# None, as usual. Raises RpcError, Unavailable and ConnectionGone.
AskApart = Callable[[Call, Sequence[Entry], float, float | None], Awaitable[Reply]]


class End(NamedTuple):
    """Of the thread, or of Node with it: the module that did it, if that is known, and how."""

    module: Any
    cause: str
    # It was Node, which was asked nothing else.
    of_node: bool = False


class NodeEnded(Exception):
    """Node has ended while one was asked, and perhaps of something else."""


class _NoThread(Exception):
    """It has ended before anything was asked in it."""


class Turns:
    def __init__(self, host: Host, entrance: Entrance, ask: AskApart) -> None:
        self._host = host
        self._entrance = entrance
        self._ask = ask
        self.thread = ThreadApart(host)
        self.preparing = Preparing(host)
        # Whose turn it is, and whether it was asked yet, or the thread is made ready.
        self._suspect: Suspect | None = None
        self._is_asked = False
        # In a thread.
        self._is_apart = True
        # How Node has ended meanwhile, if it was of that.
        self._node_end: End | None = None
        # For how long all else has waited.
        self._alone_seconds = 0.0
        # The last one was asked so, and so may be the next: until then, the entrance is better kept closed.
        self.keeps_closed = False

    def over(self) -> None:
        """Nobody is suspected any more."""
        self.thread.forget()
        self._alone_seconds, self.keeps_closed = 0.0, False

    def node_ended(self, cause: str, culprit: str | None, *, under_way: int, before: bool) -> bool:
        """Before its calls fail. Tells whether it was what is asked here.

        `under_way` are how many calls were, that of the suspect too. `before`: it may be one that was asked before.
        """
        suspect, self._node_end = self._suspect, None
        if suspect is None or under_way > self._is_asked:
            return False
        if is_of_no_call(cause) or (self._is_apart and not may_be_of_a_thread(cause)):
            return False
        # One that is asked again was the first that this Node was asked, where nobody has entered since.
        if not before or (suspect.in_vain > 0 and self._entrance.is_closed):
            self._node_end = End(culprit, cause, of_node=True)
        return self._is_asked and self._node_end is not None

    def api_asked(self, module: Any) -> None:
        """This module has asked the api for something."""
        if self._suspect is not None and self._is_asked and module in self._suspect.modules:
            self._suspect.asked_api = True

    async def ask(self, suspect: Suspect, watched: float = 0.0, *, others_wait: bool = False) -> End | None:
        """How the thread, or Node, has ended of it, if so; else who waits has the answer, unless that takes long.

        Raises NodeEnded.
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
        # It would hold up all others, for nobody.
        return None

    async def thread_stands(self, suspect: Suspect, seconds: float) -> bool:
        """Whether a thread of these modules stands for so long while nobody is asked. Raises NodeEnded."""
        try:
            return await self.thread.is_ready(suspect.modules, SET_UP_SECONDS, seconds, patient=True)
        except ConnectionGone:
            raise NodeEnded from None

    def _begin(self, suspect: Suspect, *, is_asked: bool) -> None:
        self._suspect, self._is_asked, self._node_end = suspect, is_asked, None

    async def _has_thread(self, suspect: Suspect) -> bool:
        seconds, patient = SET_UP_SECONDS, not suspect.is_waited_for
        self._begin(suspect, is_asked=False)
        self._is_apart = True
        if not patient:
            left = suspect.deadline - time.monotonic()
            seconds = max(LEAST_SET_UP_SECONDS, left / 2, left - TURN_SECONDS)
        try:
            return await self.thread.is_ready(suspect.modules, seconds, patient=patient)
        except ConnectionGone:
            if self._node_end is not None:
                # As native code does that is loaded twice.
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
            # That of an isolated module, of which it cannot be told here.
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
        try:
            reply = await self._ask(suspect.call, suspect.entries, time.monotonic() + seconds, watched)
        except RpcError as e:
            if e.code == MODULE_ENDED and e.data.get("began") is True:
                if is_apart or not self._entrance.backpressure.in_flight:
                    return End(e.data.get("module"), str(e.data.get("cause")))
                raise _NoThread from None
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
    if suspect.answer is not None and not suspect.answer.called:
        with PreserveLoggingContext():
            suspect.answer.errback(why)
