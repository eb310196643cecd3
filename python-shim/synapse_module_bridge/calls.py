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
from synapse_module_bridge.decision import Recorder, summarise
from synapse_module_bridge.entrance import Entrance
from synapse_module_bridge.host_interface import Host
from synapse_module_bridge.membership import locked_room
from synapse_module_bridge.open_calls import OpenCall, OpenCalls
from synapse_module_bridge.questions import Entry, current_request, encode_params, first_chain
from synapse_module_bridge.replies import Reply, read_error, read_reply, synapse_error
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
        local = self.rules.is_local(callback, params)
        return Call(
            callback=callback,
            params=params,
            local=local,
            deadline=self.rules.deadline(callback, local=local),
            recorder=Recorder(callback, params, self.rules.server_name),
            request=current_request(),
        )

    async def ask(self, call: Call, entries: Sequence[Entry]) -> Any:
        """The answer for Synapse."""
        unheard = [*entries]
        with call.recorder.traced([entry.module for entry in entries]):
            try:
                return await self._ask_in_order(call, unheard)
            except _Answered as e:
                return e.args[0]
            except Unavailable as e:
                return self._by_policy(call, str(e), [entry.module for entry in unheard])
            finally:
                call.recorder.finish()

    async def _ask_in_order(self, call: Call, entries: list[Entry]) -> Any:
        """Takes out of `entries` what has been heard, or stood in for."""
        edits = call.callback.result == "Edits"
        on_record = False
        while entries:
            if call.event_id is not None and self.suspects.is_convicted(call.event_id):
                raise Unavailable("killed_node")
            chain = first_chain(entries)
            admitted = self._admitted(call, chain)
            heard, reason = len(admitted), "breaker"
            if admitted:
                try:
                    decided, answer = self._decode(call, await self.request(call, admitted))
                    if decided:
                        return answer
                    on_record = on_record or edits
                except RpcError as e:
                    heard, reason = self._failed(call, admitted, e)
            if heard < len(chain):
                module = chain[heard].module
                if self._policy(call) != "allow":
                    return self._by_policy(call, reason, module)
                call.recorder.record("policy", module, "allow", reason)
                on_record = True
                heard += 1
            del entries[:heard]
        if not on_record:
            call.recorder.record("allowed")
        return None if edits else policy.no_objection(call.callback, call.params)

    def _admitted(self, call: Call, entries: Sequence[Entry]) -> Sequence[Entry]:
        """The entries up to the first whose breaker lets nothing through."""
        for index, entry in enumerate(entries):
            if call.known_to(entry) is None and not entry.breaker.admits():
                return entries[:index]
        # A copy, since what has been heard is taken out of the other.
        return entries[:]

    def request(self, call: Call, entries: Sequence[Entry]) -> Awaitable[Reply]:
        """The reply of these modules: of the host, or kept. Raises RpcError and Unavailable."""
        remembered = entries[0].remembered
        question = None if remembered is None else call.as_question()
        if remembered is None or question is None:
            return self._send_in_turn(call, entries)
        ask = partial(self._send_in_turn, call, entries)
        return remembered.ask(question, ask, partial(self.host.within, deadline=call.deadline))

    async def _send_in_turn(self, call: Call, entries: Sequence[Entry]) -> Reply:
        await self.entrance.enter(call.deadline, local=call.local)
        try:
            return await self._send(call, entries)
        finally:
            self.entrance.leave(local=call.local)

    async def _send(self, call: Call, entries: Sequence[Entry]) -> Reply:
        modules = [entry.module for entry in entries]
        handle = self._open_calls.open(self._open(call, modules))
        try:
            reply = await self.host.call(
                f"callback/{call.callback.name}",
                {
                    "call": handle,
                    "modules": modules,
                    "params": encode_params(call.callback, call.params, entries),
                    "request": call.request,
                    **({} if entries[0].index is None else {"entry": entries[0].index}),
                },
                call.deadline,
                partial(self._late, call, entries, handle),
            )
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
            logger.error("%s: a parameter cannot be sent: %s", call.callback.name, e)
            raise Unavailable("params") from e
        finally:
            self._open_calls.close(handle)
        read = read_reply(call.callback, modules, reply)
        if read is None:
            logger.error("%s: the host's reply does not say who decided what", call.callback.name)
            raise Unavailable("reply")
        _answered(entries, read.module)
        return read

    def _open(self, call: Call, modules: Sequence[str]) -> OpenCall:
        what = f"{call.callback.name} of {', '.join(modules)}"
        locked = locked_room(call.callback, call.params, local=call.local)
        opened = OpenCall(what=what, event_id=call.event_id, locked_room=locked, deadline=call.deadline)
        state = call.callback.param_of_type("StateEvents")
        request = call.callback.param_of_type("HttpRequest")
        if request is not None:
            opened.web_request = call.params[request]
        elif state is not None and call.state_let_go:
            opened.state_room = call.params["event"].room_id
        elif state is not None:
            opened.state = call.params[state]
        return opened

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

    def _decode(self, call: Call, reply: Reply) -> tuple[bool, Any]:
        """Whether a module decided, and the answer for Synapse."""
        module = reply.module
        edits = call.callback.result == "Edits"
        if module is None and not edits:
            return False, None
        try:
            answer = decode_answer(call.callback.result, reply.answer, call.params)
        except (Unfit, ValueError, KeyError, TypeError, RecursionError) as e:
            message = f"{module}: {call.callback.name}: {e}"
            logger.error("%s", message)
            raise RpcError(ERROR_CODES["module_fault"], message, {"module": module, "kind": "answer"}) from e
        outcome, summary = summarise(call.callback, reply.answer, decided=module is not None)
        if outcome != "allowed":
            call.recorder.record(outcome, module, summary)
        return not edits, answer

    def _failed(self, call: Call, asked: Sequence[Entry], e: RpcError) -> tuple[int, str]:
        """Which entry policy stands in for, and why. Raises what Synapse must see instead, or _Answered."""
        module = e.data.get("module")
        index = _index_of(module, asked)
        explicit = self.rules.policies.explicit(call.callback, local=call.local)
        settled = call.callback.faults_by_policy and index is not None
        if index is not None:
            call.forget(asked[index])
        if e.code == ERROR_CODES["synapse_error"] and not settled:
            call.recorder.record("error", module, f"{e.data['code']}/{e.data['errcode']}")
            if call.callback.swallows:
                raise _Answered(policy.refuse(call.callback, call.params))
            raise synapse_error(e) from None
        if e.code == ERROR_CODES["module_fault"] and explicit is None and call.callback.swallows:
            call.recorder.record("fault", module)
            raise _Answered(policy.refuse(call.callback, call.params))
        if e.code == ERROR_CODES["module_fault"] and explicit is None and call.local and not settled:
            call.recorder.record("fault", module)
            raise ModuleFault(e.message) from None
        if index is None:
            logger.error("%s: %s", call.callback.name, e.message)
            raise Unavailable(f"host error {e.code}") from None
        return index, _REASONS.get(e.code, f"host error {e.code}")

    def _policy(self, call: Call) -> str:
        return self.rules.policies.choose(call.callback, call.params, local=call.local)

    def _by_policy(self, call: Call, reason: str, module: str | Sequence[str]) -> Any:
        chosen = self._policy(call)
        call.recorder.record("policy", module, chosen, reason)
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


def _answered(entries: Sequence[Entry], last: str | None) -> None:
    """The modules up to the last that was asked have answered in time; all, where none decided."""
    for entry in entries:
        entry.breaker.answered()
        if entry.module == last:
            break


def _index_of(module: Any, entries: Sequence[Entry]) -> int | None:
    return next((index for index, entry in enumerate(entries) if entry.module == module), None)
