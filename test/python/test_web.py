"""Web resources that no module answers: what the client gets, and what the log says."""

import logging
from contextlib import ExitStack
from typing import Any

import pytest
from asking import Host
from objects import request
from synapse.module_api.errors import SynapseError
from synapse_module_bridge.catalogue import ERROR_CODES
from synapse_module_bridge.deadline import DeadlinePassed
from synapse_module_bridge.open_calls import OpenCalls
from synapse_module_bridge.rpc import ConnectionGone, RpcError
from synapse_module_bridge.unavailable import Unavailable
from synapse_module_bridge.web import MOST_AT_ONCE, MOST_BYTES_AT_ONCE, WebLoad, WebResource
from test_remembered import outcome
from twisted.internet.defer import ensureDeferred

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
    resource: Any = WebResource(Host(failure), calls, WebLoad(), "m", "/_synapse/client/x", 1_000)
    with caplog.at_level(logging.WARNING):
        error = outcome(ensureDeferred(resource._async_render(request())))
    assert isinstance(error, SynapseError) and error.code == code
    assert [record.getMessage() for record in caplog.records] == [f"m: /_synapse/client/x: {told}"]
    assert calls.describe() == "nothing was running"


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
