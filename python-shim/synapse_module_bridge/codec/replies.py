"""Reads the host's replies to calls. Replies are untrusted: an ambiguous one is rejected."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from synapse.module_api.errors import SynapseError

from synapse_module_bridge.codec.answer_schema import is_pass, is_writable
from synapse_module_bridge.codec.codec import safe_fields
from synapse_module_bridge.codec.codes import code_of
from synapse_module_bridge.schema.catalogue import CALLBACKS, Callback
from synapse_module_bridge.schema.protocol import ERROR_CODES, LIMITS, Reason, fits
from synapse_module_bridge.transport.rpc import INVALID_PARAMS, RpcError

MOST_CHARACTERS = LIMITS["reason_characters"]
MOST_DETAILS_CHARACTERS = LIMITS["reason_details_characters"]


class Reply(NamedTuple):
    """The normalised answer, and the module that gave it; None where all modules passed."""

    answer: Any
    module: str | None
    # Why the module has decided so, as it says itself.
    reason: "GivenReason | None" = None


class GivenReason(NamedTuple):
    """What a module says about its decision: a text, and JSON."""

    text: str
    details: str | None


# By callback, the reply where all modules passed: nearly all replies. It takes longer to make one than to find it.
_ALL_PASSED = {callback.name: Reply(callback.passes, None) for callback in CALLBACKS.values()}


def read_reply(callback: Callback, modules: Sequence[str], reply: Any) -> Reply | None:
    """The reply to a call of these modules, or None where it is not one that they can have given."""
    if not isinstance(reply, dict) or "answer" not in reply:
        return None
    answer, module = reply["answer"], reply.get("module")
    passes = is_pass(callback.result, answer)
    if module is None:
        return _ALL_PASSED[callback.name] if passes else None
    # A pass value decides nothing, so no module may be named as its author: the modules after it were not asked.
    return Reply(answer, module, given_reason(reply)) if module in modules and not passes else None


def given_reason(told: Mapping[str, Any]) -> GivenReason | None:
    """The reason in a reply or an error's data; None if there is none that fits. The answer counts all the same."""
    given: Any = told.get("given_reason")
    if not fits("GivenReason", given):
        return None
    reason = GivenReason(given["text"], given.get("details"))
    too_long = len(reason.text) > MOST_CHARACTERS or len(reason.details or "") > MOST_DETAILS_CHARACTERS
    return None if too_long else reason


def read_error(error: RpcError, modules: Sequence[str]) -> RpcError:
    """The error itself, or a module fault in place of a SynapseError that Synapse could not send to a client."""
    if error.code != ERROR_CODES["synapse_error"] or _is_whole(error):
        return error
    module = error.data.get("module")
    data = {"module": module if module in modules else None}
    return RpcError(ERROR_CODES["module_fault"], f"{module}: a SynapseError with missing or wrong fields", data)


def _is_whole(error: RpcError) -> bool:
    return (
        fits("ErrorStatus", error.data.get("code"))
        and isinstance(error.data.get("msg"), str)
        and isinstance(error.data.get("errcode"), str)
        and isinstance(error.data.get("additional_fields"), dict)
        and is_writable(error.data["additional_fields"])
    )


def reason_of(e: RpcError) -> Reason:
    """Why policy answers a call, where the host itself has answered with this error."""
    return Reason.PARAMS if e.code == INVALID_PARAMS else Reason.HOST_ERROR


def synapse_error(e: RpcError) -> SynapseError:
    """The SynapseError that a module threw, from an error that `read_error` has checked."""
    errcode = e.data["errcode"]
    return SynapseError(
        e.data["code"], e.data["msg"], code_of(errcode) or errcode, safe_fields(e.data["additional_fields"])
    )
