"""One JSON-RPC 2.0 connection: requests, answers, notifications and cancellations, both ways. No I/O, and no clock."""

import logging
import re
from collections.abc import Callable, Mapping
from functools import partial
from math import inf
from typing import Any

from synapse.logging.context import SENTINEL_CONTEXT, set_current_context
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from synapse_module_bridge.reactor.log_context import SentinelContext
from synapse_module_bridge.reactor.unexpected import log_unexpected
from synapse_module_bridge.schema.protocol import ERROR_CODES, LIMITS, method_name
from synapse_module_bridge.telemetry import metrics
from synapse_module_bridge.telemetry.log_text import one_line
from synapse_module_bridge.transport.framing import BrokenStream, FrameReader, decode, encode

logger = logging.getLogger("synapse_module_bridge.rpc")

PARSE_ERROR = ERROR_CODES["parse_error"]
METHOD_NOT_FOUND = ERROR_CODES["method_not_found"]
INVALID_REQUEST = ERROR_CODES["invalid_request"]
INVALID_PARAMS = ERROR_CODES["invalid_params"]
INTERNAL_ERROR = ERROR_CODES["internal_error"]
_CANCEL = method_name("$/cancelRequest")


class RpcError(Exception):
    """An error as the answer to a request: one that the host sent, or one to send to the host."""

    def __init__(self, code: int, message: str, data: Mapping[str, Any] | None = None) -> None:
        # Parts of it may be what a user wrote: it must not begin a line of the log.
        self.message = one_line(message)
        super().__init__(self.message)
        self.code = code
        self.data: Mapping[str, Any] = data or {}


class ConnectionGone(Exception):
    """The connection ended before the answer came."""


# Answers a request of the host with a result, or with an error.
Respond = Callable[[Any], None]
Refuse = Callable[[RpcError], None]
Params = Mapping[str, Any]
# A request's parameters, or a function that makes them when the request is sent.
ToSend = Params | Callable[[], Params]
# Gets the result or the error of an answer that came after its request was cancelled.
OnLate = Callable[[Any], None]
# A request's method, its parameters, and whether Infinity is searched for in them.
_Asked = tuple[str, ToSend, bool]
# Handles a request of the host: its method, its parameters, and the two functions that answer it.
RequestHandler = Callable[[str, Params, Respond, Refuse], None]


# How many cancelled requests wait for a late answer; the oldest is forgotten first.
MOST_LATE = 1_000
# A host that sends more of them in a row is broken, and so is a host whose first frame is one.
MOST_UNREADABLE = LIMITS["unreadable_frames"]
# How an answer begins, whatever follows. A request of the host's own has its `method` there.
_ANSWER = re.compile(rb'[^{]{0,9}\{ *"jsonrpc": *"2\.0", *"id": *([0-9]{1,18}), *"(?:result|error)"')


class Rpc:
    """`write` sends bytes. `handle_request` gets the host's requests and notifications, and answers them."""

    def __init__(self, write: Callable[[bytes], None], handle_request: RequestHandler) -> None:
        self.write = write
        self._handle_request = handle_request
        self.frames = FrameReader()
        # By id, the requests that are not answered yet, with what to do about a late answer. For timed_requests.py,
        # their deadlines and when they were sent.
        self.pending: dict[int, tuple[Deferred[Any], OnLate | None, _Asked, float, float]] = {}
        # By id, the requests that are sent once all received messages are handled.
        self.held: dict[int, _Asked] = {}
        self._receiving = False
        self._late: dict[int, OnLate] = {}
        # The id of the last request.
        self.last_id = 0
        self._unreadable = 0
        self._failures = 0
        self._unreadable_in_a_row = MOST_UNREADABLE
        # Set once the connection is closed.
        self._gone: ConnectionGone | None = None

    def request(
        self, method: str, params: ToSend, on_late: OnLate | None = None, deadline: float = inf, sent: float = inf
    ) -> "Deferred[Any]":
        """Sends a request. Requests that are made while messages are being handled are sent together, after them.

        The Deferred fires with the result. It fails with RpcError and ConnectionGone, with what a function in place of
        `params` raises, and with ValueError where the parameters have no form in JSON or are too large. Cancelling it
        sends a cancellation; `on_late` gets the answer that comes all the same. Requests with `on_late` are calls: they
        are many, and hardly ever hold an infinite number. So none is searched for until the host could not read one;
        `params` is then called again.
        """
        request_id = self.last_id = self.last_id + 1
        deferred: Deferred[Any] = Deferred(partial(self._give_up, request_id))
        if self._gone is not None:
            deferred.errback(self._gone)
            return deferred
        asked = self.held[request_id] = (method, params, on_late is None)
        self.pending[request_id] = (deferred, on_late, asked, deadline, sent)
        if not self._receiving:
            self._send_held()
        return deferred

    def _send_held(self) -> None:
        """Encodes all of them in one go: in turns with other code, both would find the processor's caches cold."""
        while self.held:
            held, self.held = self.held, {}
            frames: list[bytes] = []
            failed: list[tuple[int, Failure]] = []
            for request_id, (method, params, exact) in held.items():
                try:
                    made = params() if callable(params) else params
                    message = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": made}
                    frames.append(encode(message, exact=exact))
                except Exception as e:
                    failed.append((request_id, Failure(e)))
            if frames:
                self.write(b"".join(frames))
            # After the loop, since a callback may make or cancel requests.
            for request_id, failure in failed:
                waiting = self.pending.pop(request_id, None)
                if waiting is not None:
                    waiting[0].errback(failure)

    def cancel(self, request_id: int, why: Exception) -> None:
        """Cancels a request that is not answered yet, and fails its Deferred with `why`."""
        if request_id in self.pending:
            deferred = self.pending[request_id][0]
            self._give_up(request_id)
            with SentinelContext():
                deferred.errback(why)

    def notify(self, method: str, params: Mapping[str, Any]) -> None:
        """Sends a notification; does nothing once the connection is closed."""
        if self._gone is None:
            self.write(encode({"jsonrpc": "2.0", "method": method, "params": params}))

    def _give_up(self, request_id: int, _: "Deferred[Any] | None" = None) -> None:
        waiting = self.pending.pop(request_id, None)
        if waiting is None or self.held.pop(request_id, None) is not None:
            return
        on_late = waiting[1]
        if on_late is not None:
            self._late[request_id] = on_late
            if len(self._late) > MOST_LATE:
                del self._late[next(iter(self._late))]
        self.notify(_CANCEL, {"id": request_id})

    def data_received(self, data: bytes) -> None:
        """Handles bytes of the host's. Raises BrokenStream, after which the connection is of no use."""
        # All are parsed in one go, for the processor's caches, as in `_send_held`.
        messages: list[tuple[bytes | bytearray, Any]] = []
        broken: BrokenStream | None = None
        try:
            for body in self.frames.feed(data):
                try:
                    messages.append((body, decode(body)))
                except ValueError as e:
                    messages.append((body, e))
        except BrokenStream as e:
            # The frames before are handled first.
            broken = e
        # Deferreds resume code in other log contexts, which must not stay current afterwards. As `SentinelContext`.
        context = set_current_context(SENTINEL_CONTEXT)
        try:
            self._receiving = True
            try:
                for body, message in messages:
                    if isinstance(message, dict):
                        self._unreadable_in_a_row = 0
                        try:
                            self._message_received(message)
                        except Exception as e:
                            # The messages after it are still handled.
                            self._failed(e)
                    else:
                        why = message if isinstance(message, ValueError) else "not an object"
                        self._unreadable_received(body, str(why))
            finally:
                self._receiving = False
                if self.held:
                    self._send_held()
        finally:
            set_current_context(context)
        if broken is not None:
            raise broken

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        # The 1st, 2nd, 4th, 8th, ...: each of many would fill the log.
        if self._failures & (self._failures - 1) == 0:
            log_unexpected(f"handling a message of the module host (failure {self._failures})", error)

    def _unreadable_received(self, body: bytes | bytearray, reason: str) -> None:
        """A frame that is no message fails the request that it answers, if its id can be read. Raises BrokenStream."""
        self._unreadable_in_a_row += 1
        if self._unreadable_in_a_row > MOST_UNREADABLE:
            raise BrokenStream(f"a frame that is not JSON: {reason}")
        metrics.SPURIOUS.inc()
        self._unreadable += 1
        # The 1st, 2nd, 4th, 8th, ...: each of many would fill the log.
        if self._unreadable & (self._unreadable - 1) == 0:
            logger.error("the module host has sent a frame that is not JSON (%d so far): %s", self._unreadable, reason)
        answer = _ANSWER.match(body)
        if answer is not None and int(answer[1]) in self.pending:
            error = {"code": PARSE_ERROR, "message": f"an answer that is not JSON: {reason}"}
            self._message_received({"id": int(answer[1]), "error": error})

    def _message_received(self, message: dict[str, Any]) -> None:
        if "method" in message:
            self._request_received(message)
            return
        request_id: Any = message.get("id")
        # `True` would be found as 1.
        waiting = self.pending.pop(request_id, None) if type(request_id) is int else None
        if waiting is None:
            self._late_received(request_id, message)
            return
        deferred, on_late, (method, params, exact), deadline, sent = waiting
        if ("result" in message) == ("error" in message):
            deferred.errback(RpcError(INVALID_REQUEST, "an answer needs either a result or an error"))
        elif "result" in message:
            deferred.callback(message["result"])
        elif not isinstance(message["error"], dict):
            deferred.errback(RpcError(INVALID_REQUEST, "an answer whose error is not an object"))
        elif message["error"].get("code") == INVALID_PARAMS and not exact:
            # They may hold an infinite number. Under the same id, the request keeps its deadline.
            asked = self.held[request_id] = (method, params, True)
            self.pending[request_id] = (deferred, on_late, asked, deadline, sent)
        else:
            deferred.errback(_rpc_error(message["error"]))

    def _late_received(self, request_id: Any, message: Mapping[str, Any]) -> None:
        on_late = self._late.pop(request_id, None) if type(request_id) is int else None
        if on_late is not None:
            on_late(message.get("error", message.get("result")))
        else:
            metrics.SPURIOUS.inc()
            logger.debug("dropped an answer to no open request: id %.50r", request_id)

    def _request_received(self, message: dict[str, Any]) -> None:
        # Another id cannot be sent back, or the host would not find its request by it.
        request_id = message["id"] if type(message.get("id")) in (int, str) else None

        def answer(result: Any) -> None:
            self._respond(request_id, {"result": result})

        def refuse(error: RpcError) -> None:
            body = {"code": error.code, "message": error.message, "data": error.data}
            self._respond(request_id, {"error": body})

        params = message.get("params")
        method = message["method"]
        if not isinstance(params, dict) or not isinstance(method, str):
            refuse(RpcError(INVALID_REQUEST, "method must be a string, params an object"))
            return
        self._handle_request(method, params, answer, refuse)

    def _respond(self, request_id: Any, outcome: dict[str, Any]) -> None:
        if request_id is None or self._gone is not None:
            return
        message = {"jsonrpc": "2.0", "id": request_id, **outcome}
        try:
            frame = encode(message)
        except ValueError as e:
            error = {"code": INTERNAL_ERROR, "message": f"the result {e}"}
            frame = encode({"jsonrpc": "2.0", "id": request_id, "error": error})
        self.write(frame)

    def close(self, reason: str) -> None:
        """Ends the connection: open requests, and all that are made later, fail with ConnectionGone."""
        if self._gone is not None:
            return
        self._gone = ConnectionGone(reason)
        self.held.clear()
        self._late.clear()
        pending, self.pending = self.pending, {}
        with SentinelContext():
            for deferred, *_ in pending.values():
                deferred.errback(Failure(self._gone))


def _rpc_error(error: Mapping[str, Any]) -> RpcError:
    code, message, data = error.get("code"), error.get("message"), error.get("data")
    return RpcError(
        code if isinstance(code, int) else INTERNAL_ERROR,
        message if isinstance(message, str) else "an error without a message",
        data if isinstance(data, dict) else None,
    )
