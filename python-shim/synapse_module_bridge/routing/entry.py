"""Who is asked: an entry for each module's declaration. And what travels: the arguments and room state of a call."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attr
from synapse.logging.context import current_context

from synapse_module_bridge.codec.codec import ENCODE, ENCODE_AT_ONCE, encode_event
from synapse_module_bridge.codec.match import Matcher
from synapse_module_bridge.codec.template import Template
from synapse_module_bridge.resilience.answer_cache import AnswerCache
from synapse_module_bridge.resilience.circuit_breaker import CircuitBreaker
from synapse_module_bridge.schema.catalogue import CALLBACKS, Callback
from synapse_module_bridge.telemetry.module_counts import ModuleCount

# Pairs of an event type and a state key, as modules declare them. None stands for all state keys.
StateKeys = Sequence[tuple[str, str | None]]
# A login type and its fields.
Login = tuple[str, tuple[str, ...]]
Encoder = Callable[[Any], Any]


@attr.s(frozen=True, slots=True, auto_attribs=True, kw_only=True)
class Entry:
    """One module's declaration of one callback."""

    module: str
    # None where the module is asked about every call.
    matches: Matcher | None
    room_state: StateKeys
    # All entries of the module for this callback share it.
    breaker: CircuitBreaker
    # What the module was asked about this callback. All its entries for it share it.
    count: ModuleCount = attr.ib(factory=ModuleCount)
    shadow: bool = False
    # For a callback with a list of entries: the index in the list, and the login.
    index: int | None = None
    login: Login | None = None
    # In place of a handler.
    template: Template | None = None
    # Where the entry has a `ttl`.
    answer_cache: AnswerCache | None = None


def bind(callback: Callback, args: Sequence[Any]) -> dict[str, Any]:
    """Synapse's arguments by name. A newer Synapse may pass more, which are dropped, and an older one fewer."""
    # Without `strict`: a keyword makes `zip` take half as long again, in each call.
    params = dict(zip(callback.param_names, args))  # noqa: B905
    for name, encode in _ENCODED_AT_ONCE[callback.name]:
        if name in params:
            params[name] = encode(params[name])
    return params


def encode_params(
    callback: Callback, params: Mapping[str, Any], entries: Sequence[Entry], *, leaves_state_out: bool = False
) -> dict[str, Any]:
    """The parameters as wire values. `state_events` has the events that the entries have declared as `room_state`.

    With `leaves_state_out`, it has none, and is marked as left out.
    """
    encoded = {**params}
    for name, encode in _ENCODED[callback.name]:
        value = params.get(name)
        if value is not None:
            encoded[name] = encode(value)
    state = callback.state_param
    if leaves_state_out and state is not None:
        encoded[state] = {"events": [], "left_out": True}
    elif state is not None and state in params:
        keys = [key for entry in entries for key in entry.room_state]
        encoded[state] = {"events": [encode_event(event) for event in select_state(params[state], keys)]}
    return encoded


def _encoders(by_type: Mapping[str, Encoder]) -> Mapping[str, Sequence[tuple[str, Encoder]]]:
    """By callback, the parameters that have an encoder, each with it."""
    return {
        callback.name: [(param.name, by_type[param.type]) for param in callback.params if param.type in by_type]
        for callback in CALLBACKS.values()
    }


_ENCODED, _ENCODED_AT_ONCE = _encoders(ENCODE), _encoders(ENCODE_AT_ONCE)


def select_state(state: Mapping[tuple[str, str], Any], keys: StateKeys) -> list[Any]:
    """The events of a room's state that the keys name, each once."""
    types = {event_type for event_type, state_key in keys if state_key is None}
    exact = {(kind, key) for kind, key in keys if key is not None and kind not in types}
    found = [state[key] for key in exact if key in state]
    if types:
        found += [event for key, event in state.items() if key[0] in types]
    return found


def current_request() -> str | None:
    """Synapse's id of the request that is being served, as its log shows it; None outside of a request."""
    context = current_context()
    return str(context) if context else None
