"""Answers the host's requests: ModuleApi methods, for which `schemas/api.json` is the allow-list, and room state."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from operator import attrgetter
from typing import Any

from synapse.module_api import ModuleApi
from synapse.module_api.errors import SynapseError

from synapse_module_bridge.background import run_in_background_process
from synapse_module_bridge.catalogue import ERROR_CODES, METHODS, Method
from synapse_module_bridge.codec import DECODE_PARAM, ENCODE, encode_event
from synapse_module_bridge.open_calls import OpenCall, OpenCalls
from synapse_module_bridge.questions import select_state
from synapse_module_bridge.rpc import METHOD_NOT_FOUND, Answer, Refuse, RpcError

logger = logging.getLogger(__name__)

Handler = Callable[[Mapping[str, Any]], Awaitable[Any]]
# Gets the module's name, and the parameters as they travelled.
AddedMethod = Callable[[str, Mapping[str, Any]], Awaitable[Any]]


class HostRequests:
    """`grants` holds, for each module, the names of the writes that it may use, or "all".

    `added` are methods that Synapse's ModuleApi lacks, by name; the steps of one have its name, a slash and their own.
    """

    def __init__(self, api: ModuleApi, open_calls: OpenCalls, added: Mapping[str, AddedMethod]) -> None:
        self._api = api
        self._open_calls = open_calls
        self.grants: Mapping[str, Any] = {}
        self._handlers: dict[str, Handler] = {"state/get": self._state_get, "state/keys": self._state_keys}
        for method in METHODS.values():
            if method.access != "sync" and not method.added:
                self._handlers[f"api/{method.name}"] = self._api_handler(method)
        for name, call in added.items():
            self._handlers[f"api/{name}"] = self._added_handler(METHODS[name.partition("/")[0]], call)

    def handle(self, name: str, params: Mapping[str, Any], answer: Answer, refuse: Refuse) -> None:
        """Runs a request of the host in a log context of its own, and answers it."""
        handler = self._handlers.get(name)
        if handler is None:
            refuse(RpcError(METHOD_NOT_FOUND, f"no such method: {name}"))
            return

        async def run() -> None:
            try:
                answer(await handler(params))
            except RpcError as e:
                refuse(e)
            except SynapseError as e:
                refuse(_synapse_error(e))
            except Exception as e:
                refuse(RpcError(ERROR_CODES["api_error"], str(e), {"class": type(e).__name__}))

        run_in_background_process(self._api, "module_bridge_api", run)

    async def _state_get(self, params: Mapping[str, Any]) -> Any:
        state = await self._state(params)
        keys = params.get("keys")
        if keys is None:
            return [encode_event(event) for event in state.values()]
        return [encode_event(event) for event in select_state(state, [(kind, key) for kind, key in keys])]

    async def _state_keys(self, params: Mapping[str, Any]) -> Any:
        return [list(key) for key in await self._state(params)]

    async def _state(self, params: Mapping[str, Any]) -> Mapping[tuple[str, str], Any]:
        call = self._open_call(params.get("call"))
        if call.state is None and call.state_room is not None:
            call.state = await self._api.get_room_state(call.state_room)
        if call.state is None:
            raise RpcError(ERROR_CODES["call_over"], "this callback has no state_events")
        return call.state

    def _open_call(self, handle: Any) -> OpenCall:
        call = self._open_calls.get(handle)
        if call is None:
            raise RpcError(ERROR_CODES["call_over"], "the call has ended")
        return call

    def _api_handler(self, method: Method) -> Handler:
        async def handler(request: Mapping[str, Any]) -> Any:
            given = self._checked(method, request)
            result = await attrgetter(method.name)(self._api)(**self._arguments(method, given))
            encode = ENCODE.get(method.result)
            return result if result is None or encode is None else encode(result)

        return handler

    def _added_handler(self, method: Method, call: AddedMethod) -> Handler:
        async def handler(request: Mapping[str, Any]) -> Any:
            given = self._checked(method, request)
            return await call(request["module"], given)

        return handler

    def _checked(self, method: Method, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """The request's parameters. Raises RpcError if the module may not make it."""
        if method.access == "write":
            self._check_grant(request.get("module"), method)
        given = request.get("params")
        if not isinstance(given, dict):
            raise TypeError("params must be an object")
        return given

    def _check_grant(self, module: Any, method: Method) -> None:
        grants = self.grants.get(module, ()) if isinstance(module, str) else ()
        if grants != "all" and method.grant not in grants:
            raise RpcError(
                ERROR_CODES["not_granted"],
                f"{module} may not call {method.name}: add {method.grant} to the module's `grants` in homeserver.yaml",
                {"module": module, "method": method.name},
            )

    def _arguments(self, method: Method, given: Mapping[str, Any]) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        for param in method.params:
            if param.name in given:
                arguments[param.name] = self._argument(param.type, given[param.name])
            elif not param.optional:
                raise TypeError(f"{method.name}: the parameter {param.name} is missing")
        return arguments

    def _argument(self, type_name: str, value: Any) -> Any:
        if type_name == "WebRequest":
            return self._open_call(value).web_request
        decode = DECODE_PARAM.get(type_name)
        return value if decode is None else decode(value)


def _synapse_error(e: SynapseError) -> RpcError:
    # Only the body that a client would get tells the additional fields by a public name.
    body = dict(e.error_dict(None))
    message, errcode = body.pop("error", e.msg), body.pop("errcode", e.errcode)
    data = {"code": int(e.code), "msg": message, "errcode": str.__str__(errcode), "additional_fields": body}
    return RpcError(ERROR_CODES["synapse_error"], e.msg, data)
