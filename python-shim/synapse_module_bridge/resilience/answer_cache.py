"""Keeps what one module answered for the `ttl` of its entry: equal questions share one answer, in flight and after.

Only answers of the module are kept: no errors, nothing that policy answered. A reload begins anew.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from synapse.logging.context import PreserveLoggingContext
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from synapse_module_bridge.codec.codec import ENCODE
from synapse_module_bridge.codec.replies import Reply
from synapse_module_bridge.reactor.deadline import DeadlinePassed
from synapse_module_bridge.schema.catalogue import Callback
from synapse_module_bridge.schema.protocol import Reason
from synapse_module_bridge.transport.framing import decode, encode, to_body
from synapse_module_bridge.transport.rpc import RpcError
from synapse_module_bridge.transport.unavailable import Unavailable

# Of each entry: more than the users of a busy server, at some hundred bytes each.
MOST_REMEMBERED = 10_000
# A larger answer is shared by those who wait for it, and not kept.
MOST_ANSWER_BYTES = 4 * 1024

Question = bytes
# Waits for what another asks, as long as the call's time lasts. Raises DeadlinePassed.
Wait = Callable[["Deferred[Reply | None]"], Awaitable[Reply | None]]


class AnswerCache:
    """`now` tells seconds; `hit` is called for each question that needed no call."""

    def __init__(self, ttl_seconds: float, now: Callable[[], float], hit: Callable[[], None]) -> None:
        self._ttl = ttl_seconds
        self._now = now
        self._hit = hit
        # With the time until which each holds.
        self._replies: OrderedDict[Question, tuple[float, Reply]] = OrderedDict()
        # Who waits for the answer to a question that is being asked.
        self._waiting: dict[Question, list[Deferred[Reply | None]]] = {}

    def known(self, question: Question) -> Reply | None:
        until, reply = self._replies.get(question, (0.0, None))
        if reply is None:
            return None
        if self._now() >= until:
            del self._replies[question]
            return None
        self._replies.move_to_end(question)
        # Synapse may go on with this very object.
        return _copy(reply)

    async def ask(
        self,
        question: Question,
        ask: Callable[[], Awaitable[Reply]],
        wait: Wait,
    ) -> Reply:
        """The reply, for which only the first of equal questions is asked. Raises what `ask` raises."""
        while True:
            known = self.known(question)
            if known is None and question in self._waiting:
                known = await self._wait(question, wait)
            elif known is None:
                return await self._lead(question, ask)
            if known is not None:
                self._hit()
                return known
            # Nobody could be asked, perhaps since the first one's time was up: this one has its own.

    async def _wait(self, question: Question, wait: Wait) -> Reply | None:
        waiting: Deferred[Reply | None] = Deferred()
        others = self._waiting[question]
        others.append(waiting)
        try:
            return await wait(waiting)
        except DeadlinePassed:
            raise Unavailable(Reason.DEADLINE) from None
        finally:
            if waiting in others:
                others.remove(waiting)

    async def _lead(self, question: Question, ask: Callable[[], Awaitable[Reply]]) -> Reply:
        self._waiting[question] = []
        reply: Reply | None = None
        error: RpcError | None = None
        try:
            reply = await ask()
            self._keep(question, reply)
            return reply
        except RpcError as e:
            error = e
            raise
        finally:
            waiting = self._waiting.pop(question)
            while waiting:
                with PreserveLoggingContext():
                    if error is not None:
                        waiting.pop(0).errback(Failure(RpcError(error.code, error.message, error.data)))
                    else:
                        waiting.pop(0).callback(reply and _copy(reply))

    def _keep(self, question: Question, reply: Reply) -> None:
        if len(encode(reply.answer)) > MOST_ANSWER_BYTES:
            return
        self._replies[question] = (self._now() + self._ttl, _copy(reply))
        if len(self._replies) > MOST_REMEMBERED:
            self._replies.popitem(last=False)

    def forget(self, question: Question) -> None:
        """Its answer cannot be used."""
        self._replies.pop(question, None)


def _copy(reply: Reply) -> Reply:
    """With an answer of its own. Not by copy.deepcopy: how deep an answer is nested, a user may have decided."""
    return reply._replace(answer=decode(to_body(reply.answer)))


def question_of(callback: Callback, params: Mapping[str, Any], file_digest: bytes | None = None) -> Question:
    """The same for equal parameters. Raises ValueError for what is no JSON.

    An event counts by its id, a media file by what it holds, where that is known.
    """
    # The state before an event goes with the event.
    with_state = callback.event_param is None
    parts: list[Any] = []
    for param in callback.params:
        value: Any = params.get(param.name)
        if param.type == "Event":
            parts.append(value.event_id)
        elif param.type == "StateEvents":
            parts.append(sorted(event.event_id for event in value.values()) if with_state else None)
        elif param.type == "FileWrapper" and file_digest is not None:
            parts.append(file_digest.hex())
        elif param.type == "FileInfo" and file_digest is not None:
            # The same file gets another id each time.
            parts.append({**ENCODE[param.type](value), "file_id": None})
        elif value is not None and param.type in ENCODE:
            parts.append(ENCODE[param.type](value))
        else:
            parts.append(value)
    # A hash, since what was asked need not be kept.
    return hashlib.sha256(encode(parts)).digest()
