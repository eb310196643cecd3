"""Calls the methods of the ModuleApi: most of them generically, by their names and arguments.

Some have code of their own here, since their arguments or results have no form in JSON, or since Synapse's own fails.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import version
from operator import attrgetter
from typing import Any
from weakref import WeakKeyDictionary

from synapse.http import RequestTimedOutError
from synapse.logging.context import PreserveLoggingContext, make_deferred_yieldable, run_in_background
from synapse.module_api import ModuleApi
from synapse.types import RoomID, UserID
from twisted.internet.defer import Deferred, DeferredLock

from synapse_module_bridge.module_api import http_client
from synapse_module_bridge.module_api.templates import Templates
from synapse_module_bridge.reactor.deadline import DeadlinePassed, within
from synapse_module_bridge.schema.catalogue import Method
from synapse_module_bridge.schema.protocol import ERROR_CODES
from synapse_module_bridge.transport.rpc import RpcError

Arguments = Mapping[str, Any]

# Parameters with these annotations are objects for Synapse, and strings on the wire.
_OBJECTS: Mapping[str, Callable[[str], Any]] = {"RoomID": RoomID.from_string, "UserID": UserID.from_string}


class ApiMethods:
    """Calls the methods of `api`. `clock` is an IReactorTime."""

    def __init__(self, api: ModuleApi, clock: Any) -> None:
        self._api = api
        self._clock = clock
        self.templates = Templates(api)
        # By HTTP request, a lock, and the requester by the flags of the call: Synapse authenticates a request once.
        self._requesters: WeakKeyDictionary[Any, tuple[DeferredLock, dict[tuple[Any, ...], Any]]] = WeakKeyDictionary()
        self._own: Mapping[str, Callable[..., Awaitable[Any]]] = {
            "get_user_by_req": self._get_user_by_req,
            "http_client.request": self._http_request,
            "invalidate_access_token": self._invalidate_access_token,
            "read_templates": self._read_templates,
        }

    async def call(self, method: Method, arguments: Arguments) -> Any:
        """The method's result. Raises RpcError, TypeError, and what the method raises."""
        self._check_process(method, arguments)
        if method.name in self._own:
            return await self._own[method.name](**arguments)
        if method.name.startswith("http_client."):
            client = http_client.bounded(self._api.http_client)
            return await self._in_time(getattr(client, method.name.partition(".")[2]), arguments)
        function = self._find(method)
        result = function(**_with_objects(method, function, arguments))
        return await result if inspect.isawaitable(result) else result

    def _find(self, method: Method) -> Callable[..., Any]:
        try:
            found: Callable[..., Any] = attrgetter(method.name)(self._api)
        except AttributeError:
            raise RpcError(
                ERROR_CODES["api_error"],
                f"this Synapse ({version('matrix-synapse')}) has no {method.name}: it came with {method.since}",
                {"class": "AttributeError"},
            ) from None
        return found

    def _check_process(self, method: Method, arguments: Arguments) -> None:
        """Raises RpcError where Synapse's method would fail without saying why, or do nothing."""
        if method.process is None:
            return
        hs: Any = self._api._hs
        here = hs.get_instance_name()
        able = _able(method.process, hs.config.worker, arguments)
        if here in able:
            return
        places = " or ".join(map(_named, able)) or "another process"
        raise RpcError(
            ERROR_CODES["wrong_process"],
            f"{method.name} works only in {places}, and this is {_named(here)}: compare api.worker_name, and let the "
            "module there do it, which api.broadcast reaches",
            {"process": here},
        )

    async def _in_time(self, function: Callable[..., Any], arguments: Arguments) -> Any:
        running: Deferred[Any] = run_in_background(function, **arguments)
        try:
            return await within(running, http_client.TIMEOUT_SECONDS, self._clock)
        except DeadlinePassed:
            raise RequestTimedOutError("Timeout reading the response body") from None

    async def _http_request(self, method: str, uri: str, data: bytes | None = None, headers: Any = None) -> Any:
        client = http_client.bounded(self._api.http_client)
        arguments = {"client": client, "method": method, "uri": uri, "data": data, "headers": headers}
        return await self._in_time(http_client.request, arguments)

    async def _get_user_by_req(self, req: Any, **flags: bool) -> Any:
        lock, known = self._requesters.setdefault(req, (DeferredLock(), {}))
        key = tuple(sorted(flags.items()))
        await make_deferred_yieldable(lock.acquire())
        try:
            if key not in known:
                if known:
                    raise RuntimeError("get_user_by_req was called for this request with other flags")
                known[key] = await self._api.get_user_by_req(req, **flags)
            return known[key]
        finally:
            with PreserveLoggingContext():
                lock.release()

    async def _invalidate_access_token(self, access_token: str) -> None:
        try:
            await self._api.invalidate_access_token(access_token)
        except AttributeError:
            # Synapse's method takes the requester for a dict, before it changes anything. This is what it means to do.
            api: Any = self._api
            requester = await api._auth.get_user_by_access_token(access_token)
            if requester.device_id:
                await api._device_handler.delete_devices(requester.user.to_string(), [requester.device_id])
            else:
                await api._auth_handler.delete_access_token(access_token)

    async def _read_templates(self, filenames: list[str], custom_template_directory: str | None = None) -> list[str]:
        return self.templates.read(filenames, custom_template_directory)


def _named(process: str) -> str:
    return "the main process" if process == "master" else process


def _able(kind: str, worker_config: Any, arguments: Arguments) -> list[str]:
    """The processes of this kind, by Synapse's names for them."""
    if kind == "main":
        return ["master"]
    if kind == "presence":
        return list(worker_config.writers.presence)
    assert kind == "pusher", kind
    # Each sends the pushes of some users. Where the configuration is of the old way, only they know of each other.
    shards = worker_config.pusher_shard_config
    return [name for name in shards.instances if shards.should_handle(name, arguments["user_id"])]


def _with_objects(method: Method, function: Callable[..., Any], arguments: Arguments) -> Arguments:
    """The arguments, with objects where Synapse wants them. Raises TypeError for one that this release lacks."""
    parameters = inspect.signature(function).parameters
    converted = {}
    for name, value in arguments.items():
        if name not in parameters:
            since = next(param.since for param in method.params if param.name == name)
            came = "" if since is None else f": it came with {since}"
            lacking = f"{method.name} has no parameter {name} in this Synapse ({version('matrix-synapse')}){came}"
            raise TypeError(lacking)
        annotation = parameters[name].annotation
        convert = _OBJECTS.get(getattr(annotation, "__name__", annotation))
        converted[name] = value if convert is None or value is None else convert(value)
    return converted
