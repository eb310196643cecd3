"""One question of Synapse: which modules declared the callback, and how its parameters travel."""

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

# A state key as modules declare it: [type, state_key], null for all state keys.
StateKeys = Sequence[tuple[str, str | None]]
# A login type, and the fields that go with it.
Login = tuple[str, tuple[str, ...]]
Encoder = Callable[[Any], Any]


@attr.s(frozen=True, slots=True, auto_attribs=True, kw_only=True)
class Entry:
    """One module's declaration of one callback."""

    module: str
    # None where all are asked about.
    matches: Matcher | None
    room_state: StateKeys
    # That of the callback of the module.
    breaker: CircuitBreaker
    shadow: bool = False
    # Which of a list of entries it is, and the login that it is for.
    index: int | None = None
    login: Login | None = None
    # What answers without a call.
    template: Template | None = None
    # Keeps its answers.
    answer_cache: AnswerCache | None = None


def bind(callback: Callback, args: Sequence[Any]) -> dict[str, Any]:
    """Synapse's arguments by name. A newer Synapse may pass more, an older one fewer."""
    params = dict(zip(callback.param_names, args, strict=False))
    for name, encode in _ENCODED_AT_ONCE[callback.name]:
        if name in params:
            params[name] = encode(params[name])
    return params


def encode_params(
    callback: Callback, params: Mapping[str, Any], entries: Sequence[Entry], *, leaves_state_out: bool = False
) -> dict[str, Any]:
    """The parameters as they travel, with the room state that these entries declared."""
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
    """By callback: the parameters that are encoded, and how."""
    return {
        callback.name: [(param.name, by_type[param.type]) for param in callback.params if param.type in by_type]
        for callback in CALLBACKS.values()
    }


_ENCODED, _ENCODED_AT_ONCE = _encoders(ENCODE), _encoders(ENCODE_AT_ONCE)


def select_state(state: Mapping[tuple[str, str], Any], keys: StateKeys) -> list[Any]:
    """The state events that some of the keys name, each once."""
    types = {event_type for event_type, state_key in keys if state_key is None}
    exact = {(kind, key) for kind, key in keys if key is not None and kind not in types}
    found = [state[key] for key in exact if key in state]
    if types:
        found += [event for key, event in state.items() if key[0] in types]
    return found


def current_request() -> str | None:
    """Synapse's id for the request that is being served, as its log shows it."""
    context = current_context()
    return str(context) if context else None
