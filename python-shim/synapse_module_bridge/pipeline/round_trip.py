"""Asks the host a call's modules, and reads the reply: how it went is told to their circuit breakers."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred

from synapse_module_bridge.calls.call import Call
from synapse_module_bridge.calls.exchange import Exchange, HostRequest
from synapse_module_bridge.calls.open_calls import OpenCall
from synapse_module_bridge.codec.replies import Reply, read_error, read_reply
from synapse_module_bridge.quarantine.membership import locked_room
from synapse_module_bridge.quarantine.quarantine import Quarantine
from synapse_module_bridge.quarantine.settling import Settling
from synapse_module_bridge.quarantine.suspects import Recent
from synapse_module_bridge.quarantine.turn import MODULE_ENDED
from synapse_module_bridge.routing.route import Entry, encode_params
from synapse_module_bridge.schema.protocol import ERROR_CODES, Reason
from synapse_module_bridge.telemetry import metrics
from synapse_module_bridge.transport.framing import TooLarge
from synapse_module_bridge.transport.rpc import ConnectionGone, RpcError
from synapse_module_bridge.transport.unavailable import Unavailable

logger = logging.getLogger("synapse_module_bridge.round_trip")

# A module was asked, and answered in time.
_ANSWERED = (ERROR_CODES["synapse_error"], ERROR_CODES["module_fault"])


class RoundTrip:
    """`run` starts a background process."""

    def __init__(
        self, exchange: Exchange, server_name: str, run: Callable[[Callable[[], Awaitable[None]]], object]
    ) -> None:
        self.exchange = exchange
        self._server_name = server_name
        self.quarantine = Quarantine(server_name)
        self.settling = Settling(exchange.host, exchange.entrance, self.quarantine, self.ask_apart, run)
        self.recent = Recent()

    async def ask(self, call: Call, entries: Sequence[Entry]) -> Reply:
        """The reply of these modules. Raises RpcError, Unavailable, and AskAgain."""
        question = _Question(self, call, entries, call.deadline)
        question.place = call.local, call.who
        try:
            reply = await self.exchange.send(question)
        except ConnectionGone:
            # It may be what Node has ended of.
            return await self.settling.settle(call, entries, call.deadline)
        except RpcError as e:
            if e.code != MODULE_ENDED:
                raise self._error(e, question) from None
            # Those before it have answered; but of edits, theirs are lost.
            ended = index_of(e.data.get("module"), entries) if call.callback.result != "Edits" else None
            if ended is None:
                return await self.settling.settle(call, entries, call.deadline)
            return await self._settle_one(call, entries, ended)
        except TooLarge as e:
            _leave_state_out(call, e)
            return await self.ask(call, entries)
        return self._read(reply, question)

    async def ask_apart(self, call: Call, entries: Sequence[Entry], deadline: float, watched: float | None) -> Reply:
        """As `ask`, of a suspect: in the thread for them where that is watched. Raises ConnectionGone, too."""
        question = _Question(self, call, entries, deadline)
        question.goes_ahead = True
        question.linger_ms = None if watched is None else round(1000 * watched)
        try:
            reply = await self.exchange.send(question)
        except RpcError as e:
            raise e if e.code == MODULE_ENDED else self._error(e, question) from None
        except TooLarge as e:
            _leave_state_out(call, e)
            return await self.ask_apart(call, entries, deadline, watched)
        return self._read(reply, question)

    async def _settle_one(self, call: Call, entries: Sequence[Entry], index: int) -> Reply:
        """The module whose thread has ended costs those after it at most half of the time that is left."""
        entry, now = entries[index], time.monotonic()
        try:
            reply = await self.settling.settle(call, [entry], now + (call.deadline - now) / 2)
        except Unavailable as e:
            raise RpcError(MODULE_ENDED, f"{entry.module}: {e}", {"module": entry.module, "reason": str(e)}) from None
        if reply.module is not None or index + 1 == len(entries):
            return reply
        return await self.ask(call, entries[index + 1 :])

    def _read(self, reply: Any, question: "_Question") -> Reply:
        call, entries = question.call, question.entries
        self.recent.add(call, entries)
        read = read_reply(call.callback, question.modules, reply)
        if read is None:
            logger.error("%s: the host's reply does not say who decided what", call.callback.name)
            raise Unavailable(Reason.REPLY)
        _answered(entries, read.module, call.who)
        return read

    def _error(self, e: RpcError, question: "_Question") -> RpcError:
        call, entries = question.call, question.entries
        error = read_error(e, question.modules)
        index = index_of(error.data.get("module"), entries)
        # In a thread of its own a module has had its share of the time, and may go on with it.
        is_overdue = index is not None and error.data.get("reason") == Reason.DEADLINE
        self.recent.add(call, [entries[index]] if index is not None and is_overdue else entries, is_overdue=is_overdue)
        if error.code in _ANSWERED and index is not None:
            _answered(entries, error.data["module"], call.who)
        elif index is not None and is_overdue:
            question.missed(entries[index])
        return error

    def answered_late(self, handle: int, answer: Any) -> None:
        """The answer to a call whose deadline had passed tells which of several modules was running."""
        expired = self.exchange.open_calls.finished_late(handle)
        metrics.LATE.labels(self._server_name).inc()
        if expired is None or expired.asked is None:
            return
        call, entries = expired.asked
        data = answer.get("data") if isinstance(answer, dict) else None
        index = index_of(data.get("module"), entries) if isinstance(data, dict) else None
        # Where one was asked, it was known at once. Where Synapse had cancelled it, its time was not up.
        cancelled = expired.ended_at < call.deadline
        if index is not None and len(entries) > 1 and not cancelled and call.had_time_from(expired.since):
            entries[index].breaker.missed(expired.since, call.who)


class _Question(HostRequest):
    """A call, put to these modules in order."""

    outlives_its_caller = True
    # In the thread for suspects, which is watched for so long after the answer.
    linger_ms: int | None = None

    def __init__(self, trip: RoundTrip, call: Call, entries: Sequence[Entry], deadline: float) -> None:
        self.name, self.method, self.deadline = call.callback.name, call.callback.method, deadline
        self.call, self.entries = call, entries
        self.modules = [entry.module for entry in entries]
        self._trip = trip

    def held_back(self) -> "Deferred[None] | None":
        """Somebody may have been set aside, or fallen under suspicion, while the call waited."""
        trip = self._trip
        if self.goes_ahead or not (trip.quarantine.active or trip.settling.busy):
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

    def params(self, handle: int) -> Mapping[str, Any]:
        call, entries = self.call, self.entries
        question = {
            "call": handle,
            "modules": self.modules,
            "params": encode_params(call.callback, call.params, entries, leaves_state_out=call.leaves_state_out),
            "request": call.request,
            "time_left_ms": max(0, int(1000 * (self.deadline - time.monotonic()))),
        }
        if call.callback.listed:
            question["entry"] = entries[0].index
        if self.linger_ms is not None:
            question["apart"] = {"linger_ms": self.linger_ms}
        return question

    def missed(self, entry: Entry) -> None:
        """This module was running when the time was up, and had most of it."""
        if self.call.had_time_from(self.since):
            entry.breaker.missed(self.since, self.call.who)

    def expired(self) -> None:
        # Of several modules, the late answer tells which one was running. A suspect is asked in less than its time.
        if len(self.entries) == 1 and not self.goes_ahead:
            self.missed(self.entries[0])

    def answered_late(self, handle: int, answer: Any) -> None:
        self._trip.answered_late(handle, answer)


def _leave_state_out(call: Call, e: TooLarge) -> None:
    """Modules ask for what they need of it. What a client has written is all sent. Raises Unavailable."""
    if call.callback.state_param is None or call.leaves_state_out:
        logger.error("%s: the question %s", call.callback.name, e)
        raise Unavailable(Reason.TOO_LARGE)
    call.leaves_state_out = True


def _answered(entries: Sequence[Entry], last: str | None, who: str) -> None:
    """The modules up to the last that was asked have answered in time; all, where none decided."""
    for entry in entries:
        entry.breaker.answered(who)
        if entry.module == last:
            break


def index_of(module: Any, entries: Sequence[Entry]) -> int | None:
    return next((index for index, entry in enumerate(entries) if entry.module == module), None)
