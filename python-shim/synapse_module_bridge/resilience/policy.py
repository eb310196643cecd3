"""Answers when the modules cannot: the failure policy. It is in the shim alone, which survives a dead Node."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from synapse.module_api.errors import Codes, SynapseError

from synapse_module_bridge.codec.codec import decode_own
from synapse_module_bridge.codec.match import lookup
from synapse_module_bridge.schema.catalogue import CALLBACKS, Callback
from synapse_module_bridge.schema.on_failure import OnFailure

logger = logging.getLogger("synapse_module_bridge.policy")

# The text of the error for a client or another server.
UNAVAILABLE = "policy unavailable"


async def _not_known(room_id: str) -> bool:
    return False


class Policies:
    """Combines the admin's settings with the catalogue's defaults.

    `default` and `per_callback` are the settings for all callbacks, and for single ones. `is_published` gets a room id,
    and tells whether the room is in the public directory (`PublicRoomListManager.room_is_in_public_room_list`).
    """

    def __init__(
        self,
        default: OnFailure,
        per_callback: Mapping[str, OnFailure],
        is_published: Callable[[str], Awaitable[bool]] = _not_known,
    ) -> None:
        self._default = default
        self._per_callback = per_callback
        self._is_published = is_published

    def explicit(self, callback: Callback, *, local: bool) -> str | None:
        """The admin's setting for this callback itself, if there is one."""
        return self._per_callback.get(callback.name, OnFailure()).for_call(local)

    async def choose(self, callback: Callback, params: Mapping[str, Any], *, local: bool, refuse: bool = False) -> str:
        """The policy for this call. No setting keeps a user from leaving, or a room from becoming private.

        `refuse` is for a call whose author has kept modules from judging it, as by ending Node: it must not pass,
        whatever is set. A remote message is then refused by a code; remote state is not, since Synapse would lose it.
        """
        for exception in callback.on_failure.get("exceptions", ()):
            if await self._fits(exception, params):
                return str(exception["policy"])
        if refuse and local and callback.set_aside in callback.on_failure:
            return callback.set_aside
        if refuse and soft_failure(callback, params, local=local) is not None:
            return "deny"
        return self.usual(callback, local=local)

    def usual(self, callback: Callback, *, local: bool) -> str:
        """The policy for all calls but those that are exceptions in the catalogue."""
        explicit = self.explicit(callback, local=local)
        if explicit is not None:
            return explicit
        wide = self._default.for_call(local)
        if wide is not None and wide in callback.on_failure and wide not in _only_explicit(callback, local):
            return wide
        return str(callback.on_failure["default"])

    async def _fits(self, exception: Mapping[str, Any], params: Mapping[str, Any]) -> bool:
        same: Sequence[str] = exception.get("same", ())
        values = [lookup(params, path.split(".")) for path in same]
        where = exception.get("where", {})
        if any(lookup(params, path.split(".")) != value for path, value in where.items()):
            return False
        if any(value != values[0] for value in values):
            return False
        return "published" not in exception or await self._published(lookup(params, exception["published"].split(".")))

    async def _published(self, room_id: str) -> bool:
        try:
            return await self._is_published(room_id)
        except Exception:
            logger.exception("cannot find out whether a room is in the room directory")
            return False


def _only_explicit(callback: Callback, local: bool) -> Sequence[str]:
    explicit: Mapping[str, Sequence[str]] = callback.on_failure.get("explicit", {})
    return explicit.get("local" if local else "federated", ())


def soft_failure(callback: Callback, params: Mapping[str, Any], *, local: bool) -> str | None:
    """The code with which Synapse soft-fails a message of another server, where a module fails about it.

    Otherwise an author could write what makes a module fail, and have it pass. None for state, and for local calls.
    """
    if local or callback.remote_message_fault is None or callback.event_param is None:
        return None
    # An older Synapse accepts a state key that is not a string. Such an event does not become state.
    is_state = isinstance(params[callback.event_param].get_state_key(), str)
    return None if is_state else callback.remote_message_fault


def answer(callback: Callback, policy: str, params: Mapping[str, Any], *, local: bool) -> Any:
    """What a policy gives Synapse for this call: an answer that it returns, or a SynapseError that it raises."""
    how = callback.on_failure[policy]
    if not local:
        how = callback.on_failure.get("federated", {}).get(policy, how)
    if how == "pass":
        return no_objection(callback, params)
    if how != "raise":
        return decode_own(callback.result, how["answer"], params)
    if policy == "defer" and local:
        raise SynapseError(503, UNAVAILABLE, Codes.UNKNOWN)
    # After a 5xx, a remote server backs off for minutes.
    raise SynapseError(403, UNAVAILABLE, Codes.FORBIDDEN)


def no_objection(callback: Callback, params: Mapping[str, Any]) -> Any:
    """What Synapse gets where all modules pass. Raises SynapseError where the callback has no pass value."""
    if callback.name in _ALWAYS_THE_SAME:
        return _ALWAYS_THE_SAME[callback.name]
    if not callback.passable:
        raise SynapseError(503, UNAVAILABLE, Codes.UNKNOWN)
    return decode_own(callback.result, callback.passes, params)


# Pass values by callback, where they are immutable, as most are.
_ALWAYS_THE_SAME = {
    callback.name: decode_own(callback.result, callback.passes, {})
    for callback in CALLBACKS.values()
    if callback.passable and (callback.passes is None or isinstance(callback.passes, bool | str))
}


def refuse(callback: Callback, params: Mapping[str, Any]) -> Any:
    """The answer that refuses, for a callback whose exceptions Synapse takes for "allowed"."""
    return decode_own(callback.result, callback.on_failure["deny"]["answer"], params)
