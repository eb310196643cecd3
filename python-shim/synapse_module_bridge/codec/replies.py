"""Reads what the host replies to a call, and trusts none of it: a reply that does not say clearly who decided what is
none.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from synapse.module_api.errors import Codes, SynapseError

from synapse_module_bridge.codec.answer_schema import is_pass, is_writable
from synapse_module_bridge.codec.codec import safe_fields
from synapse_module_bridge.schema.catalogue import Callback
from synapse_module_bridge.schema.protocol import ERROR_CODES, Reason
from synapse_module_bridge.transport.rpc import INVALID_PARAMS, RpcError


class Reply(NamedTuple):
    """The normalised answer, and the module that gave it; None where none of those asked objects."""

    answer: Any
    module: str | None


def read_reply(callback: Callback, modules: Sequence[str], reply: Any) -> Reply | None:
    """None for what is no reply to the question whether these modules object."""
    if not isinstance(reply, dict) or "answer" not in reply:
        return None
    answer, module = reply["answer"], reply.get("module")
    passes = is_pass(callback.result, answer)
    if module is None:
        return Reply(answer, None) if passes else None
    # Who passes does not decide: those after it would go unasked.
    return Reply(answer, module) if module in modules and not passes else None


def read_error(error: RpcError, modules: Sequence[str]) -> RpcError:
    """The error; a module fault where a SynapseError's fields are not such that Synapse could answer with them."""
    if error.code != ERROR_CODES["synapse_error"] or _is_whole(error):
        return error
    module = error.data.get("module")
    data = {"module": module if module in modules else None, "kind": "threw"}
    return RpcError(ERROR_CODES["module_fault"], f"{module}: a SynapseError that is not whole", data)


def _is_whole(error: RpcError) -> bool:
    code = error.data.get("code")
    return (
        type(code) is int
        and 400 <= code <= 599
        and isinstance(error.data.get("msg"), str)
        and isinstance(error.data.get("errcode"), str)
        and isinstance(error.data.get("additional_fields"), dict)
        and is_writable(error.data["additional_fields"])
    )


def reason_of(e: RpcError) -> Reason | str:
    """Why policy stands in for all that were asked, where the host itself refused."""
    return Reason.PARAMS if e.code == INVALID_PARAMS else f"{Reason.HOST_ERROR} {e.code}"


def synapse_error(e: RpcError) -> SynapseError:
    """The SynapseError that a module threw."""
    return SynapseError(
        e.data["code"], e.data["msg"], _code(e.data["errcode"]), safe_fields(e.data["additional_fields"])
    )


def _code(errcode: str) -> str:
    try:
        return Codes(errcode)
    except ValueError:
        return errcode
