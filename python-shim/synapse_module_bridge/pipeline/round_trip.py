"""Sends one call to the host for some modules, reads the untrusted reply, and reports the outcome to circuit breakers.

Where Node or a thread ends meanwhile, the call is settled.
"""

import logging
import time
from collections.abc import Coroutine, Sequence
from operator import attrgetter
from typing import Any

from twisted.internet.defer import Deferred, succeed

from synapse_module_bridge.calls.again import AskAgain
from synapse_module_bridge.calls.call import Call
from synapse_module_bridge.calls.exchange import Exchange, HostRequest
from synapse_module_bridge.calls.membership_lock import locked_room
from synapse_module_bridge.calls.open_calls import OpenCall
from synapse_module_bridge.codec.replies import Reply, read_error, read_reply
from synapse_module_bridge.quarantine.quarantine import Quarantine
from synapse_module_bridge.quarantine.settling import Settling
from synapse_module_bridge.quarantine.suspects import Recent
from synapse_module_bridge.routing.counting import count_failed, count_passed, count_times
from synapse_module_bridge.routing.entry import Entry, encode_params
from synapse_module_bridge.routing.modes_in_force import ModesInForce
from synapse_module_bridge.schema.protocol import ERROR_CODES, Reason
from synapse_module_bridge.telemetry import metrics
from synapse_module_bridge.transport.framing import TooLarge
from synapse_module_bridge.transport.rpc import RpcError
from synapse_module_bridge.transport.unavailable import Unavailable

logger = logging.getLogger("synapse_module_bridge.round_trip")

MODULE_ENDED = ERROR_CODES["module_ended"]
# Errors of a module that has answered in time.
_ANSWERED = (ERROR_CODES["synapse_error"], ERROR_CODES["module_fault"])


class RoundTrip:
    """For all calls of one bridge."""

    # Asks suspects, by `ask_apart`. The bridge sets it, since each of the two needs the other.
    settling: Settling

    def __init__(
        self,
        exchange: Exchange,
        quarantine: Quarantine,
        recent: Recent,
        server_name: str,
        modes: ModesInForce | None = None,
    ) -> None:
        self.exchange = exchange
        self.quarantine = quarantine
        self.recent = recent
        self._server_name = server_name
        self.modes = modes or ModesInForce()

    def ask(self, call: Call, entries: Sequence[Entry]) -> Coroutine[Any, Any, Reply]:
        """The reply of these modules. Raises RpcError, Unavailable and AskAgain."""
        question = _Question(self, call, entries, call.deadline)
        question.place = call.local, call.who
        return self.exchange.send(question)

    def ask_apart(
        self, call: Call, entries: Sequence[Entry], deadline: float, watched: float | None
    ) -> Coroutine[Any, Any, Reply]:
        """As `ask`, for a suspect. Raises ConnectionGone, too.

        It runs in the thread apart, which is watched for `watched` seconds after the answer; with None, as usual.
        """
        return self.exchange.send(_QuestionApart(self, call, entries, deadline, watched))

    async def failed(self, question: "_Question", e: Exception) -> Reply:
        """The reply where the host has failed: the call is settled, or asked again. Raises what `ask` raises."""
        call, entries = question.call, question.entries
        if isinstance(e, TooLarge):
            _leave_state_out(call, e)
            return await self.ask(call, entries)
        if isinstance(e, RpcError) and e.code != MODULE_ENDED:
            raise self.error(e, question) from None
        if isinstance(e, RpcError):
            # The modules before it have passed. But edits of theirs are lost, so all are asked again.
            ended = index_of(e.data.get("module"), entries) if call.callback.result != "Edits" else None
            if ended is not None:
                count_passed(entries[:ended])
                if call.callback.notify:
                    count_failed(entries[:ended], e.data.get("asked"))
                return await self._settle_one(call, entries, ended)
        elif question.since >= self.settling.unread_since and not call.was_unread:
            # Once only, lest a call that has been read all the same ends Node again and again.
            call.was_unread = True
            raise AskAgain from None
        # This call may have ended Node.
        return await self.settling.settle(call, entries, call.deadline)

    async def _settle_one(self, call: Call, entries: Sequence[Entry], index: int) -> Reply:
        """Settles the call for the module whose thread has ended, in at most half of the time, and asks the others."""
        entry, now = entries[index], time.monotonic()
        try:
            reply = await self.settling.settle(call, [entry], now + (call.deadline - now) / 2)
        except Unavailable as e:
            raise RpcError(MODULE_ENDED, f"{entry.module}: {e}", {"module": entry.module, "reason": str(e)}) from None
        if reply.module is not None or index + 1 == len(entries):
            return reply
        return await self.ask(call, entries[index + 1 :])

    def error(self, e: RpcError, question: "_Question") -> RpcError:
        """The error of a module or of the host, as far as it can be trusted."""
        call, entries = question.call, question.entries
        error = read_error(e, question.modules)
        index = index_of(error.data.get("module"), entries)
        if index is not None:
            count_passed(entries[:index])
            count_times(entries, error.data.get("asked"))
            if call.callback.notify:
                count_failed(entries[:index], error.data.get("asked"))
        # A module in a thread of its own has used up its share of the time, and may still be working.
        is_overdue = index is not None and error.data.get("reason") == Reason.DEADLINE
        self.recent.add(call, [entries[index]] if index is not None and is_overdue else entries, is_overdue=is_overdue)
        if error.code in _ANSWERED and index is not None:
            _answered(entries, error.data["module"], call.who)
        elif index is not None and is_overdue:
            question.missed(entries[index])
        return error

    def answered_late(self, handle: int, answer: Any) -> None:
        """Handles the answer to an expired call, which says which of several modules was running at the deadline."""
        expired = self.exchange.open_calls.finished_late(handle)
        metrics.LATE.labels(self._server_name).inc()
        if expired is None or expired.asked is None:
            return
        call, entries = expired.asked
        data = answer.get("data") if isinstance(answer, dict) else None
        told = data if isinstance(data, dict) else answer
        if isinstance(told, dict):
            count_times(entries, told.get("asked"))
        index = index_of(data.get("module"), entries) if isinstance(data, dict) else None
        # A single module was known at once (`expired`). Where Synapse had cancelled the call, no deadline was missed.
        cancelled = expired.ended_at < call.deadline
        if index is not None and len(entries) > 1 and not cancelled and call.had_time_from(expired.since):
            entries[index].breaker.missed(expired.since, call.who)


_module_of = attrgetter("module")


class _Question(HostRequest):
    """The request that asks modules in order."""

    outlives_its_caller = True

    def __init__(self, trip: RoundTrip, call: Call, entries: Sequence[Entry], deadline: float) -> None:
        callback = call.callback
        self.name, self.method, self.deadline = callback.name, callback.method, deadline
        self.call, self.entries = call, entries
        self.modules = list(map(_module_of, entries))
        self._trip = trip

    def read(self, answer: Any) -> Reply:
        """The reply, which is not trusted. Raises Unavailable."""
        call, entries = self.call, self.entries
        callback = call.callback
        self._trip.recent.add(call, entries)
        read = read_reply(callback, self.modules, answer)
        if read is None:
            logger.error("%s: the host's reply is malformed or ambiguous", callback.name)
            raise Unavailable(Reason.REPLY)
        if read.module is None:
            # As below, in one go: nearly all calls end so.
            for entry in entries:
                entry.count.passed += 1
                if entry.breaker.has_missed:
                    entry.breaker.answered(call.who)
        else:
            _answered(entries, read.module, call.who)
            count_passed(_passed(call, entries, read.module))
        asked = answer.get("asked")
        count_times(entries, asked)
        if callback.notify:
            count_failed(entries, asked)
        return read

    async def failed(self, e: Exception) -> Reply:
        return await self._trip.failed(self, e)

    def held_back(self) -> "Deferred[None] | None":
        """The call's author may have been set aside or suspected while the call waited, or a module switched off."""
        trip = self._trip
        if self.goes_ahead:
            return None
        if trip.modes.restrict and trip.modes.are_out(self.entries):
            return succeed(None)
        if not (trip.quarantine.active or trip.settling.busy):
            return None
        if trip.settling.gate.holds(self.call, self.modules) or any(
            trip.quarantine.holds(self.call, module) for module in self.modules
        ):
            return trip.settling.gate.until_open(self.call, self.modules)
        return None

    def opened(self) -> OpenCall:
        call, callback = self.call, self.call.callback
        opened = OpenCall(callback.name, self.modules, self.since)
        opened.asked, opened.deadline = (call, self.entries), call.deadline
        opened.locked_room = locked_room(callback, call.params, local=call.local)
        if callback.request_param is not None:
            opened.web_request = call.params.get(callback.request_param)
        elif callback.state_param is not None and call.state_let_go:
            opened.state_room = call.params["event"].room_id
        elif callback.state_param is not None:
            opened.state = call.params.get(callback.state_param)
        return opened

    def params(self) -> dict[str, Any]:
        call, entries = self.call, self.entries
        seconds_left = self.deadline - time.monotonic()
        question: dict[str, Any] = {
            "call": self.handle,
            "modules": self.modules,
            "params": encode_params(call.callback, call.params, entries, leaves_state_out=call.leaves_state_out),
            "request": call.request,
            "time_left_ms": int(1000 * seconds_left) if seconds_left > 0 else 0,
        }
        if call.callback.listed:
            question["entry"] = entries[0].index
        return question

    def missed(self, entry: Entry) -> None:
        """This module was running at the deadline: a miss, unless the call had waited in line for most of its time."""
        if self.call.had_time_from(self.since):
            entry.breaker.missed(self.since, self.call.who)

    def expired(self) -> None:
        # With several modules, the late answer says which one was running. A suspect has less time than its call.
        if len(self.entries) == 1 and not self.goes_ahead:
            self.missed(self.entries[0])

    def answered_late(self, answer: Any) -> None:
        self._trip.answered_late(self.handle, answer)


class _QuestionApart(_Question):
    """The request that asks a suspect's modules. It goes ahead of all others."""

    goes_ahead = True

    def __init__(
        self, trip: RoundTrip, call: Call, entries: Sequence[Entry], deadline: float, watched: float | None
    ) -> None:
        super().__init__(trip, call, entries, deadline)
        # How many seconds the thread apart is watched after the answer. None: the call runs as usual.
        self._watched = watched

    def params(self) -> dict[str, Any]:
        question = super().params()
        if self._watched is not None:
            question["apart"] = {"linger_ms": round(1000 * self._watched)}
        return question

    async def failed(self, e: Exception) -> Reply:
        if isinstance(e, TooLarge):
            _leave_state_out(self.call, e)
            return await self._trip.ask_apart(self.call, self.entries, self.deadline, self._watched)
        raise self._trip.error(e, self) if isinstance(e, RpcError) and e.code != MODULE_ENDED else e from None


def _leave_state_out(call: Call, e: TooLarge) -> None:
    """Lets modules ask for the room's state, where the request is too large with it. Raises Unavailable where that does
    not help, since the request is too large by what a client has written.
    """
    if call.callback.state_param is None or call.leaves_state_out:
        logger.error("%s: the question %s", call.callback.name, e)
        raise Unavailable(Reason.TOO_LARGE)
    call.leaves_state_out = True


def _answered(entries: Sequence[Entry], last: str | None, who: str) -> None:
    """Tells the breakers of the modules up to `last` (of all, for None) that they have answered in time."""
    for entry in entries:
        if entry.breaker.has_missed:
            entry.breaker.answered(who)
        if entry.module == last:
            break


def _passed(call: Call, entries: Sequence[Entry], decided_by: str) -> Sequence[Entry]:
    """The entries that have let the call pass. What the module `decided_by` has answered is recorded as a decision."""
    if call.callback.result == "Edits":
        return [entry for entry in entries if entry.module != decided_by]
    return entries[: index_of(decided_by, entries)]


def index_of(module: Any, entries: Sequence[Entry]) -> int | None:
    """The index of the entry of a module, which the host has named; None where there is none."""
    return next((index for index, entry in enumerate(entries) if entry.module == module), None)
