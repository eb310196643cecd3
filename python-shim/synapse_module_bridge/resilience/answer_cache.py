"""Keeps the answers of one entry for its `ttl`. Equal questions share one answer, also while it is awaited.

Only a module's own answers are kept, no errors, and none of policy's. A reload begins with an empty cache.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from synapse.logging.context import PreserveLoggingContext
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from synapse_module_bridge.codec.codec import ENCODE, pdu_of
from synapse_module_bridge.codec.replies import Reply
from synapse_module_bridge.reactor.deadline import DeadlinePassed
from synapse_module_bridge.schema.catalogue import Callback
from synapse_module_bridge.schema.protocol import LIMITS, Reason
from synapse_module_bridge.transport.framing import decode, encode, to_body
from synapse_module_bridge.transport.rpc import RpcError
from synapse_module_bridge.transport.unavailable import Unavailable

# For each entry: about as many as a busy server has active users, at some hundred bytes each.
MOST_REMEMBERED = LIMITS["kept_answers"]
# A larger answer is shared by the calls that wait for it, and not kept.
MOST_ANSWER_BYTES = LIMITS["kept_answer_bytes"]

# A hash of what a call asks.
Question = bytes
# Waits for another call's answer until this call's deadline. Raises DeadlinePassed.
Wait = Callable[["Deferred[Reply | None]"], Awaitable[Reply | None]]


class AnswerCache:
    """`now` is a clock in seconds. `hit` is called for each question that was answered without a call."""

    def __init__(self, ttl_seconds: float, now: Callable[[], float], hit: Callable[[], None]) -> None:
        self._ttl = ttl_seconds
        self._now = now
        self._hit = hit
        # Replies with the time until which they hold; the least recently used one is first.
        self._replies: OrderedDict[Question, tuple[float, Reply]] = OrderedDict()
        # By question that is being asked, the calls that wait for its answer.
        self._waiting: dict[Question, list[Deferred[Reply | None]]] = {}

    def known(self, question: Question) -> Reply | None:
        """The reply that is kept for this question, or None."""
        until, reply = self._replies.get(question, (0.0, None))
        if reply is None:
            return None
        if self._now() >= until:
            del self._replies[question]
            return None
        self._replies.move_to_end(question)
        # A copy, since Synapse may change the object that it gets.
        return _copy(reply)

    async def ask(
        self,
        question: Question,
        ask: Callable[[], Awaitable[Reply]],
        wait: Wait,
    ) -> Reply:
        """The reply that is kept, or another call's, or that of `ask`. Raises what `ask` raises, and Unavailable."""
        while True:
            known = self.known(question)
            if known is None and question in self._waiting:
                known = await self._wait(question, wait)
            elif known is None:
                return await self._lead(question, ask)
            if known is not None:
                self._hit()
                return known
            # The other call got no answer, perhaps since its time was up. This one may have more time.

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
        """Drops a reply whose answer cannot be used."""
        self._replies.pop(question, None)


def _copy(reply: Reply) -> Reply:
    """The reply with a deep copy of its answer. copy.deepcopy would recurse as deeply as a user may nest an answer."""
    return reply._replace(answer=decode(to_body(reply.answer)))


def question_of(callback: Callback, params: Mapping[str, Any], file_digest: bytes | None = None) -> Question:
    """A hash of the parameters, the same for equal ones. Raises ValueError where a parameter has no form in JSON.

    Of an event, only its id counts; of a media file, only `file_digest`, where that is given.
    """
    # An event's id also determines the state before it.
    with_state = callback.event_param is None
    parts: list[Any] = []
    for param in callback.params:
        value: Any = params.get(param.name)
        if param.type == "Event":
            parts.append(_all_of(value))
        elif param.type == "StateEvents":
            parts.append(sorted(event.event_id for event in value.values()) if with_state else None)
        elif param.type == "FileWrapper" and file_digest is not None:
            parts.append(file_digest.hex())
        elif param.type == "FileInfo" and file_digest is not None:
            # Synapse gives the same file a new id each time.
            parts.append({**ENCODE[param.type](value), "file_id": None})
        elif value is not None and param.type in ENCODE:
            parts.append(ENCODE[param.type](value))
        else:
            parts.append(value)
    # A hash is short, and keeps no content.
    return hashlib.sha256(encode(parts)).digest()


def _all_of(event: Any) -> Any:
    """All that the sender has written, not the id alone: Synapse asks about some events of other servers before it has
    checked the hashes that the id is made of (`FederationServer._on_send_membership_event` and `on_invite_request`).
    """
    pdu = pdu_of(event)
    unsigned = pdu.get("unsigned")
    if isinstance(unsigned, dict):
        # Synapse notes there when the event came.
        pdu = {**pdu, "unsigned": {key: value for key, value in unsigned.items() if key not in _AGES}}
    return [event.event_id, event.room_version.identifier, pdu]


_AGES = frozenset({"age", "age_ts"})
