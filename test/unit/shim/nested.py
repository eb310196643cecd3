"""Values that are nested as deep as a test wants, in lists, in objects, and with neighbours that must not hide it."""

from collections.abc import Callable
from typing import Any

KINDS: dict[str, Callable[[Any, int], Any]] = {
    "lists": lambda inner, _: [inner],
    "objects": lambda inner, _: {"k": inner},
    "both": lambda inner, level: [inner] if level % 2 else {"k": inner},
    "lists with neighbours": lambda inner, level: [[1], inner, [1], {"n": 1}] if level else [inner],
    "objects with neighbours": lambda inner, level: {"a": [1], "k": inner, "x": {"n": 1}} if level else {"k": inner},
}


def nested(kind: str, levels: int) -> Any:
    value: Any = 1
    for level in range(levels):
        value = KINDS[kind](value, level)
    return value
