"""Web resources that no module answers: what the client gets, and what the log says."""

import logging
from contextlib import ExitStack
from typing import Any

import pytest
from asking import Host
from objects import request
from synapse.module_api.errors import SynapseError
from synapse_module_bridge.calls.exchange import Exchange
from synapse_module_bridge.calls.open_calls import OpenCalls
from synapse_module_bridge.pipeline.failures import ModuleFault
from synapse_module_bridge.reactor.deadline import DeadlinePassed
from synapse_module_bridge.schema.protocol import ERROR_CODES
from synapse_module_bridge.synapse_hooks.web import MOST_AT_ONCE, MOST_BYTES_AT_ONCE, WebLoad, WebResource
from synapse_module_bridge.transport.rpc import ConnectionGone, RpcError
from synapse_module_bridge.transport.unavailable import Unavailable
from turning import outcome
from twisted.internet.defer import Deferred, ensureDeferred


def web_resource(host: Any, calls: OpenCalls) -> Any:
    return WebResource(Exchange(host, calls), WebLoad(), "m", "/_synapse/client/x", 1_000)


SETUP = RpcError(ERROR_CODES["module_unavailable"], "m: setup failed", {"module": "m"})


@pytest.mark.parametrize(
    ("failure", "code", "told"),
    [
        (DeadlinePassed(), 504, "no answer within 1000 ms"),
        (Unavailable("overload"), 503, "no answer: overload"),
        (ConnectionGone(), 503, "no answer: ConnectionGone"),
        (SETUP, 503, "no answer: m: setup failed"),
        (RpcError(-32603, "two\nlines"), 503, r"no answer: two\nlines"),
    ],
)
def test_a_request_without_an_answer_is_an_error_of_the_servers_and_a_warning(
    failure: Exception, code: int, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    calls = OpenCalls()
    resource: Any = web_resource(Host(failure), calls)
    with caplog.at_level(logging.WARNING):
        error = outcome(ensureDeferred(resource._async_render(request())))
    assert isinstance(error, SynapseError) and error.code == code
    assert [record.getMessage() for record in caplog.records] == [f"m: /_synapse/client/x: {told}"]
    assert calls.describe() == "nothing was running"


def test_a_request_waits_while_one_call_is_asked_with_nothing_else_under_way() -> None:
    host = Host(GOOD)
    exchange, asked = Exchange(host, OpenCalls()), request()
    entrance = exchange.entrance
    resource: Any = WebResource(exchange, WebLoad(), "m", "/_synapse/client/x", 1_000)
    waiting: list[Deferred[None]] = []
    host.within = lambda deferred, deadline: (waiting.append(deferred), deferred)[1]  # type: ignore[method-assign,func-returns-value]
    entrance.close()
    rendering = ensureDeferred(resource._async_render(asked))
    assert (len(waiting), host.calls) == (1, [])
    entrance.open()
    assert outcome(rendering) is None
    assert (len(host.calls), asked.code) == (1, 200)


GOOD: dict[str, Any] = {
    "status": 200,
    "headers": [["X-Own", "1"], ["x-own", "2"], ["Connection", "close"]],
    "body": "aGk=",
}


def served(reply: Any) -> tuple[Any, Any]:
    """What becomes of a request that is answered so, and the request."""
    asked = request()
    resource: Any = web_resource(Host(reply), OpenCalls())
    return outcome(ensureDeferred(resource._async_render(asked))), asked


def test_an_answer_is_written_with_its_headers_in_place_of_synapses() -> None:
    result, asked = served({**GOOD, "headers": [*GOOD["headers"], ["Access-Control-Allow-Origin", "no"]]})
    assert (result, asked.code) == (None, 200)
    assert asked.responseHeaders.getRawHeaders("X-Own") == ["1", "2"]
    assert asked.responseHeaders.getRawHeaders("Access-Control-Allow-Origin") == ["no"]
    assert asked.responseHeaders.getRawHeaders("Content-Length") == ["2"]
    assert not asked.responseHeaders.hasHeader("Connection")


@pytest.mark.parametrize(
    "wrong",
    [
        *({"status": status} for status in (0, 100, 199, 600, 1999, "200", "200 OK", 200.0, True, None, [200])),
        *({"headers": [["X-Own", "1"], header]} for header in (["X"], ["X", 1], [1, "x"], "abc", None, ["", "x"])),
        *({"headers": [["X-Own", "1"], ["X-A", value]]} for value in ("a\r\nSet-Cookie: b=c", "\x00", "\u4e00")),
        *({"headers": [["X-Own", "1"], [name, "x"]]} for name in ("X A", "X:A", "X\r\nA", "\xe9", "\u4e00")),
        *({"headers": headers} for headers in (None, 5, {"X-Own": "1"})),
        *({"body": body} for body in (None, 5, "a", "***", "\u4e00")),
    ],
)
def test_of_an_answer_that_is_none_nothing_is_written(wrong: Any) -> None:
    result, asked = served({**GOOD, **wrong})
    assert isinstance(result, ModuleFault) and str(result).startswith("m: /_synapse/client/x: ")
    assert list(asked.responseHeaders.getAllRawHeaders()) == []
    assert not asked.startedWriting


@pytest.mark.parametrize(("size", "most"), [(10_000_000, MOST_BYTES_AT_ONCE // 10_000_000), (0, MOST_AT_ONCE)])
def test_node_is_given_so_many_requests_at_once_and_no_more(size: int, most: int) -> None:
    load = WebLoad()
    with ExitStack() as served:
        for _ in range(most):
            served.enter_context(load.of(size))
        with pytest.raises(Unavailable), load.of(size):
            pass
    with load.of(size):
        pass
