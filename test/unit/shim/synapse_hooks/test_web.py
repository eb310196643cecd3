"""Web resources that no module answers: what the client gets, and what the log says."""

import logging
from typing import Any

import pytest
from asking import Host
from fake_time import Time
from objects import request
from synapse.module_api.errors import SynapseError
from synapse_module_bridge.calls.exchange import Exchange
from synapse_module_bridge.calls.open_calls import OpenCalls
from synapse_module_bridge.pipeline.failures import ModuleFault
from synapse_module_bridge.quarantine.web_paths import ANSWERED_SECONDS, ENDS_OF_A_VISITOR, WebPaths
from synapse_module_bridge.reactor.deadline import DeadlinePassed
from synapse_module_bridge.resilience.policy import UNAVAILABLE
from synapse_module_bridge.resilience.web_load import WebLoad
from synapse_module_bridge.schema.protocol import ERROR_CODES, Reason
from synapse_module_bridge.synapse_hooks.web import WebResource
from synapse_module_bridge.transport.rpc import ConnectionGone, RpcError
from synapse_module_bridge.transport.unavailable import Unavailable
from turning import outcome
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.error import ConnectionLost

PATH = "/_synapse/client/x"


def web_resource(host: Any, calls: OpenCalls, web_paths: WebPaths | None = None) -> Any:
    return WebResource(Exchange(host, calls), WebLoad(), web_paths or WebPaths(), "m", PATH, 1_000)


SETUP = RpcError(ERROR_CODES["module_unavailable"], "m: setup failed", {"module": "m"})


@pytest.mark.parametrize(
    ("failure", "code", "told"),
    [
        (DeadlinePassed(), 504, "no answer within 1000 ms"),
        (Unavailable(Reason.OVERLOAD), 503, "no answer: overload"),
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
    resource: Any = WebResource(exchange, WebLoad(), WebPaths(), "m", PATH, 1_000)
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


ENDED = RpcError(ERROR_CODES["module_ended"], "m has ended", {"module": "m", "cause": "exit code 1", "began": True})


@pytest.mark.parametrize(
    ("outcome_", "seconds", "may_have_done_it"),
    [
        # Who waits for no answer may have hung Node.
        *((outcome, ANSWERED_SECONDS + 0.1, True) for outcome in (DeadlinePassed(), ENDED)),
        *((outcome, ANSWERED_SECONDS - 0.1, True) for outcome in (GOOD, SETUP)),
        *((outcome, ANSWERED_SECONDS + 0.1, False) for outcome in (GOOD, SETUP)),
    ],
)
def test_for_a_while_a_request_that_is_over_may_still_have_ended_node(
    outcome_: Any, seconds: float, may_have_done_it: bool
) -> None:
    time = Time()
    web_paths = WebPaths(time)
    outcome(ensureDeferred(web_resource(Host(outcome_), OpenCalls(), web_paths)._async_render(request())))
    time.now += seconds
    assert [(visit.path, visit.visitor) for visit in web_paths.take("m", "m")] == [
        (PATH, "192.0.2.1")
    ] * may_have_done_it


def test_a_request_whose_client_leaves_may_still_have_ended_node() -> None:
    time = Time()
    web_paths = WebPaths(time)
    host, asked = Host(None), request()
    host.call = lambda method, params, *_: (params(), Deferred())[1]  # type: ignore[method-assign]
    rendering = ensureDeferred(web_resource(host, OpenCalls(), web_paths)._async_render(asked))
    asked.connectionLost(ConnectionLost())
    assert outcome(rendering) is None
    time.now += ANSWERED_SECONDS + 0.1
    assert len(web_paths.take("m", "m")) == 1


def test_a_path_that_is_refused_is_not_asked_of_node() -> None:
    web_paths, host = WebPaths(), Host(GOOD)
    for _ in range(ENDS_OF_A_VISITOR):
        web_paths.note([web_paths.began("m", PATH, "192.0.2.1")])
    refused = outcome(ensureDeferred(web_resource(host, OpenCalls(), web_paths)._async_render(request())))
    assert isinstance(refused, SynapseError) and (refused.code, refused.msg) == (503, UNAVAILABLE)
    assert host.calls == []
