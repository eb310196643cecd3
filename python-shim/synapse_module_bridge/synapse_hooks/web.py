"""Serves web resources: sends a client's HTTP request to the module that serves its path, and writes the response."""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import SEEK_END
from typing import Any

from synapse.http.server import finish_request, set_cors_headers
from synapse.logging.context import PreserveLoggingContext, make_deferred_yieldable, run_in_background
from synapse.module_api import DirectServeJsonResource
from synapse.module_api.errors import Codes, SynapseError
from twisted.internet.defer import CancelledError, Deferred

from synapse_module_bridge.calls.exchange import Exchange, HostRequest
from synapse_module_bridge.calls.open_calls import OpenCall
from synapse_module_bridge.codec.http_request import encode_request
from synapse_module_bridge.codec.replies import read_error, synapse_error
from synapse_module_bridge.pipeline.failures import ModuleFault
from synapse_module_bridge.resilience.policy import UNAVAILABLE
from synapse_module_bridge.routing.route import current_request
from synapse_module_bridge.schema.protocol import ERROR_CODES, Reason, method_name
from synapse_module_bridge.synapse_hooks.web_response import MOST_BODY_BYTES, WebResponse, read_response
from synapse_module_bridge.telemetry.log_text import one_line
from synapse_module_bridge.transport.framing import TooLarge
from synapse_module_bridge.transport.rpc import ConnectionGone, RpcError
from synapse_module_bridge.transport.unavailable import Unavailable

logger = logging.getLogger("synapse_module_bridge.web")

# Bounds for the requests that Node works on at once: anybody who can reach a path could otherwise fill its memory.
MOST_BYTES_AT_ONCE = 32 * 1024 * 1024
MOST_AT_ONCE = 256


class WebLoad:
    """Counts the requests that Node works on, for all paths of a bridge."""

    def __init__(self) -> None:
        self._requests = 0
        self._bytes = 0

    @contextmanager
    def of(self, size: int) -> Iterator[None]:
        """Counts a request with a body of `size` bytes within the block. Raises Unavailable if there are too many."""
        if self._requests >= MOST_AT_ONCE or self._bytes + size > MOST_BYTES_AT_ONCE:
            raise Unavailable(Reason.OVERLOAD)
        self._requests, self._bytes = self._requests + 1, self._bytes + size
        try:
            yield
        finally:
            self._requests, self._bytes = self._requests - 1, self._bytes - size


class WebResource(DirectServeJsonResource):
    """Serves one path, with all HTTP methods, by one module. Errors are JSON, as elsewhere in the client API."""

    def __init__(self, exchange: Exchange, load: WebLoad, module: str, path: str, timeout_ms: int) -> None:
        super().__init__()
        self._exchange = exchange
        self._load = load
        self._module = module
        self._path = path
        self._timeout_ms = timeout_ms

    async def _async_render(self, request: Any) -> None:
        try:
            error: Exception | None = None
            reply = await self._ask(request)
        except RpcError as e:
            error = self._error(e)
        except (Unavailable, ConnectionGone, TooLarge) as e:
            error = self._no_answer(e)
        except CancelledError:
            logger.debug("%s: %s: the client has left", self._module, self._path)
            return
        if request.finished:
            # The module has let Synapse answer: `complete_sso_login_async`.
            return
        if error is not None:
            raise error
        try:
            answer = read_response(reply)
        except ValueError as e:
            raise ModuleFault(f"{self._module}: {self._path}: a reply that is no web response") from e
        _write(request, answer)

    async def _ask(self, request: Any) -> Mapping[str, Any]:
        size = _size(request.content)
        if size > MOST_BODY_BYTES:
            raise SynapseError(413, f"the body may have at most {MOST_BODY_BYTES} bytes", Codes.TOO_LARGE)
        with self._load.of(size):
            return await self._hand_over(request)

    async def _hand_over(self, request: Any) -> Mapping[str, Any]:
        deadline = time.monotonic() + self._timeout_ms / 1000
        question = _Question(self._module, self._path, request, deadline)
        asking: Deferred[Mapping[str, Any]] = run_in_background(self._exchange.send, question)
        # If the client disconnects, the handler's signal is aborted.
        request.notifyFinish().addErrback(lambda _: _cancel(asking))
        return await make_deferred_yieldable(asking)

    def _no_answer(self, e: Exception) -> SynapseError:
        if isinstance(e, Unavailable) and e.reason == Reason.DEADLINE:
            logger.warning("%s: %s: no answer within %d ms", self._module, self._path, self._timeout_ms)
            return SynapseError(504, "the module did not answer in time", Codes.UNKNOWN)
        logger.warning("%s: %s: no answer: %s", self._module, self._path, str(e) or type(e).__name__)
        return SynapseError(503, UNAVAILABLE, Codes.UNKNOWN)

    def _error(self, e: RpcError) -> Exception:
        e = read_error(e, ())
        if e.code == ERROR_CODES["synapse_error"]:
            return synapse_error(e)
        if e.code == ERROR_CODES["module_fault"]:
            return ModuleFault(e.message)
        logger.warning("%s: %s: no answer: %s", self._module, self._path, one_line(e.message))
        return SynapseError(503, UNAVAILABLE, Codes.UNKNOWN)


class _Question(HostRequest):
    """The request to the host, with a client's HTTP request."""

    method = method_name("web")

    def __init__(self, module: str, path: str, request: Any, deadline: float) -> None:
        self.name, self.deadline = path, deadline
        self._module = module
        self._request = request
        self._request_id = current_request()

    def opened(self) -> OpenCall:
        opened = OpenCall(self.name, [self._module], self.since)
        opened.web_request = self._request
        return opened

    def params(self, handle: int) -> Mapping[str, Any]:
        return {
            **encode_request(self._request, self._request.content.read()),
            "call": handle,
            "module": self._module,
            "path": self.name,
            "request": self._request_id,
        }


def _size(content: Any) -> int:
    size: int = content.seek(0, SEEK_END)
    content.seek(0)
    return size


def _cancel(asking: "Deferred[Any]") -> None:
    with PreserveLoggingContext():
        asking.cancel()


def _write(request: Any, answer: WebResponse) -> None:
    request.setResponseCode(answer.status)
    set_cors_headers(request)
    # The module's headers replace Synapse's. Several with one name, such as cookies, are all kept.
    for name in {name.lower() for name, _ in answer.headers}:
        request.responseHeaders.removeHeader(name)
    for name, value in answer.headers:
        request.responseHeaders.addRawHeader(name, value)
    request.setHeader(b"Content-Length", str(len(answer.body)).encode("ascii"))
    if request.method != b"HEAD":
        request.write(answer.body)
    finish_request(request)
