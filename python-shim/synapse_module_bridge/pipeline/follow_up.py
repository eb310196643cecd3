"""Runs what a module left for later, once: after a login, after an iteration of a background update.

Where it cannot be run (Node is down, or has been started anew since), it is let go and counted, and Synapse goes on.
"""

import time
from collections.abc import Mapping
from typing import Any

from synapse.logging.context import make_deferred_yieldable

from synapse_module_bridge.calls.decision import Recorded
from synapse_module_bridge.codec.merge import Unsafe, merge
from synapse_module_bridge.codec.replies import read_error, reason_of, synapse_error
from synapse_module_bridge.pipeline.asking import Calls, ModuleFault
from synapse_module_bridge.quarantine.open_calls import OpenCall, OpenCalls
from synapse_module_bridge.reactor.deadline import DeadlinePassed
from synapse_module_bridge.routing.route import current_request
from synapse_module_bridge.schema.catalogue import Callback
from synapse_module_bridge.schema.protocol import ERROR_CODES, Reason, fits, method_name
from synapse_module_bridge.transport.rpc import ConnectionGone, RpcError
from synapse_module_bridge.transport.unavailable import Unavailable

_FOLLOW_UP = method_name("follow_up")
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
            reason = e.reason if isinstance(e, Unavailable) else Reason.PARAMS
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
        await self._calls.entrance.enter(deadline, True, "")
        handle = self._open_calls.open(OpenCall(f"the follow-up of {callback.name}", [follow_up["module"]]))
        try:
            reply = await make_deferred_yieldable(self._calls.host.call(_FOLLOW_UP, question, deadline))
        except DeadlinePassed:
            raise Unavailable(Reason.DEADLINE) from None
        except ConnectionGone:
            raise Unavailable(Reason.DOWN) from None
        finally:
            self._open_calls.close(handle)
            self._calls.entrance.leave(True, "")
        if not fits("FollowUpReply", reply):
            raise Unavailable(Reason.REPLY)
        edited = reply.get("edited")
        if edited is not None and edited.keys() != params.keys():
            raise Unavailable(Reason.REPLY)
        try:
            return None if edited is None else {name: merge(params[name], value) for name, value in edited.items()}
        except Unsafe as e:
            module = follow_up["module"]
            message = f"{module}: the follow-up of {callback.name}: {e}"
            raise RpcError(ERROR_CODES["module_fault"], message, {"module": module, "kind": "answer"}) from None


_REASONS = {ERROR_CODES["module_fault"]: Reason.FAULT, ERROR_CODES["module_unavailable"]: Reason.GONE}
