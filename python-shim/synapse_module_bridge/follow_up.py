"""Runs what a module left for later, once: after a login, after an iteration of a background update.

Where it cannot be run (Node is down, or has been started anew since), it is let go and counted, and Synapse goes on.
"""

import time
from collections.abc import Mapping
from typing import Any

from synapse.logging.context import make_deferred_yieldable

from synapse_module_bridge.calls import Calls, ModuleFault
from synapse_module_bridge.catalogue import ERROR_CODES, Callback
from synapse_module_bridge.deadline import DeadlinePassed
from synapse_module_bridge.decision import Recorded
from synapse_module_bridge.merge import Unsafe, merge
from synapse_module_bridge.open_calls import OpenCall, OpenCalls
from synapse_module_bridge.questions import current_request
from synapse_module_bridge.replies import read_error, reason_of, synapse_error
from synapse_module_bridge.rpc import ConnectionGone, RpcError
from synapse_module_bridge.unavailable import Unavailable

# As it travels: `module` and `id`.
FollowUp = Mapping[str, str]


class FollowUps:
    def __init__(self, calls: Calls, open_calls: OpenCalls) -> None:
        self._calls = calls
        self._open_calls = open_calls

    async def run(self, callback: Callback, follow_up: FollowUp, params: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The parameters as the module left them, put onto what they were, if it edited them. Raises what it threw."""
        module = follow_up["module"]
        rules = self._calls.rules
        recorded = Recorded(callback=callback, params={}, server_name=rules.server_name, started=time.monotonic())
        try:
            edited = await self._ask(callback, follow_up, params)
        except RpcError as e:
            explicit = rules.policies.explicit(callback, local=True)
            e = read_error(e, [module])
            if e.code == ERROR_CODES["synapse_error"]:
                recorded.record("error", module, f"{e.data['code']}/{e.data['errcode']}")
                raise synapse_error(e) from None
            if e.code == ERROR_CODES["module_fault"] and explicit is None:
                recorded.record("fault", module)
                raise ModuleFault(e.message) from None
            recorded.record("policy", module, "allow", f"follow-up: {_REASONS.get(e.code) or reason_of(e)}")
            return None
        except (Unavailable, ValueError) as e:
            reason = str(e) if isinstance(e, Unavailable) else "params"
            recorded.record("policy", module, "allow", f"follow-up: {reason}")
            return None
        recorded.record("allowed" if edited is None else "edited", module)
        return edited

    async def _ask(
        self, callback: Callback, follow_up: FollowUp, params: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        deadline = time.monotonic() + self._calls.rules.seconds[callback.name, True]
        question = {
            "callback": callback.name,
            "follow_up": follow_up,
            "params": params,
            "request": current_request(),
        }
        handle = self._open_calls.open(OpenCall(f"the follow-up of {callback.name}", [follow_up["module"]]))
        try:
            await self._calls.entrance.enter(deadline, local=True)
            try:
                reply = await make_deferred_yieldable(self._calls.host.call("follow_up", question, deadline))
            finally:
                self._calls.entrance.leave(local=True)
        except DeadlinePassed:
            raise Unavailable("deadline") from None
        except ConnectionGone:
            raise Unavailable("down") from None
        finally:
            self._open_calls.close(handle)
        edited = reply.get("edited") if isinstance(reply, dict) else None
        if not isinstance(reply, dict) or not (edited is None or _fits(edited, params)):
            raise Unavailable("reply")
        try:
            return None if edited is None else {name: merge(params[name], value) for name, value in edited.items()}
        except Unsafe as e:
            module = follow_up["module"]
            message = f"{module}: the follow-up of {callback.name}: {e}"
            raise RpcError(ERROR_CODES["module_fault"], message, {"module": module, "kind": "answer"}) from None


_REASONS = {ERROR_CODES["module_fault"]: "fault", ERROR_CODES["module_unavailable"]: "gone"}


def _fits(edited: Any, params: Mapping[str, Any]) -> bool:
    return (
        isinstance(edited, dict)
        and edited.keys() == params.keys()
        and all(isinstance(value, dict) for value in edited.values())
    )
