"""Asks the host on behalf of Synapse: from a callback's arguments to the answer that Synapse takes.

Order of events: the modules whose `match` holds are found; their parameters are encoded; one request asks them all;
the answer is decoded; or a fault, an error or the failure policy takes its place. Each call leaves one decision record.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import attr
from synapse.logging.context import current_context
from synapse.module_api.errors import Codes, SynapseError

from synapse_module_bridge import decision, policy
from synapse_module_bridge.catalogue import ERROR_CODES, Callback
from synapse_module_bridge.codec import ENCODE, Unfit, decode_answer, encode_event, safe_fields
from synapse_module_bridge.config import Timeout
from synapse_module_bridge.match import Matcher
from synapse_module_bridge.rpc import RpcError

logger = logging.getLogger(__name__)

# A state key as modules declare it: [type, state_key], null for all state keys.
StateKeys = Sequence[tuple[str, str | None]]


class Unavailable(Exception):
    """No answer can be had: the host is down, or the deadline has passed."""


class ModuleFault(Exception):
    """A module threw, or its answer does not fit."""


class Host(Protocol):
    async def call(self, method: str, params: Mapping[str, Any], timeout_ms: int) -> Any:
        """Raises RpcError or Unavailable, and ValueError for params that are no JSON."""


@attr.s(frozen=True, slots=True, auto_attribs=True, kw_only=True)
class Entry:
    """One module's declaration of one callback."""

    module: str
    matches: Matcher
    room_state: StateKeys


@attr.s(slots=True, auto_attribs=True, kw_only=True)
class OpenCall:
    """What the host may ask about while a call runs."""

    state: Mapping[tuple[str, str], Any] | None = None
    web_request: Any = None


class OpenCalls:
    """The calls that run now, by their handle."""

    def __init__(self) -> None:
        self._calls: dict[int, OpenCall] = {}
        self._last_handle = 0

    def open(self, call: OpenCall) -> int:
        self._last_handle += 1
        self._calls[self._last_handle] = call
        return self._last_handle

    def close(self, handle: int) -> None:
        del self._calls[handle]

    def get(self, handle: Any) -> OpenCall | None:
        return self._calls.get(handle) if isinstance(handle, int) else None


class Calls:
    def __init__(self, host: Host, open_calls: OpenCalls, is_local: "LocalTest", timeouts: "Timeouts") -> None:
        self._host = host
        self._open_calls = open_calls
        self._is_local = is_local
        self._timeouts = timeouts
        self.entries: Mapping[str, Sequence[Entry]] = {}

    async def ask(self, callback: Callback, args: Sequence[Any]) -> Any:
        """The answer for Synapse to one call of a callback, with Synapse's own arguments."""
        # A newer Synapse may pass more arguments, an older one fewer.
        params = dict(zip((param.name for param in callback.params), args, strict=False))
        entries = [entry for entry in self.entries[callback.name] if entry.matches(params)]
        if not entries:
            return decode_answer(callback.result, callback.passes, params)
        local = self._is_local(callback, params)
        started = time.monotonic()

        def record(outcome: str, **fields: Any) -> None:
            milliseconds = (time.monotonic() - started) * 1000
            decision.record(callback, params, outcome=outcome, milliseconds=milliseconds, **fields)

        try:
            reply = await self._request(callback, params, entries, self._timeouts(callback, local))
            return self._decode(callback, params, reply, record)
        except RpcError as e:
            return self._failed(callback, params, e, local, record)
        except Unavailable as e:
            return self._by_policy(callback, params, str(e), local, record)

    async def _request(
        self, callback: Callback, params: Mapping[str, Any], entries: Sequence[Entry], timeout_ms: int
    ) -> Mapping[str, Any]:
        state_param = callback.param_of_type("StateEvents")
        state = params[state_param] if state_param else None
        handle = self._open_calls.open(OpenCall(state=state))
        try:
            reply = await self._host.call(
                f"callback/{callback.name}",
                {
                    "call": handle,
                    "modules": [entry.module for entry in entries],
                    "params": _encode(callback, params, entries),
                    "request": current_request(),
                },
                timeout_ms,
            )
        except ValueError as e:
            raise Unavailable(f"a parameter {e}") from e
        finally:
            self._open_calls.close(handle)
        if not isinstance(reply, dict) or "answer" not in reply:
            raise Unavailable("the host's answer has no field `answer`")
        return reply

    def _decode(self, callback: Callback, params: Mapping[str, Any], reply: Mapping[str, Any], record: Any) -> Any:
        module = reply.get("module")
        try:
            answer = decode_answer(callback.result, reply["answer"], params)
        except (Unfit, ValueError, KeyError, TypeError) as e:
            data = {"module": module, "kind": "answer"}
            message = f"{module}: {callback.name}: {e}"
            logger.error("%s", message)
            raise RpcError(ERROR_CODES["module_fault"], message, data) from e
        outcome, summary = decision.summarise(callback, reply["answer"], decided=module is not None)
        record(outcome, module=module, answer=summary)
        return answer

    def _failed(self, callback: Callback, params: Mapping[str, Any], e: RpcError, local: bool, record: Any) -> Any:
        module = e.data.get("module")
        if e.code == ERROR_CODES["synapse_error"]:
            error: Exception = synapse_error(e)
            record("error", module=module, answer=f"{e.data['code']}/{e.data['errcode']}")
        elif e.code == ERROR_CODES["module_fault"]:
            record("fault", module=module)
            error = ModuleFault(e.message)
        else:
            reason = "setup" if e.code == ERROR_CODES["module_unavailable"] else f"host error {e.code}"
            logger.error("%s: %s", callback.name, e.message)
            return self._by_policy(callback, params, reason, local, record, module)
        if callback.swallows:
            return policy.refuse(callback, params)
        raise error from None

    def _by_policy(
        self,
        callback: Callback,
        params: Mapping[str, Any],
        reason: str,
        local: bool,
        record: Any,
        module: str | None = None,
    ) -> Any:
        chosen = policy.choose(callback, params)
        record("policy", module=module, answer=chosen, reason=reason)
        return policy.answer(callback, chosen, params, local=local)


class LocalTest(Protocol):
    def __call__(self, callback: Callback, params: Mapping[str, Any]) -> bool: ...


class Timeouts(Protocol):
    def __call__(self, callback: Callback, local: bool) -> int: ...


def timeouts(default: Timeout, per_callback: Mapping[str, Timeout]) -> Timeouts:
    def timeout(callback: Callback, local: bool) -> int:
        chosen = per_callback.get(callback.name, default)
        return chosen.local if local else chosen.federated

    return timeout


def _encode(callback: Callback, params: Mapping[str, Any], entries: Sequence[Entry]) -> dict[str, Any]:
    encoded: dict[str, Any] = {}
    for param in callback.params:
        if param.name not in params:
            continue
        value = params[param.name]
        if param.type == "StateEvents":
            keys = [key for entry in entries for key in entry.room_state]
            encoded[param.name] = {"events": [encode_event(event) for event in select_state(value, keys)]}
        elif value is not None and param.type in ENCODE:
            encoded[param.name] = ENCODE[param.type](value)
        else:
            encoded[param.name] = value
    return encoded


def select_state(state: Mapping[tuple[str, str], Any], keys: StateKeys) -> list[Any]:
    """The state events that some of the keys name, each once."""
    types = {event_type for event_type, state_key in keys if state_key is None}
    exact = {key for key in keys if key[1] is not None and key[0] not in types}
    found = [state[key] for key in exact if key in state]  # type: ignore[index]
    if types:
        found += [event for key, event in state.items() if key[0] in types]
    return found


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


def current_request() -> str | None:
    """Synapse's id for the request that is being served, as its log shows it."""
    context = current_context()
    return str(context) if context else None
