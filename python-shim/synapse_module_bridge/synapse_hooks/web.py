"""Serves web resources: sends a client's HTTP request to the module that serves its path, and writes the response."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from os import SEEK_END
from typing import Any

from synapse.api.errors import UnrecognizedRequestError
from synapse.http.server import finish_request, set_cors_headers
from synapse.logging.context import PreserveLoggingContext, make_deferred_yieldable, run_in_background
from synapse.module_api import DirectServeJsonResource
from synapse.module_api.errors import Codes, SynapseError
from twisted.internet.defer import CancelledError, Deferred

from synapse_module_bridge.calls.exchange import Exchange, HostRequest
from synapse_module_bridge.calls.open_calls import OpenCall
from synapse_module_bridge.codec.http_request import encode_request, visitor_of
from synapse_module_bridge.codec.replies import read_error, synapse_error
from synapse_module_bridge.pipeline.failures import ModuleFault
from synapse_module_bridge.quarantine.web_paths import WebPaths, WebVisit
from synapse_module_bridge.resilience.policy import UNAVAILABLE
from synapse_module_bridge.resilience.web_load import WebLoad
from synapse_module_bridge.routing.entry import current_request
from synapse_module_bridge.schema.protocol import ERROR_CODES, Reason, method_name
from synapse_module_bridge.synapse_hooks.web_response import MOST_BODY_BYTES, WebResponse, read_response
from synapse_module_bridge.telemetry.log_text import one_line
from synapse_module_bridge.transport.framing import TooLarge
from synapse_module_bridge.transport.rpc import ConnectionGone, RpcError
from synapse_module_bridge.transport.unavailable import Unavailable

logger = logging.getLogger("synapse_module_bridge.web")


async def _always() -> bool:
    return True


class WebResource(DirectServeJsonResource):
    """Serves one path, with all HTTP methods, by one module. Errors are JSON, as elsewhere in the client API.

    `is_served` tells, once that is known, whether the module is not off.
    """

    def __init__(
        self,
        exchange: Exchange,
        load: WebLoad,
        web_paths: WebPaths,
        module: str,
        path: str,
        timeout_ms: int,
        is_served: Callable[[], Awaitable[bool]] = _always,
    ) -> None:
        super().__init__()
        self._exchange = exchange
        self._load = load
        self._web_paths = web_paths
        self._module = module
        self._path = path
        self._timeout_ms = timeout_ms
        self._is_served = is_served

    async def _async_render(self, request: Any) -> None:
        if not await self._is_served():
            # As Synapse answers for a path that it does not know.
            raise UnrecognizedRequestError(code=404)
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
        visitor = visitor_of(request)
        if self._web_paths.refuses(self._module, self._path, visitor):
            raise SynapseError(503, UNAVAILABLE, Codes.UNKNOWN)
        with self._load.of(self._module, visitor, size):
            return await self._hand_over(request, visitor)

    async def _hand_over(self, request: Any, visitor: str) -> Mapping[str, Any]:
        deadline = time.monotonic() + self._timeout_ms / 1000
        began = partial(self._web_paths.began, self._module, self._path, visitor)
        question = _Question(self._module, self._path, request, deadline, began)
        is_answered = False
        asking: Deferred[Mapping[str, Any]] = run_in_background(self._exchange.send, question)
        # If the client disconnects, the handler's signal is aborted.
        request.notifyFinish().addErrback(lambda _: _cancel(asking))
        try:
            reply = await make_deferred_yieldable(asking)
            is_answered = True
            return reply
        except RpcError as e:
            # That the module's thread has ended is told about the thread as well, a moment earlier or later.
            is_answered = e.code != ERROR_CODES["module_ended"]
            raise
        finally:
            if question.visit is not None:
                self._web_paths.over(question.visit, is_answered=is_answered)

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

    # Once Node has got it.
    visit: WebVisit | None = None

    def __init__(self, module: str, path: str, request: Any, deadline: float, began: Callable[[], WebVisit]) -> None:
        self.name, self.deadline = path, deadline
        self._began = began
        self._module = module
        self._request = request
        self._request_id = current_request()

    def opened(self) -> OpenCall:
        opened = OpenCall(self.name, [self._module], self.since)
        opened.web_request = self._request
        return opened

    def params(self) -> Mapping[str, Any]:
        params = {
            **encode_request(self._request, self._request.content.read()),
            "call": self.handle,
            "module": self._module,
            "path": self.name,
            "request": self._request_id,
        }
        self.visit = self._began()
        return params


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
