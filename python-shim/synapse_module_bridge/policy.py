"""What is answered when the modules cannot: the failure policy.

It lives on this side alone, since only Python survives a dead Node.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from synapse.module_api.errors import Codes, SynapseError

from synapse_module_bridge.catalogue import Callback
from synapse_module_bridge.codec import decode_answer
from synapse_module_bridge.match import lookup

# What a client, or another server, reads.
UNAVAILABLE = "policy unavailable"


def choose(callback: Callback, params: Mapping[str, Any]) -> str:
    """The policy for this call: `allow`, `deny` or `defer`."""
    for exception in callback.on_failure.get("exceptions", ()):
        same: Sequence[str] = exception.get("same", ())
        values = [lookup(params, path.split(".")) for path in same]
        where = exception.get("where", {})
        if all(lookup(params, path.split(".")) == value for path, value in where.items()) and (
            not values or all(value == values[0] for value in values)
        ):
            return str(exception["policy"])
    return str(callback.on_failure["default"])


def answer(callback: Callback, policy: str, params: Mapping[str, Any], *, local: bool) -> Any:
    """The answer for Synapse that a policy stands for. Raises SynapseError where that is how it is told."""
    how = callback.on_failure[policy]
    if how == "pass":
        return decode_answer(callback.result, callback.passes, params)
    if how != "raise":
        return decode_answer(callback.result, how["answer"], params)
    if policy == "defer" and local:
        raise SynapseError(503, UNAVAILABLE, Codes.UNKNOWN)
    # A remote server takes any 5xx for a reason to back off for minutes.
    raise SynapseError(403, UNAVAILABLE, Codes.FORBIDDEN)


def refuse(callback: Callback, params: Mapping[str, Any]) -> Any:
    """The refusal of a callback whose exceptions Synapse would take for "allowed"."""
    return decode_answer(callback.result, callback.on_failure["deny"]["answer"], params)
