"""What is answered when the modules cannot: the failure policy.

It lives on this side alone, since only Python survives a dead Node.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import attr
from synapse.module_api.errors import Codes, SynapseError

from synapse_module_bridge.catalogue import CALLBACKS, Callback
from synapse_module_bridge.codec import decode_own
from synapse_module_bridge.match import lookup

# What a client, or another server, reads.
UNAVAILABLE = "policy unavailable"


@attr.s(frozen=True, slots=True, auto_attribs=True, kw_only=True)
class OnFailure:
    """What an admin has set: `allow`, `deny`, `defer`, or None for the callback's own default."""

    local: str | None = None
    federated: str | None = None

    def for_call(self, local: bool) -> str | None:
        return self.local if local else self.federated


class Policies:
    """The admin's settings over the catalogue's defaults."""

    def __init__(self, default: OnFailure, per_callback: Mapping[str, OnFailure]) -> None:
        self._default = default
        self._per_callback = per_callback

    def explicit(self, callback: Callback, *, local: bool) -> str | None:
        """What the admin has set for this very callback."""
        return self._per_callback.get(callback.name, OnFailure()).for_call(local)

    def choose(self, callback: Callback, params: Mapping[str, Any], *, local: bool) -> str:
        """The policy for this call."""
        explicit = self.explicit(callback, local=local)
        if explicit is not None:
            return explicit
        wide = self._default.for_call(local)
        if wide is not None and wide in callback.on_failure and wide not in _only_explicit(callback, local):
            return wide
        return _default(callback, params)


def _only_explicit(callback: Callback, local: bool) -> Sequence[str]:
    explicit: Mapping[str, Sequence[str]] = callback.on_failure.get("explicit", {})
    return explicit.get("local" if local else "federated", ())


def _default(callback: Callback, params: Mapping[str, Any]) -> str:
    for exception in callback.on_failure.get("exceptions", ()):
        same: Sequence[str] = exception.get("same", ())
        values = [lookup(params, path.split(".")) for path in same]
        where = exception.get("where", {})
        if all(lookup(params, path.split(".")) == value for path, value in where.items()) and (
            not values or all(value == values[0] for value in values)
        ):
            return str(exception["policy"])
    return str(callback.on_failure["default"])


def expressible(callback: Callback) -> list[str]:
    """The policies that this callback can tell Synapse."""
    return [policy for policy in ("allow", "deny", "defer") if policy in callback.on_failure]


def answer(callback: Callback, policy: str, params: Mapping[str, Any], *, local: bool) -> Any:
    """The answer for Synapse that a policy stands for. Raises SynapseError where that is how it is told."""
    how = callback.on_failure[policy]
    if not local:
        how = callback.on_failure.get("federated", {}).get(policy, how)
    if how == "pass":
        return no_objection(callback, params)
    if how != "raise":
        return decode_own(callback.result, how["answer"], params)
    if policy == "defer" and local:
        raise SynapseError(503, UNAVAILABLE, Codes.UNKNOWN)
    # A remote server takes any 5xx for a reason to back off for minutes.
    raise SynapseError(403, UNAVAILABLE, Codes.FORBIDDEN)


def no_objection(callback: Callback, params: Mapping[str, Any]) -> Any:
    """The answer for Synapse where no module has one. Raises SynapseError where there must be one."""
    if callback.name in _ALWAYS_THE_SAME:
        return _ALWAYS_THE_SAME[callback.name]
    if not callback.passable:
        raise SynapseError(503, UNAVAILABLE, Codes.UNKNOWN)
    return decode_own(callback.result, callback.passes, params)


# Of callbacks whose answer Synapse cannot change: most.
_ALWAYS_THE_SAME = {
    callback.name: decode_own(callback.result, callback.passes, {})
    for callback in CALLBACKS.values()
    if callback.passable and (callback.passes is None or isinstance(callback.passes, bool | str))
}


def refuse(callback: Callback, params: Mapping[str, Any]) -> Any:
    """The refusal of a callback whose exceptions Synapse would take for "allowed"."""
    return decode_own(callback.result, callback.on_failure["deny"]["answer"], params)
