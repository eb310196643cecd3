"""Answers one call: asks its modules through the host, and returns what Synapse gets, also while Node is down.

One request asks the modules in order, and the answer is decoded. The failure policy answers for a module that cannot:
where it allows, the modules after that one are still asked. There is one deadline for the whole call. All decisions are
recorded.
"""

import logging
from collections.abc import Awaitable, Mapping, Sequence
from functools import partial
from typing import Any

from synapse_module_bridge.calls.again import AskAgain
from synapse_module_bridge.calls.call import Call, Rules
from synapse_module_bridge.calls.decision import summarise
from synapse_module_bridge.calls.media_digest import media_digest
from synapse_module_bridge.codec.codec import Unfit, decode_answer
from synapse_module_bridge.codec.replies import Reply
from synapse_module_bridge.pipeline.failures import Final, judge
from synapse_module_bridge.pipeline.round_trip import RoundTrip
from synapse_module_bridge.resilience import policy
from synapse_module_bridge.resilience.answer_cache import AnswerCache, Question
from synapse_module_bridge.resilience.circuit_breaker import CircuitBreaker
from synapse_module_bridge.routing.counting import count_passed
from synapse_module_bridge.routing.entry import Entry
from synapse_module_bridge.schema.protocol import ERROR_CODES, Reason
from synapse_module_bridge.transport.host_interface import Host
from synapse_module_bridge.transport.rpc import RpcError
from synapse_module_bridge.transport.unavailable import Unavailable

logger = logging.getLogger("synapse_module_bridge.pipeline")


class Pipeline:
    """Answers the calls of one bridge."""

    def __init__(self, host: Host, round_trip: RoundTrip, rules: Rules) -> None:
        self._host = host
        self.round_trip = round_trip
        self._quarantine = round_trip.quarantine
        self.rules = rules
        self.modes = round_trip.modes
        # The routing table: by callback, the entries of all modules that are not off, in order.
        self.entries: Mapping[str, Sequence[Entry]] = {}

    def open_breakers(self) -> set[CircuitBreaker]:
        """The breakers that are open for some user or server."""
        breakers = (entry.breaker for entries in self.entries.values() for entry in entries)
        return {breaker for breaker in breakers if breaker.is_open}

    async def ask_traced(self, call: Call, entries: Sequence[Entry]) -> Any:
        """As `ask`, within a span of Synapse's tracing."""
        with call.traced(entries):
            return await self.ask(call, entries)

    async def ask(self, call: Call, entries: Sequence[Entry]) -> Any:
        """The answer for Synapse. Raises SynapseError and ModuleFault."""
        on_record = False
        asked: Sequence[Entry] = ()
        failed: str | None
        try:
            if call.callback.file_param is not None:
                await self._digest_media(call, entries, call.callback.file_param)
            while entries:
                asked, failed, may_be_kept = entries, None, False
                for entry in entries:
                    # What is only known now, looked at in one place.
                    if entry.answer_cache is not None or entry.breaker.is_open or self._quarantine.active:
                        asked, failed = self._next_asked(call, entries)
                        may_be_kept = True
                        break
                heard = len(asked)
                if asked:
                    try:
                        reply = await (self.reply if may_be_kept else self.round_trip.ask)(call, asked)
                        if reply.module is not None:
                            answer = self._decode(call, reply)
                            if call.callback.result != "Edits":
                                return answer
                            on_record = True
                    except AskAgain:
                        entries = self.modes.still_asked(entries)
                        continue
                    except Unavailable:
                        if not self.modes.are_out(asked):
                            raise
                        entries = self.modes.still_asked(entries)
                        continue
                    except RpcError as e:
                        if self.modes.are_out(asked):
                            # It was switched off while it was asked.
                            entries = self.modes.still_asked(entries)
                            continue
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
                # Without those that have passed, and those for which policy has allowed.
                entries = entries[heard:]
            if not on_record and call.callback.passed_on and asked:
                call.record("left", asked[-1].module)
            elif not on_record:
                call.allowed()
            return policy.no_objection(call.callback, call.params)
        except Unavailable as e:
            chosen = await self._policy(call, e.reason)
            return self._by_policy(call, chosen, e.reason, [entry.module for entry in entries])
        finally:
            call.finish()

    async def _digest_media(self, call: Call, entries: Sequence[Entry], file_param: str) -> None:
        """Hashes the media file, where a quarantine or an answer cache has to recognise it."""
        if self._quarantine.active or any(entry.answer_cache is not None for entry in entries):
            call.file_digest = await media_digest(call.params[file_param].path, self._host, call.deadline)

    def _next_asked(self, call: Call, entries: Sequence[Entry]) -> tuple[Sequence[Entry], str | None]:
        """The entries to ask in one round trip, and why the entry after them cannot be asked, if it cannot.

        An entry with an answer cache is asked in a round trip of its own.
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
        return entries, None

    def why_not(self, call: Call, entry: Entry) -> str | None:
        """Why this entry's module is not asked, if it is not. A probe of its breaker is used up by this."""
        if call.known_to(entry) is not None:
            return None
        if self._quarantine.active and self._quarantine.holds(call, entry.module):
            return Reason.QUARANTINE
        return None if entry.breaker.admits(call.who) else Reason.BREAKER

    def set_aside(self, call: Call, entries: Sequence[Entry]) -> list[Entry]:
        """The entries whose modules are not asked, since the call's author is set aside."""
        if not self._quarantine.active:
            return []
        return [entry for entry in entries if self._quarantine.holds(call, entry.module)]

    def reply(self, call: Call, entries: Sequence[Entry]) -> Awaitable[Reply]:
        """The reply of these modules, from the host or the answer cache. Raises RpcError, Unavailable and AskAgain."""
        answer_cache = entries[0].answer_cache
        question = None if answer_cache is None else call.as_question()
        if answer_cache is None or question is None:
            return self.round_trip.ask(call, entries)
        return self._kept_reply(call, entries, answer_cache, question)

    async def _kept_reply(
        self, call: Call, entries: Sequence[Entry], answer_cache: AnswerCache, question: Question
    ) -> Reply:
        is_kept = True

        def ask() -> Awaitable[Reply]:
            nonlocal is_kept
            is_kept = False
            return self.round_trip.ask(call, entries)

        reply = await answer_cache.ask(question, ask, partial(self._host.within, deadline=call.deadline))
        if is_kept and reply.module is None:
            count_passed(entries)
        return reply

    def _decode(self, call: Call, reply: Reply) -> Any:
        """The answer for Synapse, where a module has decided or edited. Records it. Raises RpcError if it is unfit."""
        module = reply.module
        try:
            answer = decode_answer(call.callback.result, reply.answer, call.params)
        except (Unfit, ValueError, KeyError, TypeError, RecursionError) as e:
            message = f"{module}: {call.callback.name}: {e}"
            logger.error("%s", message)
            raise RpcError(ERROR_CODES["module_fault"], message, {"module": module}) from e
        outcome, summary = summarise(call.callback, reply.answer, decided=True)
        call.record(outcome, module, summary, given=reply.reason)
        return answer

    async def _policy(self, call: Call, reason: str) -> str:
        # Not for an event of a local user that comes back from another server: a refusal would lose it.
        set_aside = (
            reason == Reason.QUARANTINE and call.author is not None and call.local is self._quarantine.is_of_ours(call)
        )
        refuse = set_aside or reason == Reason.TOO_LARGE
        return await self.rules.policies.choose(call.callback, call.params, local=call.local, refuse=refuse)

    def _by_policy(self, call: Call, chosen: str, reason: str, module: str | Sequence[str]) -> Any:
        call.record("policy", module, chosen, reason)
        return policy.answer(call.callback, chosen, call.params, local=call.local)
