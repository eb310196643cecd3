"""Decides what Synapse gets when the host has answered a call with an error."""

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

from synapse_module_bridge.calls.call import Call
from synapse_module_bridge.codec.codec import decode_own
from synapse_module_bridge.codec.replies import given_reason, reason_of, synapse_error
from synapse_module_bridge.pipeline.round_trip import index_of
from synapse_module_bridge.resilience import policy
from synapse_module_bridge.resilience.policy import Policies
from synapse_module_bridge.routing.entry import Entry
from synapse_module_bridge.schema.protocol import ERROR_CODES, Reason
from synapse_module_bridge.telemetry.log_text import one_line
from synapse_module_bridge.transport.rpc import RpcError
from synapse_module_bridge.transport.unavailable import Unavailable

logger = logging.getLogger("synapse_module_bridge.pipeline")

_REASONS = {
    ERROR_CODES["module_fault"]: Reason.FAULT,
    ERROR_CODES["synapse_error"]: Reason.ERROR,
    ERROR_CODES["module_unavailable"]: Reason.SETUP,
}
# Reasons in an error about a module in a thread of its own, from the host or from the round trip.
_TOLD = (Reason.DEADLINE, Reason.DOWN, Reason.QUARANTINE)


class ModuleFault(Exception):
    """A module threw, or its answer has the wrong type. Synapse gets this as a Python module's exception."""

    def __init__(self, message: str) -> None:
        # Synapse logs it, and a user may have written parts of it.
        super().__init__(one_line(message))


class StandIn(NamedTuple):
    """The failure policy answers for one of the modules that were asked, and the modules after it are asked."""

    # Its index among them.
    at: int
    reason: Reason


class Final(NamedTuple):
    """The answer for Synapse. No other module is asked."""

    answer: Any


def judge(call: Call, asked: Sequence[Entry], e: RpcError, policies: Policies) -> StandIn | Final:
    """Decides about the error, and records what is not left to the failure policy.

    Raises SynapseError where a module threw one; ModuleFault where Synapse would get a Python module's exception; and
    Unavailable where the host itself has failed.
    """
    index = index_of(e.data.get("module"), asked)
    # The name is trusted only if it is that of a module that was asked.
    module = None if index is None else asked[index].module
    if index is not None:
        call.forget(asked[index])
    callback = call.callback
    is_fault, is_error = e.code == ERROR_CODES["module_fault"], e.code == ERROR_CODES["synapse_error"]
    by_policy = callback.faults_by_policy and index is not None
    if is_error and not by_policy:
        call.record("error", module, f"{e.data['code']}/{e.data['errcode']}", given=given_reason(e.data))
        if callback.swallows:
            return Final(policy.refuse(callback, call.params))
        raise synapse_error(e) from None
    if is_fault and policies.explicit(callback, local=call.local) is None:
        if callback.swallows:
            call.record("fault", module)
            return Final(policy.refuse(callback, call.params))
        if call.local and not by_policy:
            call.record("fault", module)
            raise ModuleFault(e.message) from None
        code = policy.soft_failure(callback, call.params, local=call.local)
        if code is not None:
            call.record("fault", module, code)
            return Final(decode_own(callback.result, code, call.params))
    if index is None:
        logger.error("%s: %s (error %d)", callback.name, e.message, e.code)
        raise Unavailable(reason_of(e)) from None
    return StandIn(index, why_unanswered(e))


def why_unanswered(e: RpcError) -> Reason:
    """Why the failure policy stands in for the module that the host's error is about."""
    told = e.data.get("reason")
    return Reason(told) if told in _TOLD else _REASONS.get(e.code) or reason_of(e)
