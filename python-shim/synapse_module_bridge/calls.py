"""Asks the host on behalf of Synapse: from a callback's arguments to the answer that Synapse takes.

Order of events: the modules whose `match` holds are found; one request asks them in order; the answer is decoded. A
module that cannot answer is stood in for by policy: where that allows, those after it are still asked. One deadline
holds for the whole call. Each call leaves its decisions on record.
"""

import logging
import time
from collections.abc import Awaitable, Mapping, Sequence
from functools import partial
from typing import Any

from synapse_module_bridge import metrics, policy
from synapse_module_bridge.breaker import Breaker
from synapse_module_bridge.call import Call, Rules
from synapse_module_bridge.catalogue import ERROR_CODES, Callback
from synapse_module_bridge.codec import Unfit, decode_answer
from synapse_module_bridge.deadline import DeadlinePassed
from synapse_module_bridge.decision import summarise
from synapse_module_bridge.entrance import Entrance
from synapse_module_bridge.host_interface import Host
from synapse_module_bridge.log_context import SentinelContext
from synapse_module_bridge.membership import locked_room
from synapse_module_bridge.open_calls import OpenCall, OpenCalls
from synapse_module_bridge.questions import Entry, encode_params
from synapse_module_bridge.replies import Reply, read_error, read_reply, reason_of, synapse_error
from synapse_module_bridge.rpc import ConnectionGone, RpcError
from synapse_module_bridge.suspects import Suspects
from synapse_module_bridge.unavailable import Unavailable

logger = logging.getLogger(__name__)


class ModuleFault(Exception):
    """A module threw, or its answer does not fit."""


class Calls:
    def __init__(self, host: Host, open_calls: OpenCalls, rules: Rules) -> None:
        self.host = host
        self._open_calls = open_calls
        self.rules = rules
        self.entrance = Entrance(host)
        self.suspects = Suspects(time.monotonic)
        self.entries: Mapping[str, Sequence[Entry]] = {}

    def open_breakers(self) -> set[Breaker]:
        breakers = (entry.breaker for entries in self.entries.values() for entry in entries)
        return {breaker for breaker in breakers if breaker.is_open}

    def begin(self, callback: Callback, params: Mapping[str, Any]) -> Call:
        """A call with Synapse's parameters by name: its time runs from now."""
        rules, now = self.rules, time.monotonic()
        local, event = rules.is_local(callback, params), callback.event_param
        return Call(
            callback=callback,
            params=params,
            server_name=rules.server_name,
            started=now,
            local=local,
            since=now,
            deadline=now + rules.seconds[callback.name, local],
            event_id=params[event].event_id if event else None,
        )

    async def ask_traced(self, call: Call, entries: list[Entry]) -> Any:
        """As `ask`, where there may be tracing."""
        with call.traced(entries):
            return await self.ask(call, entries)

    async def ask(self, call: Call, entries: list[Entry]) -> Any:
        """The answer for Synapse. Takes out of `entries` what has been heard, or stood in for."""
        edits = call.callback.result == "Edits"
        on_record = False
        try:
            while entries:
                if call.event_id is not None and self.suspects.is_convicted(call.event_id):
                    raise Unavailable("killed_node")
                asked, failed = self._next_asked(call, entries)
                heard = len(asked)
                if asked:
                    try:
                        kept = asked[0].remembered is not None
                        reply = await (self.request(call, asked) if kept else self._send(call, asked))
                        if reply.module is not None or edits:
                            answer = self._decode(call, reply)
                            if not edits:
                                return answer
                            on_record = True
                    except RpcError as e:
                        heard, failed = self._failed(call, asked, e)
                if failed is not None:
                    module = entries[heard].module
                    if self._policy(call) != "allow":
                        return self._by_policy(call, failed, module)
                    call.record("policy", module, "allow", failed)
                    on_record = True
                    heard += 1
                del entries[:heard]
            if not on_record:
                call.record("allowed")
            return None if edits else policy.no_objection(call.callback, call.params)
        except _Answered as e:
            return e.args[0]
        except Unavailable as e:
            return self._by_policy(call, str(e), [entry.module for entry in entries])
        finally:
            call.finish()

    def _next_asked(self, call: Call, entries: Sequence[Entry]) -> tuple[Sequence[Entry], str | None]:
        """Who is asked in one round trip, and why the one after them cannot be asked, if so.

        A module whose answers are kept is asked by itself.
        """
        for index, entry in enumerate(entries):
            if entry.remembered is not None:
                if index == 0 and call.known_to(entry) is None and not entry.breaker.admits():
                    return [], "breaker"
                return entries[: max(1, index)], None
            if not entry.breaker.admits():
                return entries[:index], "breaker"
        # A copy, since what has been heard is taken out of the other.
        return entries[:], None

    def request(self, call: Call, entries: Sequence[Entry]) -> Awaitable[Reply]:
        """The reply of these modules: of the host, or kept. Raises RpcError and Unavailable."""
        remembered = entries[0].remembered
        question = None if remembered is None else call.as_question()
        if remembered is None or question is None:
            return self._send(call, entries)
        ask = partial(self._send, call, entries)
        return remembered.ask(question, ask, partial(self.host.within, deadline=call.deadline))

    async def _send(self, call: Call, entries: Sequence[Entry]) -> Reply:
        callback = call.callback
        if not self.entrance.enters(local=call.local):
            await self.entrance.enter(call.deadline, local=call.local)
        modules = [entry.module for entry in entries]
        handle = self._open_calls.open(partial(_opened, call, modules, time.monotonic()))
        try:
            question = partial(_question, call, entries, modules, handle)
            late = partial(self._late, call, entries, handle)
            with SentinelContext():
                reply = await self.host.call(callback.method, question, call.deadline, late)
        except RpcError as e:
            error = read_error(e, modules)
            if error.code in _ANSWERED and _index_of(error.data.get("module"), entries) is not None:
                _answered(entries, error.data["module"])
            raise error from None
        except DeadlinePassed:
            expired = self._open_calls.expire(handle)
            if len(entries) == 1 and call.had_time_from(expired.since):
                entries[0].breaker.missed()
            raise Unavailable("deadline") from None
        except ConnectionGone:
            raise Unavailable("down") from None
        except ValueError as e:
            logger.error("%s: a parameter cannot be sent: %s", callback.name, e)
            raise Unavailable("params") from e
        finally:
            self._open_calls.close(handle)
            self.entrance.leave(local=call.local)
        read = read_reply(callback, modules, reply)
        if read is None:
            logger.error("%s: the host's reply does not say who decided what", callback.name)
            raise Unavailable("reply")
        _answered(entries, read.module)
        return read

    def _late(self, call: Call, entries: Sequence[Entry], handle: int, late: Any) -> None:
        """The answer to a call whose deadline had passed tells which of several modules was running."""
        expired = self._open_calls.finished_late(handle)
        metrics.LATE.labels(self.rules.server_name).inc()
        if expired is None:
            # Synapse had cancelled it: its time was not up.
            return
        data = late.get("data") if isinstance(late, dict) else None
        index = _index_of(data.get("module"), entries) if isinstance(data, dict) else None
        # Where one was asked, it was known at once.
        if index is not None and len(entries) > 1 and call.had_time_from(expired.since):
            entries[index].breaker.missed()

    def _decode(self, call: Call, reply: Reply) -> Any:
        """The answer for Synapse where a module has decided, or edited. Puts it on record."""
        module = reply.module
        try:
            answer = decode_answer(call.callback.result, reply.answer, call.params)
        except (Unfit, ValueError, KeyError, TypeError, RecursionError) as e:
            message = f"{module}: {call.callback.name}: {e}"
            logger.error("%s", message)
            raise RpcError(ERROR_CODES["module_fault"], message, {"module": module, "kind": "answer"}) from e
        outcome, summary = summarise(call.callback, reply.answer, decided=module is not None)
        if outcome != "allowed":
            call.record(outcome, module, summary)
        return answer

    def _failed(self, call: Call, asked: Sequence[Entry], e: RpcError) -> tuple[int, str]:
        """Which entry policy stands in for, and why. Raises what Synapse must see instead, or _Answered."""
        index = _index_of(e.data.get("module"), asked)
        # What the host says beyond that is not trusted.
        module = None if index is None else asked[index].module
        explicit = self.rules.policies.explicit(call.callback, local=call.local)
        settled = call.callback.faults_by_policy and index is not None
        if index is not None:
            call.forget(asked[index])
        if e.code == ERROR_CODES["synapse_error"] and not settled:
            call.record("error", module, f"{e.data['code']}/{e.data['errcode']}")
            if call.callback.swallows:
                raise _Answered(policy.refuse(call.callback, call.params))
            raise synapse_error(e) from None
        if e.code == ERROR_CODES["module_fault"] and explicit is None and call.callback.swallows:
            call.record("fault", module)
            raise _Answered(policy.refuse(call.callback, call.params))
        if e.code == ERROR_CODES["module_fault"] and explicit is None and call.local and not settled:
            call.record("fault", module)
            raise ModuleFault(e.message) from None
        if index is None:
            logger.error("%s: %s", call.callback.name, e.message)
            raise Unavailable(reason_of(e)) from None
        return index, _REASONS.get(e.code) or reason_of(e)

    def _policy(self, call: Call) -> str:
        return self.rules.policies.choose(call.callback, call.params, local=call.local)

    def _by_policy(self, call: Call, reason: str, module: str | Sequence[str]) -> Any:
        chosen = self._policy(call)
        call.record("policy", module, chosen, reason)
        return policy.answer(call.callback, chosen, call.params, local=call.local)


# A module was asked, and answered in time.
_ANSWERED = (ERROR_CODES["synapse_error"], ERROR_CODES["module_fault"])
_REASONS = {
    ERROR_CODES["module_fault"]: "fault",
    ERROR_CODES["synapse_error"]: "error",
    ERROR_CODES["module_unavailable"]: "setup",
}


class _Answered(Exception):
    """A failure that has an answer of its own: its only argument."""


def _opened(call: Call, modules: Sequence[str], since: float) -> OpenCall:
    callback, params = call.callback, call.params
    opened = OpenCall(callback.name, modules, since)
    opened.event_id, opened.deadline = call.event_id, call.deadline
    opened.locked_room = locked_room(callback, params, local=call.local)
    if callback.request_param is not None:
        opened.web_request = params.get(callback.request_param)
    elif callback.state_param is not None and call.state_let_go:
        opened.state_room = params["event"].room_id
    elif callback.state_param is not None:
        opened.state = params.get(callback.state_param)
    return opened


def _question(call: Call, entries: Sequence[Entry], modules: Sequence[str], handle: int) -> dict[str, Any]:
    question = {
        "call": handle,
        "modules": modules,
        "params": encode_params(call.callback, call.params, entries),
        "request": call.request,
    }
    if call.callback.listed:
        question["entry"] = entries[0].index
    return question


def _answered(entries: Sequence[Entry], last: str | None) -> None:
    """The modules up to the last that was asked have answered in time; all, where none decided."""
    for entry in entries:
        entry.breaker.answered()
        if entry.module == last:
            break


def _index_of(module: Any, entries: Sequence[Entry]) -> int | None:
    return next((index for index, entry in enumerate(entries) if entry.module == module), None)
