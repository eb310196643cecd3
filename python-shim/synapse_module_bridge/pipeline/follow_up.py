"""Runs the follow-up of a module's answer: after a login, or after an iteration of a background update.

Where it cannot run, since Node is down or was restarted, it is dropped and counted, and Synapse goes on.
"""

from collections.abc import Mapping
from typing import Any

from synapse_module_bridge.calls.call import Call, Rules
from synapse_module_bridge.calls.exchange import Exchange, HostRequest
from synapse_module_bridge.calls.open_calls import OpenCall
from synapse_module_bridge.codec.merge import Unsafe, merge
from synapse_module_bridge.codec.replies import read_error, reason_of, synapse_error
from synapse_module_bridge.pipeline.failures import ModuleFault
from synapse_module_bridge.routing.entry import current_request
from synapse_module_bridge.routing.modes_in_force import ModesInForce
from synapse_module_bridge.schema.catalogue import Callback
from synapse_module_bridge.schema.protocol import ERROR_CODES, Reason, fits, method_name
from synapse_module_bridge.transport.framing import TooLarge
from synapse_module_bridge.transport.rpc import ConnectionGone, RpcError
from synapse_module_bridge.transport.unavailable import Unavailable

# The wire value: `module` and `id`.
FollowUp = Mapping[str, str]


class FollowUps:
    """Runs follow-ups on the host that has them."""

    def __init__(self, exchange: Exchange, rules: Rules, modes: ModesInForce | None = None) -> None:
        self._exchange = exchange
        self._rules = rules
        self._modes = modes or ModesInForce()

    async def run(self, callback: Callback, follow_up: FollowUp, params: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Runs a follow-up with these parameters. Returns the edited parameters, or None if it has edited none.

        Raises SynapseError and ModuleFault.
        """
        module, rules = follow_up["module"], self._rules
        if self._modes.is_off(module):
            return None
        call = rules.again(callback, {}, True, "", current_request(), None)
        question = _Question(call, follow_up, params)
        try:
            edited = _read(await self._exchange.send(question), question)
        except RpcError as e:
            explicit = rules.policies.explicit(callback, local=True)
            e = read_error(e, [module])
            if e.code == ERROR_CODES["synapse_error"]:
                call.record("error", module, f"{e.data['code']}/{e.data['errcode']}")
                raise synapse_error(e) from None
            if e.code == ERROR_CODES["module_fault"] and explicit is None:
                call.record("fault", module)
                raise ModuleFault(e.message) from None
            call.record("policy", module, "allow", f"follow-up: {_REASONS.get(e.code) or reason_of(e)}")
            return None
        except (Unavailable, ConnectionGone, TooLarge) as e:
            reason = e.reason if isinstance(e, Unavailable) else _LOST[type(e)]
            call.record("policy", module, "allow", f"follow-up: {reason}")
            return None
        call.record("allowed" if edited is None else "edited", module)
        return edited


class _Question(HostRequest):
    """The request that runs a follow-up."""

    method = method_name("follow_up")
    place = True, ""

    def __init__(self, call: Call, follow_up: FollowUp, asked: Mapping[str, Any]) -> None:
        self.name, self.deadline = f"the follow-up of {call.callback.name}", call.deadline
        self.module, self.asked = follow_up["module"], asked
        self._body = {
            "callback": call.callback.name,
            "follow_up": follow_up,
            "params": asked,
            "request": call.request,
        }

    def opened(self) -> OpenCall:
        return OpenCall(self.name, [self.module], self.since)

    def params(self) -> Mapping[str, Any]:
        return self._body


def _read(reply: Any, question: _Question) -> Mapping[str, Any] | None:
    """The edited parameters, if there are any, merged onto the originals.

    Raises Unavailable, and RpcError for edits that cannot be merged.
    """
    if not fits("FollowUpReply", reply):
        raise Unavailable(Reason.REPLY)
    edited, before = reply.get("edited"), question.asked
    if edited is not None and edited.keys() != before.keys():
        raise Unavailable(Reason.REPLY)
    try:
        return None if edited is None else {name: merge(before[name], value) for name, value in edited.items()}
    except Unsafe as e:
        message = f"{question.module}: {question.name}: {e}"
        raise RpcError(ERROR_CODES["module_fault"], message, {"module": question.module}) from None


_REASONS = {ERROR_CODES["module_fault"]: Reason.FAULT, ERROR_CODES["module_unavailable"]: Reason.GONE}
_LOST = {ConnectionGone: Reason.DOWN, TooLarge: Reason.PARAMS}
