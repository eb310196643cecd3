"""Asks the host on behalf of Synapse: from a callback's arguments to the answer that Synapse takes.

Order of events: the modules whose `match` holds are found; one request asks them in order; the answer is decoded. A
module that cannot answer is stood in for by policy: where that allows, those after it are still asked. One deadline
holds for the whole call. Each call leaves its decisions on record.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from synapse_module_bridge.calls.again import AskAgain
from synapse_module_bridge.calls.call import Call, Rules
from synapse_module_bridge.calls.decision import summarise
from synapse_module_bridge.codec.codec import Unfit, decode_answer, decode_own
from synapse_module_bridge.codec.media_digest import media_digest
from synapse_module_bridge.codec.replies import Reply, reason_of, synapse_error
from synapse_module_bridge.pipeline.round_trip import RoundTrip, index_of
from synapse_module_bridge.quarantine.open_calls import OpenCalls
from synapse_module_bridge.quarantine.suspects import Asked
from synapse_module_bridge.resilience import policy
from synapse_module_bridge.resilience.circuit_breaker import CircuitBreaker
from synapse_module_bridge.routing.route import Entry, current_request
from synapse_module_bridge.schema.catalogue import Callback
from synapse_module_bridge.schema.protocol import ERROR_CODES, Reason
from synapse_module_bridge.transport.host_interface import Host
from synapse_module_bridge.transport.rpc import RpcError
from synapse_module_bridge.transport.unavailable import Unavailable

logger = logging.getLogger("synapse_module_bridge.calls")


class ModuleFault(Exception):
    """A module threw, or its answer does not fit."""


class Calls:
    """`run` starts a background process."""

    def __init__(
        self,
        host: Host,
        open_calls: OpenCalls,
        rules: Rules,
        run: Callable[[Callable[[], Awaitable[None]]], object],
    ) -> None:
        self.host = host
        self.rules = rules
        self._round_trip = RoundTrip(host, open_calls, rules.server_name, run)
        self.entrance, self.recent = self._round_trip.entrance, self._round_trip.recent
        self.quarantine, self.settling = self._round_trip.quarantine, self._round_trip.settling
        self.entries: Mapping[str, Sequence[Entry]] = {}

    def open_breakers(self) -> set[CircuitBreaker]:
        breakers = (entry.breaker for entries in self.entries.values() for entry in entries)
        return {breaker for breaker in breakers if breaker.is_open}

    def begin(self, callback: Callback, params: Mapping[str, Any]) -> Call:
        """A call with Synapse's parameters by name: its time runs from now."""
        local, who = self.rules.whose(callback, params)
        return self.again(Asked(callback, local, who, current_request()), params)

    def again(self, asked: Asked, params: Mapping[str, Any]) -> Call:
        """A call of whose kind and author it is known what they are: its time runs from now."""
        rules, now = self.rules, time.monotonic()
        return Call(
            callback=asked.callback,
            params=params,
            server_name=rules.server_name,
            started=now,
            local=asked.local,
            who=asked.who,
            since=now,
            deadline=now + rules.seconds[asked.callback.name, asked.local],
            request=asked.request,
        )

    async def ask_traced(self, call: Call, entries: list[Entry]) -> Any:
        """As `ask`, where there may be tracing."""
        with call.traced(entries):
            return await self.ask(call, entries)

    async def ask(self, call: Call, entries: list[Entry]) -> Any:
        """The answer for Synapse. Takes out of `entries` what has been heard, or stood in for."""
        edits = call.callback.result == "Edits"
        on_record = False
        asked: Sequence[Entry] = ()
        try:
            if call.callback.file_param is not None and (
                self.quarantine.active or any(entry.answer_cache is not None for entry in entries)
            ):
                path = call.params[call.callback.file_param].path
                call.file_digest = await media_digest(path, self.host, call.deadline)
            while entries:
                asked, failed = self._next_asked(call, entries)
                heard = len(asked)
                if asked:
                    try:
                        kept = asked[0].answer_cache is not None
                        reply = await (self.request(call, asked) if kept else self._round_trip.ask(call, asked))
                        if reply.module is not None or edits:
                            answer = self._decode(call, reply)
                            if not edits:
                                return answer
                            on_record = True
                    except RpcError as e:
                        heard, failed = self._failed(call, asked, e)
                    except AskAgain:
                        continue
                if failed is not None:
                    module = entries[heard].module
                    chosen = await self._policy(call, failed)
                    if chosen != "allow":
                        return self._answer(call, chosen, failed, module)
                    call.record("policy", module, "allow", failed)
                    on_record = True
                    heard += 1
                del entries[:heard]
            if not on_record and call.callback.passed_on and asked:
                call.record("left", asked[-1].module)
            elif not on_record:
                call.record("allowed")
            return None if edits else policy.no_objection(call.callback, call.params)
        except _Answered as e:
            return e.args[0]
        except Unavailable as e:
            reason = e.reason
            return self._answer(call, await self._policy(call, reason), reason, [entry.module for entry in entries])
        finally:
            call.finish()

    def _next_asked(self, call: Call, entries: Sequence[Entry]) -> tuple[Sequence[Entry], str | None]:
        """Who is asked in one round trip, and why the one after them cannot be asked, if so.

        A module whose answers are kept is asked by itself.
        """
        quarantine = self.quarantine
        for index, entry in enumerate(entries):
            if entry.answer_cache is not None and index > 0:
                return entries[:index], None
            if quarantine.active or entry.breaker.is_open:
                reason = self.why_not(call, entry)
                if reason is not None:
                    return entries[:index], reason
            if entry.answer_cache is not None:
                return entries[:1], None
        # A copy, since what has been heard is taken out of the other.
        return entries[:], None

    def why_not(self, call: Call, entry: Entry) -> str | None:
        """Why this module is not asked, if so."""
        if call.known_to(entry) is not None:
            return None
        if self.quarantine.active and self.quarantine.holds(call, entry.module):
            return Reason.QUARANTINE
        return None if entry.breaker.admits(call.who) else Reason.BREAKER

    def request(self, call: Call, entries: Sequence[Entry]) -> Awaitable[Reply]:
        """The reply of these modules: of the host, or kept. Raises RpcError, Unavailable, AskAgain."""
        answer_cache = entries[0].answer_cache
        question = None if answer_cache is None else call.as_question()
        if answer_cache is None or question is None:
            return self._round_trip.ask(call, entries)
        ask = partial(self._round_trip.ask, call, entries)
        return answer_cache.ask(question, ask, partial(self.host.within, deadline=call.deadline))

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
        index = index_of(e.data.get("module"), asked)
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
        if e.code == ERROR_CODES["module_fault"] and explicit is None:
            code = policy.soft_failure(call.callback, call.params, local=call.local)
            if code is not None:
                call.record("fault", module, code)
                raise _Answered(decode_own(call.callback.result, code, call.params)) from None
        if index is None:
            logger.error("%s: %s", call.callback.name, e.message)
            raise Unavailable(reason_of(e)) from None
        told = e.data.get("reason")
        return index, told if told in _TOLD else _REASONS.get(e.code) or reason_of(e)

    async def _policy(self, call: Call, reason: str) -> str:
        # An event of our own user that comes back from another server must not be lost.
        set_aside = (
            reason == Reason.QUARANTINE and call.author is not None and call.local is self.quarantine.is_of_ours(call)
        )
        refuse = set_aside or reason == Reason.TOO_LARGE
        return await self.rules.policies.choose(call.callback, call.params, local=call.local, refuse=refuse)

    def _answer(self, call: Call, chosen: str, reason: str, module: str | Sequence[str]) -> Any:
        call.record("policy", module, chosen, reason)
        return policy.answer(call.callback, chosen, call.params, local=call.local)


_REASONS = {
    ERROR_CODES["module_fault"]: Reason.FAULT,
    ERROR_CODES["synapse_error"]: Reason.ERROR,
    ERROR_CODES["module_unavailable"]: Reason.SETUP,
}


# Why a module that runs in a thread of its own is stood in for, as the host or the round trip tells.
_TOLD = (Reason.DEADLINE, Reason.DOWN, Reason.QUARANTINE)


class _Answered(Exception):
    """A failure that has an answer of its own: its only argument."""
