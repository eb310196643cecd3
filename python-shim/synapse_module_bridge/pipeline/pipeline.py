"""The pipeline of one call: from the modules that want to be asked to the answer that Synapse takes.

One request asks the modules in order; the answer is decoded. The failure policy stands in for a module that cannot
answer: where it allows, the modules after that one are still asked. One deadline holds for the whole call. Each call
leaves its decisions on record.
"""

import logging
from collections.abc import Awaitable, Mapping, Sequence
from functools import partial
from typing import Any

from synapse_module_bridge.calls.again import AskAgain
from synapse_module_bridge.calls.call import Call, Rules
from synapse_module_bridge.calls.decision import summarise
from synapse_module_bridge.codec.codec import Unfit, decode_answer
from synapse_module_bridge.codec.media_digest import media_digest
from synapse_module_bridge.codec.replies import Reply
from synapse_module_bridge.pipeline.failures import Final, judge
from synapse_module_bridge.pipeline.round_trip import RoundTrip
from synapse_module_bridge.resilience import policy
from synapse_module_bridge.resilience.circuit_breaker import CircuitBreaker
from synapse_module_bridge.routing.route import Entry
from synapse_module_bridge.schema.protocol import ERROR_CODES, Reason
from synapse_module_bridge.transport.host_interface import Host
from synapse_module_bridge.transport.rpc import RpcError
from synapse_module_bridge.transport.unavailable import Unavailable

logger = logging.getLogger("synapse_module_bridge.calls")


class Pipeline:
    def __init__(self, host: Host, round_trip: RoundTrip, rules: Rules) -> None:
        self._host = host
        self.round_trip = round_trip
        self._quarantine = round_trip.quarantine
        self.rules = rules
        # By callback, the entries of all modules in their order.
        self.entries: Mapping[str, Sequence[Entry]] = {}

    def open_breakers(self) -> set[CircuitBreaker]:
        """Those of the modules that are not asked at present, but for a probe now and then."""
        breakers = (entry.breaker for entries in self.entries.values() for entry in entries)
        return {breaker for breaker in breakers if breaker.is_open}

    async def ask_traced(self, call: Call, entries: list[Entry]) -> Any:
        """As `ask`, where there may be tracing."""
        with call.traced(entries):
            return await self.ask(call, entries)

    async def ask(self, call: Call, entries: list[Entry]) -> Any:
        """The answer for Synapse. Takes out of `entries` what has been heard, or stood in for.

        Raises SynapseError and ModuleFault.
        """
        edits = call.callback.result == "Edits"
        on_record = False
        asked: Sequence[Entry] = ()
        try:
            if call.callback.file_param is not None:
                await self._digest_media(call, entries, call.callback.file_param)
            while entries:
                asked, unasked = self._next_asked(call, entries)
                heard, failed = len(asked), unasked
                if asked:
                    try:
                        reply = await self.reply(call, asked)
                        if reply.module is not None or edits:
                            answer = self._decode(call, reply)
                            if not edits:
                                return answer
                            on_record = True
                    except AskAgain:
                        continue
                    except RpcError as e:
                        failure = judge(call, asked, e, self.rules.policies)
                        if isinstance(failure, Final):
                            return failure.answer
                        heard, failed = failure
                if failed is not None:
                    module = entries[heard].module
                    chosen = await self._policy(call, failed)
                    if chosen != "allow":
                        return self._by_policy(call, chosen, failed, module)
                    call.record("policy", module, "allow", failed)
                    on_record = True
                    heard += 1
                del entries[:heard]
            if not on_record and call.callback.passed_on and asked:
                call.record("left", asked[-1].module)
            elif not on_record:
                call.record("allowed")
            return None if edits else policy.no_objection(call.callback, call.params)
        except Unavailable as e:
            chosen = await self._policy(call, e.reason)
            return self._by_policy(call, chosen, e.reason, [entry.module for entry in entries])
        finally:
            call.finish()

    async def _digest_media(self, call: Call, entries: Sequence[Entry], file_param: str) -> None:
        """A media file is told from others by what it holds, where anybody must tell."""
        if self._quarantine.active or any(entry.answer_cache is not None for entry in entries):
            call.file_digest = await media_digest(call.params[file_param].path, self._host, call.deadline)

    def _next_asked(self, call: Call, entries: Sequence[Entry]) -> tuple[Sequence[Entry], str | None]:
        """Who is asked in one round trip, and why the one after them cannot be asked, if so.

        A module whose answers are kept is asked by itself.
        """
        quarantine = self._quarantine
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
        if self._quarantine.active and self._quarantine.holds(call, entry.module):
            return Reason.QUARANTINE
        return None if entry.breaker.admits(call.who) else Reason.BREAKER

    def set_aside(self, call: Call, entries: Sequence[Entry]) -> list[Entry]:
        """Those that are not asked about anything of this call's author."""
        if not self._quarantine.active:
            return []
        return [entry for entry in entries if self._quarantine.holds(call, entry.module)]

    def reply(self, call: Call, entries: Sequence[Entry]) -> Awaitable[Reply]:
        """The reply of these modules: of the host, or kept. Raises RpcError, Unavailable, AskAgain."""
        answer_cache = entries[0].answer_cache
        question = None if answer_cache is None else call.as_question()
        if answer_cache is None or question is None:
            return self.round_trip.ask(call, entries)
        ask = partial(self.round_trip.ask, call, entries)
        return answer_cache.ask(question, ask, partial(self._host.within, deadline=call.deadline))

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

    async def _policy(self, call: Call, reason: str) -> str:
        # An event of our own user that comes back from another server must not be lost.
        set_aside = (
            reason == Reason.QUARANTINE and call.author is not None and call.local is self._quarantine.is_of_ours(call)
        )
        refuse = set_aside or reason == Reason.TOO_LARGE
        return await self.rules.policies.choose(call.callback, call.params, local=call.local, refuse=refuse)

    def _by_policy(self, call: Call, chosen: str, reason: str, module: str | Sequence[str]) -> Any:
        call.record("policy", module, chosen, reason)
        return policy.answer(call.callback, chosen, call.params, local=call.local)
