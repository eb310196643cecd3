"""Finds the field for which Synapse refuses a replacement event, since Synapse's own errors do not name it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from synapse.api.constants import MAX_PDU_SIZE

from synapse_module_bridge.codec.answer_schema import MOST_LEVELS
from synapse_module_bridge.codec.merge import MAX_SAFE_INTEGER, MOST_CHARACTERS
from synapse_module_bridge.telemetry.log_text import one_line
from synapse_module_bridge.transport.framing import to_body

_SURROGATE = re.compile(r"[\ud800-\udfff]")


def with_surrogate(replacement: Mapping[str, Any]) -> str | None:
    """The path of a field with a lone surrogate (half a character), with which an event cannot be hashed; or None."""
    return next((path for path, leaf in _leaves(replacement) if isinstance(leaf, str) and _half(leaf)), None)


def too_deep(answered: Mapping[str, Any], original: Mapping[str, Any]) -> str | None:
    """The path of a field that is nested deeper than Synapse can write; None where the original is so deep, too."""
    found = next(_deeper_than(MOST_LEVELS, answered), None)
    return None if found is None or next(_deeper_than(MOST_LEVELS, original), None) else found


def refused_by_synapse(replacement: Mapping[str, Any], *, strict: bool) -> str | None:
    """Why Synapse is going to refuse the replacement, for the log; or None. It must have no lone surrogates.

    `strict` is whether the room version (from 6 on) restricts numbers: `RoomVersion.strict_canonicaljson`.
    """
    content = replacement.get("content", {})
    if len(to_body(content)) > MAX_PDU_SIZE:
        largest = max(content, key=lambda key: len(to_body(content[key])))
        return f"content is larger than an event may be ({MAX_PDU_SIZE} bytes), most of all {_short(f'.{largest}')}"
    if strict:
        for path, leaf in _leaves(replacement):
            if isinstance(leaf, float) or (type(leaf) is int and abs(leaf) > MAX_SAFE_INTEGER):
                return f"{path} is no whole number from -(2^53-1) to 2^53-1; use a string"
    return None


def _half(text: str) -> bool:
    return _SURROGATE.search(text) is not None


def _leaves(value: Any) -> Iterator[tuple[str, Any]]:
    """The path and the value of each leaf, and the path and the text of each key."""
    # Not recursive, since a user decides how deeply values are nested.
    left: list[tuple[str, Any]] = [("", value)]
    while left:
        path, one = left.pop()
        if isinstance(one, Mapping):
            inner = [(_longer(path, f".{key}"), key, item) for key, item in one.items()]
            yield from ((_short(at), key) for at, key, _ in inner)
            left += [(at, item) for at, _, item in reversed(inner)]
        elif isinstance(one, list | tuple):
            left += [(_longer(path, f"[{index}]"), item) for index, item in reversed(list(enumerate(one)))]
        else:
            yield _short(path), one


def _deeper_than(levels: int, value: Any) -> Iterator[str]:
    """The paths of all values below that many levels."""
    left: list[tuple[str, int, Any]] = [("", 0, value)]
    while left:
        path, level, one = left.pop()
        if level > levels:
            yield _short(path)
        elif isinstance(one, Mapping):
            left += [(_longer(path, f".{key}"), level + 1, item) for key, item in one.items()]
        elif isinstance(one, list | tuple):
            left += [(_longer(path, f"[{index}]"), level + 1, item) for index, item in enumerate(one)]


def _longer(path: str, step: str) -> str:
    """The path with one more step, cut as in the message, since whole paths of all leaves would take quadratic time."""
    return (path + step)[: MOST_CHARACTERS + 2]


def _short(path: str) -> str:
    path = one_line(path[1:])
    return path if len(path) <= MOST_CHARACTERS else f"{path[:MOST_CHARACTERS]}..."
