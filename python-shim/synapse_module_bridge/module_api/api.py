"""Answers the host's requests: ModuleApi methods, for which `schemas/api.json` is the allow-list, and room state.

The host is untrusted: modules run in its process. So grants and parameters are checked here.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from synapse.module_api import ModuleApi

from synapse_module_bridge.calls.membership_lock import MembershipChanges
from synapse_module_bridge.calls.open_calls import OpenCall, OpenCalls
from synapse_module_bridge.codec.codec import DECODE_PARAM, ENCODE, encode_event
from synapse_module_bridge.module_api.errors import wire_error
from synapse_module_bridge.module_api.grants import Grants
from synapse_module_bridge.module_api.methods import ApiMethods
from synapse_module_bridge.reactor.background import run_in_background_process
from synapse_module_bridge.routing.entry import select_state
from synapse_module_bridge.schema.catalogue import METHODS, Method
from synapse_module_bridge.schema.modes import Mode
from synapse_module_bridge.schema.protocol import API, ERROR_CODES, method_name
from synapse_module_bridge.transport.rpc import METHOD_NOT_FOUND, Refuse, Respond, RpcError

# Gets the request, and the modes of the modules of the host that asks.
Handler = Callable[[Mapping[str, Any], Mapping[str, Mode]], Awaitable[Any]]
# Gets the module's name and the parameters, as wire values.
AddedMethod = Callable[[str, Mapping[str, Any]], Awaitable[Any]]
NO_MODES: Mapping[str, Mode] = {}


class ApiRequests:
    """`added` has, by method of the request, what Synapse's ModuleApi lacks."""

    def __init__(self, api: ModuleApi, open_calls: OpenCalls, clock: Any, added: Mapping[str, AddedMethod]) -> None:
        self._api = api
        self._open_calls = open_calls
        self._methods = ApiMethods(api, clock)
        self._memberships = MembershipChanges(api, clock)
        self.grants = Grants()
        self._handlers: dict[str, Handler] = {
            method_name("state/get"): self._state_get,
            method_name("state/keys"): self._state_keys,
            method_name("templates/render"): self._render,
            method_name("api/not_awaited"): self._not_awaited,
        }
        for method in METHODS.values():
            if method.access != "sync" and not method.added:
                self._handlers[API + method.name] = self._api_handler(method)
        for name, call in added.items():
            self._handlers[name] = self._added_handler(METHODS[name.split("/")[1]], call)

    def handle(
        self,
        name: str,
        params: Mapping[str, Any],
        answer: Respond,
        refuse: Refuse,
        modes: Mapping[str, Mode] = NO_MODES,
    ) -> None:
        """Runs a request of the host in the background, in a log context of its own, and answers it. Never raises.

        `modes` is as for `Grants.check`.
        """
        handler = self._handlers.get(name)
        if handler is None:
            refuse(RpcError(METHOD_NOT_FOUND, f"no such method: {name}"))
            return

        async def run() -> None:
            try:
                answer(await handler(params, modes))
            except Exception as e:
                refuse(wire_error(e))

        run_in_background_process(self._api, "module_bridge_api", run)

    async def _state_get(self, params: Mapping[str, Any], _: Mapping[str, Mode]) -> Any:
        state = await self._state(params)
        keys = params.get("keys")
        if keys is None:
            return [encode_event(event) for event in state.values()]
        return [encode_event(event) for event in select_state(state, [(kind, key) for kind, key in keys])]

    async def _state_keys(self, params: Mapping[str, Any], _: Mapping[str, Mode]) -> Any:
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

    async def _render(self, params: Mapping[str, Any], _: Mapping[str, Mode]) -> str:
        folder = params.get("custom_template_directory")
        return self._methods.templates.render(params["filename"], folder, params["variables"])

    async def _not_awaited(self, params: Mapping[str, Any], _: Mapping[str, Mode]) -> None:
        self._memberships.not_awaited(params["call"], params["module"])

    def _api_handler(self, method: Method) -> Handler:
        async def handler(request: Mapping[str, Any], modes: Mapping[str, Mode]) -> Any:
            module, handle = request.get("module"), request.get("call")
            arguments = self._arguments(method, self._checked(method, request, modes))
            if method.name == "update_room_membership" and isinstance(handle, int):
                result = await self._memberships.run(
                    lambda: self._methods.call(method, arguments),
                    arguments["room_id"],
                    (handle, str(module)),
                    lambda: self._open_calls.get(handle),
                )
            else:
                result = await self._methods.call(method, arguments)
            encode = ENCODE.get(method.result)
            return result if result is None or encode is None else encode(result)

        return handler

    def _added_handler(self, method: Method, call: AddedMethod) -> Handler:
        async def handler(request: Mapping[str, Any], modes: Mapping[str, Mode]) -> Any:
            given = self._checked(method, request, modes)
            return await call(request["module"], given)

        return handler

    def _checked(self, method: Method, request: Mapping[str, Any], modes: Mapping[str, Mode]) -> Mapping[str, Any]:
        """The request's parameters. Raises RpcError where the module has no grant, and TypeError."""
        if method.access == "write":
            self.grants.check(request.get("module"), method, modes)
        given = request.get("params")
        if not isinstance(given, dict):
            raise TypeError("params must be an object")
        return given

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
        return value if decode is None or value is None else decode(value)
