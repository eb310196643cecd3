"""Names the field for which a replacement event is refused: Synapse's own errors do not."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic_core import to_json
from synapse.api.constants import MAX_PDU_SIZE

from synapse_module_bridge.logs import one_line
from synapse_module_bridge.merge import MAX_SAFE_INTEGER

_SURROGATE = re.compile(r"[\ud800-\udfff]")
# A longer path is cut.
MOST_CHARACTERS = 80


def with_surrogate(replacement: Mapping[str, Any]) -> str | None:
    """The field that has half a character, which nothing can be hashed with."""
    return next((path for path, leaf in _leaves(replacement, "") if isinstance(leaf, str) and _half(leaf)), None)


def refused_by_synapse(replacement: Mapping[str, Any], *, strict: bool) -> str | None:
    """What Synapse refuses with an error that clients know, for the log. `strict`: as of room version 6.

    There must be no half characters.
    """
    content = replacement.get("content", {})
    if len(to_json(content)) > MAX_PDU_SIZE:
        largest = max(content, key=lambda key: len(to_json(content[key])))
        return f"content is larger than an event may be ({MAX_PDU_SIZE} bytes), most of all {_short(f'.{largest}')}"
    if strict:
        for path, leaf in _leaves(replacement, ""):
            if isinstance(leaf, float) or (type(leaf) is int and abs(leaf) > MAX_SAFE_INTEGER):
                return f"{path} is no whole number from -(2^53-1) to 2^53-1; use a string"
    return None


def _half(text: str) -> bool:
    return _SURROGATE.search(text) is not None


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """All keys and all values that hold no others, with their paths."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            inner = f"{path}.{key}"
            yield _short(inner), key
            yield from _leaves(item, inner)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}[{index}]")
    else:
        yield _short(path), value


def _short(path: str) -> str:
    path = one_line(path[1:])
    return path if len(path) <= MOST_CHARACTERS else f"{path[:MOST_CHARACTERS]}..."
