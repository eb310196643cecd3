"""Delivers calls that Synapse does not wait for: notifications, and calls of shadow modules."""

import time
from collections.abc import Awaitable, Callable, Sequence

from synapse_module_bridge.calls.again import AskAgain
from synapse_module_bridge.calls.call import Call
from synapse_module_bridge.calls.decision import summarise
from synapse_module_bridge.codec.replies import given_reason, reason_of
from synapse_module_bridge.pipeline.failures import why_unanswered
from synapse_module_bridge.pipeline.notifications import Notification
from synapse_module_bridge.pipeline.pipeline import Pipeline
from synapse_module_bridge.routing.entry import Entry
from synapse_module_bridge.schema.protocol import ERROR_CODES, Reason
from synapse_module_bridge.telemetry import metrics
from synapse_module_bridge.telemetry.outcomes import WOULD
from synapse_module_bridge.transport.rpc import RpcError
from synapse_module_bridge.transport.unavailable import Unavailable

# At the same time. Slow shadow modules must not fill the line of calls that decide something.
MOST_SHADOWED = 64


class Delivery:
    """`until_host_is_up` waits for a host without a deadline."""

    def __init__(self, pipeline: Pipeline, until_host_is_up: Callable[[], Awaitable[None]]) -> None:
        self._pipeline = pipeline
        self._until_host_is_up = until_host_is_up
        self._shadowed = 0

    async def notify(self, notification: Notification) -> None:
        """Delivers a notification to its modules. Waits for a host that is down. Never raises."""
        call = notification.call
        with call.traced(notification.entries):
            try:
                await self._until_host_is_up()
                entries = self._pipeline.modes.still_asked(notification.entries)
                # Its time begins only now.
                call.since = time.monotonic()
                call.deadline = call.since + self._pipeline.rules.seconds[call.callback.name, call.local]
                if await self._notify(call, entries):
                    call.allowed()
            except (Unavailable, RpcError) as e:
                reason = e.reason if isinstance(e, Unavailable) else reason_of(e)
                self._drop(call, [entry.module for entry in notification.entries], reason)
        call.finish()

    async def _notify(self, call: Call, entries: Sequence[Entry]) -> bool:
        """Returns whether any module got it: none does if the author is set aside. Raises Unavailable and RpcError."""
        while entries:
            set_aside = self._pipeline.set_aside(call, entries)
            told = [entry for entry in entries if entry not in set_aside] if set_aside else entries
            if set_aside:
                self._drop(call, [entry.module for entry in set_aside], Reason.QUARANTINE)
            try:
                if told:
                    await self._pipeline.reply(call, told)
                return bool(told)
            except AskAgain:
                entries = self._pipeline.modes.still_asked(told)
        return False

    def _drop(self, call: Call, modules: Sequence[str], reason: str) -> None:
        metrics.DROPPED.labels(call.callback.name, reason, self._pipeline.rules.server_name).inc()
        call.record("policy", modules, "allow", reason)

    async def shadow(self, call: Call, entries: Sequence[Entry]) -> None:
        """Asks each shadow module, and records what it would have done. Never raises."""
        if self._shadowed >= MOST_SHADOWED:
            for entry in entries:
                call.record("would_policy", entry.module, reason=Reason.OVERLOAD)
            return
        self._shadowed += 1
        try:
            for entry in entries:
                with call.traced([entry]):
                    await self._shadow_one(call, entry)
        finally:
            self._shadowed -= 1

    async def _shadow_one(self, call: Call, entry: Entry) -> None:
        if self._pipeline.modes.is_off(entry.module):
            return
        reason = self._pipeline.why_not(call, entry)
        if reason is not None:
            call.record("would_policy", entry.module, reason=reason)
            return
        try:
            reply = await self._pipeline.reply(call, [entry])
            outcome, summary = summarise(call.callback, reply.answer, decided=reply.module is not None)
            call.record(WOULD[outcome], entry.module, summary, given=reply.reason)
        except RpcError as e:
            outcome = _WOULD_FAIL.get(e.code, "would_policy")
            reason = why_unanswered(e) if outcome == "would_policy" else None
            call.record(outcome, entry.module, reason=reason, given=given_reason(e.data))
        except Unavailable as e:
            call.record("would_policy", entry.module, reason=e.reason)
        except AskAgain:
            await self._shadow_one(call, entry)


# What the module itself has done. With any other error of the host, it has not answered.
_WOULD_FAIL = {ERROR_CODES["module_fault"]: "would_fault", ERROR_CODES["synapse_error"]: "would_error"}
