"""What is recorded of a shadow module that cannot answer."""

from typing import Any

import pytest
from asking import Host, calls_over, entry, sample
from counted import count
from synapse_module_bridge.pipeline.delivery import Delivery
from synapse_module_bridge.routing.entry import bind
from synapse_module_bridge.schema.catalogue import CALLBACKS
from synapse_module_bridge.schema.protocol import ERROR_CODES, Reason
from synapse_module_bridge.transport.rpc import INVALID_PARAMS, RpcError
from synapse_module_bridge.transport.unavailable import Unavailable
from twisted.internet.defer import ensureDeferred


@pytest.mark.parametrize(
    ("failure", "outcome", "reason"),
    [
        (RpcError(INVALID_PARAMS, "the parameters are not JSON"), "would_policy", "params"),
        (RpcError(ERROR_CODES["module_fault"], "it threw", {"module": "m"}), "would_fault", ""),
        (Unavailable(Reason.DOWN), "would_policy", "down"),
        (RpcError(ERROR_CODES["module_unavailable"], "setup failed", {"module": "m"}), "would_policy", "setup"),
        (
            RpcError(ERROR_CODES["module_unavailable"], "its time is up", {"module": "m", "reason": "deadline"}),
            *("would_policy", "deadline"),
        ),
    ],
)
def test_it_is_blamed_for_its_own_faults_alone(failure: Exception, outcome: str, reason: str) -> None:
    callback = CALLBACKS["user_may_invite"]
    calls = calls_over(Host(failure))
    nobody: Any = None
    call = calls.rules.begin(callback, bind(callback, sample(callback)))
    before = count("calls_total", outcome=outcome, reason=reason, module="m")
    ended = ensureDeferred(Delivery(calls, nobody).shadow(call, [entry("m", shadow=True)]))
    assert ended.called
    assert count("calls_total", outcome=outcome, reason=reason, module="m") == before + 1
