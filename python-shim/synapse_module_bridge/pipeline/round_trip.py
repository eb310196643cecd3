"""Asks the host a call's modules, and reads the reply: how it went is told to their breakers."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from twisted.internet.defer import CancelledError, Deferred

from synapse_module_bridge.calls.again import AskAgain
from synapse_module_bridge.calls.call import Call
from synapse_module_bridge.codec.replies import Reply, read_error, read_reply
from synapse_module_bridge.quarantine.membership import locked_room
from synapse_module_bridge.quarantine.open_calls import OpenCall, OpenCalls
from synapse_module_bridge.quarantine.quarantine import Quarantine
from synapse_module_bridge.quarantine.settling import Settling
from synapse_module_bridge.quarantine.suspects import Recent
from synapse_module_bridge.quarantine.turn import MODULE_ENDED
from synapse_module_bridge.reactor.deadline import DeadlinePassed
from synapse_module_bridge.reactor.log_context import SentinelContext
from synapse_module_bridge.resilience.entrance import Entrance
from synapse_module_bridge.routing.route import Entry, encode_params
from synapse_module_bridge.schema.protocol import ERROR_CODES, Reason
from synapse_module_bridge.telemetry import metrics
from synapse_module_bridge.transport.framing import TooLarge
from synapse_module_bridge.transport.host_interface import Host
from synapse_module_bridge.transport.rpc import ConnectionGone, RpcError
from synapse_module_bridge.transport.unavailable import Unavailable

logger = logging.getLogger("synapse_module_bridge.round_trip")

# A module was asked, and answered in time.
_ANSWERED = (ERROR_CODES["synapse_error"], ERROR_CODES["module_fault"])


class RoundTrip:
    """`run` starts a background process."""

    def __init__(
        self,
        host: Host,
        open_calls: OpenCalls,
        server_name: str,
        run: Callable[[Callable[[], Awaitable[None]]], object],
    ) -> None:
        self._host = host
        self._open_calls = open_calls
        self._server_name = server_name
        self.entrance = Entrance(host)
        self.quarantine = Quarantine(server_name)
        self.settling = Settling(host, self.entrance, self.quarantine, self._apart, run)
        self.recent = Recent()

    async def ask(self, call: Call, entries: Sequence[Entry]) -> Reply:
        """The reply of these modules. Raises RpcError, Unavailable, and AskAgain."""
        local, who = call.local, call.who
        if not self.entrance.enters(local, who):
            await self.entrance.enter(call.deadline, local, who)
        if (self.quarantine.active or self.settling.busy) and self._is_suspected(call, entries):
            self.entrance.leave(local, who)
            await self._until_settled(call, entries)
        is_lost, ended = False, None
        too_large: TooLarge | None = None
        modules, since = [entry.module for entry in entries], time.monotonic()
        handle = self._open_calls.open(partial(_opened, call, entries, modules, since))
        try:
            with SentinelContext():
                reply = await self._sent(call, entries, modules, handle, call.deadline)
        except RpcError as e:
            if e.code != MODULE_ENDED:
                raise self._error(e, call, entries, since) from None
            # Those before it have answered; but of edits, theirs are lost.
            ended = index_of(e.data.get("module"), entries) if call.callback.result != "Edits" else None
            is_lost = ended is None
        except DeadlinePassed:
            expired = self._open_calls.expire(handle)
            if len(entries) == 1 and call.had_time_from(expired.since):
                entries[0].breaker.missed(expired.since, call.who)
            raise Unavailable(Reason.DEADLINE) from None
        except CancelledError:
            # Nobody waits for it any more, but it may still end Node: who goes away is no less a suspect.
            self._open_calls.expire(handle)
            raise
        except ConnectionGone:
            is_lost = True
        except TooLarge as e:
            too_large = e
        except ValueError as e:
            raise _unsendable(call, e) from e
        finally:
            self._open_calls.close(handle)
            self.entrance.leave(local, who)
        if is_lost:
            # It may be what Node has ended of.
            return await self.settling.settle(call, entries, call.deadline)
        if ended is not None:
            return await self._settle_one(call, entries, ended)
        if too_large is not None:
            _leave_state_out(call, too_large)
            return await self.ask(call, entries)
        return self._read(reply, call, entries)

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

    def _is_suspected(self, call: Call, entries: Sequence[Entry]) -> bool:
        """Somebody may have been set aside, or fallen under suspicion, while this call waited."""
        modules = [entry.module for entry in entries]
        return self.settling.gate.holds(call, modules) or any(self.quarantine.holds(call, name) for name in modules)

    async def _until_settled(self, call: Call, entries: Sequence[Entry]) -> None:
        opened = self.settling.gate.until_open(call, [entry.module for entry in entries])
        try:
            await self._host.within(opened, call.deadline)
        except DeadlinePassed:
            raise Unavailable(Reason.DEADLINE) from None
        raise AskAgain

    async def _apart(self, call: Call, entries: Sequence[Entry], deadline: float, watched: float | None) -> Reply:
        """As `ask`, of a suspect: in the thread for them where that is watched. Raises ConnectionGone, too."""
        linger_ms = None if watched is None else round(1000 * watched)
        too_large: TooLarge | None = None
        modules, since = [entry.module for entry in entries], time.monotonic()
        handle = self._open_calls.open(partial(_opened, call, entries, modules, since))
        try:
            with SentinelContext():
                reply = await self._sent(call, entries, modules, handle, deadline, linger_ms)
        except RpcError as e:
            raise e if e.code == MODULE_ENDED else self._error(e, call, entries, since) from None
        except DeadlinePassed:
            self._open_calls.expire(handle)
            raise Unavailable(Reason.DEADLINE) from None
        except TooLarge as e:
            too_large = e
        except ValueError as e:
            raise _unsendable(call, e) from e
        finally:
            self._open_calls.close(handle)
        if too_large is not None:
            _leave_state_out(call, too_large)
            return await self._apart(call, entries, deadline, watched)
        return self._read(reply, call, entries)

    def _sent(
        self,
        call: Call,
        entries: Sequence[Entry],
        modules: Sequence[str],
        handle: int,
        deadline: float,
        linger_ms: int | None = None,
    ) -> "Deferred[Any]":
        question = partial(_question, call, entries, modules, handle, deadline, linger_ms)
        return self._host.call(call.callback.method, question, deadline, partial(self._late, handle))

    def _read(self, reply: Any, call: Call, entries: Sequence[Entry]) -> Reply:
        self.recent.add(call, entries)
        read = read_reply(call.callback, [entry.module for entry in entries], reply)
        if read is None:
            logger.error("%s: the host's reply does not say who decided what", call.callback.name)
            raise Unavailable(Reason.REPLY)
        _answered(entries, read.module, call.who)
        return read

    def _error(self, e: RpcError, call: Call, entries: Sequence[Entry], since: float) -> RpcError:
        error = read_error(e, [entry.module for entry in entries])
        index = index_of(error.data.get("module"), entries)
        # In a thread of its own a module has had its share of the time, and may go on with it.
        is_overdue = index is not None and error.data.get("reason") == Reason.DEADLINE
        self.recent.add(call, [entries[index]] if index is not None and is_overdue else entries, is_overdue=is_overdue)
        if error.code in _ANSWERED and index is not None:
            _answered(entries, error.data["module"], call.who)
        elif index is not None and is_overdue and call.had_time_from(since):
            entries[index].breaker.missed(since, call.who)
        return error

    def _late(self, handle: int, late: Any) -> None:
        """The answer to a call whose deadline had passed tells which of several modules was running."""
        expired = self._open_calls.finished_late(handle)
        metrics.LATE.labels(self._server_name).inc()
        if expired is None or expired.asked is None:
            return
        call, entries = expired.asked
        data = late.get("data") if isinstance(late, dict) else None
        index = index_of(data.get("module"), entries) if isinstance(data, dict) else None
        # Where one was asked, it was known at once. Where Synapse had cancelled it, its time was not up.
        cancelled = expired.ended_at < call.deadline
        if index is not None and len(entries) > 1 and not cancelled and call.had_time_from(expired.since):
            entries[index].breaker.missed(expired.since, call.who)


def _opened(call: Call, entries: Sequence[Entry], modules: Sequence[str], since: float) -> OpenCall:
    callback, params = call.callback, call.params
    opened = OpenCall(callback.name, modules, since)
    opened.asked, opened.deadline = (call, entries), call.deadline
    opened.locked_room = locked_room(callback, params, local=call.local)
    if callback.request_param is not None:
        opened.web_request = params.get(callback.request_param)
    elif callback.state_param is not None and call.state_let_go:
        opened.state_room = params["event"].room_id
    elif callback.state_param is not None:
        opened.state = params.get(callback.state_param)
    return opened


def _question(
    call: Call,
    entries: Sequence[Entry],
    modules: Sequence[str],
    handle: int,
    deadline: float,
    linger_ms: int | None = None,
) -> Mapping[str, Any]:
    question = {
        "call": handle,
        "modules": modules,
        "params": encode_params(call.callback, call.params, entries, leaves_state_out=call.leaves_state_out),
        "request": call.request,
        "time_left_ms": max(0, int(1000 * (deadline - time.monotonic()))),
    }
    if call.callback.listed:
        question["entry"] = entries[0].index
    if linger_ms is not None:
        question["apart"] = {"linger_ms": linger_ms}
    return question


def _leave_state_out(call: Call, e: TooLarge) -> None:
    """Modules ask for what they need of it. What a client has written is all sent. Raises Unavailable."""
    if call.callback.state_param is None or call.leaves_state_out:
        logger.error("%s: the question %s", call.callback.name, e)
        raise Unavailable(Reason.TOO_LARGE)
    call.leaves_state_out = True


def _unsendable(call: Call, e: ValueError) -> Unavailable:
    logger.error("%s: a parameter cannot be sent: %s", call.callback.name, e)
    return Unavailable(Reason.PARAMS)


def _answered(entries: Sequence[Entry], last: str | None, who: str) -> None:
    """The modules up to the last that was asked have answered in time; all, where none decided."""
    for entry in entries:
        entry.breaker.answered(who)
        if entry.module == last:
            break


def index_of(module: Any, entries: Sequence[Entry]) -> int | None:
    return next((index for index, entry in enumerate(entries) if entry.module == module), None)
