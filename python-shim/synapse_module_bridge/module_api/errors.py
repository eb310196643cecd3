"""Encodes exceptions of Synapse for the module whose request has failed."""

import base64

from synapse.api.errors import HttpResponseException
from synapse.module_api.errors import SynapseError

from synapse_module_bridge.schema.protocol import ERROR_CODES
from synapse_module_bridge.transport.rpc import RpcError


def wire_error(e: Exception) -> RpcError:
    """The error that answers the request. SynapseError and HttpResponseException keep their fields."""
    if isinstance(e, RpcError):
        return e
    if isinstance(e, SynapseError):
        return _synapse_error(e)
    if isinstance(e, HttpResponseException):
        response = base64.b64encode(e.response).decode("ascii")
        data = {"code": int(e.code), "msg": e.msg, "response": response}
        return RpcError(ERROR_CODES["http_response_exception"], f"{int(e.code)} {e.msg}", data)
    # Synapse's assertions have no message.
    return RpcError(ERROR_CODES["api_error"], str(e) or type(e).__name__, {"class": type(e).__name__})


def _synapse_error(e: SynapseError) -> RpcError:
    # The additional fields have no public name but in the body for clients.
    body = dict(e.error_dict(None))
    message, errcode = body.pop("error", e.msg), body.pop("errcode", e.errcode)
    data = {"code": int(e.code), "msg": message, "errcode": str.__str__(errcode), "additional_fields": body}
    return RpcError(ERROR_CODES["synapse_error"], e.msg, data)
