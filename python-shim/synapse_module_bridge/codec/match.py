"""Evaluates the `match` of a module's declaration on Synapse's objects, so that an unwanted call is not even encoded.

A key is a path into the parameters; `event.` is implied where there is an event. A value is a boolean, or a list of
globs, one of which must match the whole string. A missing field matches nothing. All keys must match, and none under
`not` may.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from synapse.events import EventBase

from synapse_module_bridge.codec.codec import encode_event, with_any_digits
from synapse_module_bridge.codec.globs import compile_globs
from synapse_module_bridge.schema.catalogue import Callback

# A predicate on a callback's parameters, by name.
Matcher = Callable[[Mapping[str, Any]], bool]
# The value at a path that leads nowhere.
MISSING = object()
_EVENT_ATTRIBUTES = frozenset({"type", "sender", "room_id", "event_id", "content"})


def compile_match(callback: Callback, match: Mapping[str, Any], is_local: Matcher) -> Matcher | None:
    """A predicate that says whether the module is asked about a call; None where it always is.

    `is_local` decides the key `local`.
    """
    wanted = [_condition(callback, key, value, is_local) for key, value in match.items() if key != "not"]
    unwanted = [_condition(callback, key, value, is_local) for key, value in match.get("not", {}).items()]

    def matches(params: Mapping[str, Any]) -> bool:
        for holds in wanted:
            if not holds(params):
                return False
        return not (unwanted and any(holds(params) for holds in unwanted))

    return matches if wanted or unwanted else None


def _condition(callback: Callback, key: str, expected: Any, is_local: Matcher) -> Matcher:
    if key == "local":
        return lambda params: is_local(params) is expected
    value_of = compile_lookup(callback, resolve_path(callback, key))
    if isinstance(expected, bool):
        return lambda params: value_of(params) is expected
    fits = compile_globs(expected)

    def holds(params: Mapping[str, Any]) -> bool:
        value = value_of(params)
        return isinstance(value, str) and fits(value)

    return holds


def resolve_path(callback: Callback, key: str) -> tuple[str, ...]:
    """The path that a key stands for. A dot within a part is written `\\.`, as in push rules."""
    parts = tuple(part.replace("\\.", ".") for part in re.split(r"(?<!\\)\.", key))
    event = callback.event_param
    if event is not None and parts[0] not in {param.name for param in callback.params}:
        return (event, *parts)
    return parts


def compile_lookup(callback: Callback, path: Sequence[str]) -> Callable[[Mapping[str, Any]], Any]:
    """`lookup` as a function for one path. It is fast for the usual fields of events."""
    if callback.event_param == path[0] and len(path) == 2 and path[1] in _EVENT_ATTRIBUTES:
        event, field = path[0], attrgetter(path[1])
        return lambda params: field(params[event])
    if len(path) == 1:
        return lambda params: text if type(text := params.get(path[0])) is str else lookup(params, path)
    return lambda params: lookup(params, path)


def lookup(params: Mapping[str, Any], path: Sequence[str]) -> Any:
    """The value at a path into the parameters, or MISSING."""
    value = params.get(path[0], MISSING)
    for part in path[1:]:
        value = _field(value, part)
    # For modules, a room alias is a string.
    return value.to_string() if hasattr(value, "to_string") else value


def _field(value: Any, part: str) -> Any:
    if not isinstance(value, EventBase):
        if not isinstance(value, Mapping):
            return getattr(value, part, MISSING)
        try:
            return value.get(part, MISSING)
        except Exception:
            return with_any_digits(lambda: value.get(part, MISSING))
    # Most keys do without a copy of the whole event.
    if part in _EVENT_ATTRIBUTES:
        return getattr(value, part)
    if part == "state_key":
        state_key = value.get_state_key()
        return MISSING if state_key is None else state_key
    return encode_event(value).get(part, MISSING)
