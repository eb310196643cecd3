"""Puts an answer that went through JavaScript onto the value that it came from.

JavaScript has one kind of number, so `1.0` comes back as `1`, and 2^53+1 as 2^53. What a module did not
change is taken from the original, and stays exactly what it was.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

# The largest integer up to which every integer is a JavaScript number of its own.
MAX_SAFE_INTEGER = 2**53 - 1


class Unsafe(Exception):
    """A number that JavaScript cannot hold exactly, and that is not one of the original's."""


def merge(original: Any, answered: Any) -> Any:
    """`answered`, with every part that JavaScript could not tell from the original's taken from the original.

    Raises Unsafe for a whole number beyond 2^53-1 that cannot be one of the original's.
    """
    return _Merge(original).value(original, answered, "")


class _Merge:
    def __init__(self, original: Any) -> None:
        # Where a number has moved (an element of a list was removed), it is found by its value.
        self._fragile: dict[float, set[int | float]] = {}
        self._collect(original)

    def _collect(self, value: Any) -> None:
        if isinstance(value, Mapping):
            for item in value.values():
                self._collect(item)
        elif isinstance(value, list | tuple):
            for item in value:
                self._collect(item)
        elif _is_fragile(value):
            self._fragile.setdefault(_as_double(value), set()).add(value)

    def value(self, original: Any, answered: Any, path: str) -> Any:
        if isinstance(answered, dict):
            known: Mapping[str, Any] = original if isinstance(original, Mapping) else {}
            return {
                key: self.value(known.get(key), item, f"{path}.{key}" if path else key)
                for key, item in answered.items()
            }
        if isinstance(answered, list):
            items = _counterparts(original if isinstance(original, list | tuple) else (), answered)
            return [
                self.value(counterpart, item, f"{path}[{index}]")
                for index, (counterpart, item) in enumerate(zip(items, answered, strict=True))
            ]
        if _is_number(answered):
            return self._number(original, answered, path)
        return answered

    def _number(self, original: Any, answered: int | float, path: str) -> Any:
        if _is_number(original) and _as_double(original) == _as_double(answered):
            return original
        if isinstance(answered, float) and not math.isfinite(answered):
            raise Unsafe(f"{path} is too large for a number")
        if _is_fragile(answered):
            moved = self._fragile.get(_as_double(answered), set())
            if len(moved) != 1:
                raise Unsafe(f"{path} is {answered}, which JavaScript cannot hold exactly; use a string")
            return next(iter(moved))
        return answered


def _counterparts(original: Sequence[Any], answered: Sequence[Any]) -> list[Any]:
    """For each element of an answered list the original's: elements may have been put in or taken out in one place."""
    shorter = min(len(original), len(answered))
    tail = 0
    if len(original) != len(answered):
        head = 0
        while head < shorter and _same(original[head], answered[head]):
            head += 1
        while tail < shorter - head and _same(original[-1 - tail], answered[-1 - tail]):
            tail += 1
    middle = list(original[: len(original) - tail])[: len(answered) - tail]
    padding = [None] * (len(answered) - tail - len(middle))
    return [*middle, *padding, *original[len(original) - tail :]]


def _same(original: Any, answered: Any) -> bool:
    """Whether JavaScript could not tell them apart."""
    if isinstance(answered, dict):
        return (
            isinstance(original, Mapping)
            and original.keys() == answered.keys()
            and all(_same(original[key], item) for key, item in answered.items())
        )
    if isinstance(answered, list):
        return (
            isinstance(original, list | tuple)
            and len(original) == len(answered)
            and all(map(_same, original, answered))
        )
    if _is_number(answered):
        return _is_number(original) and _as_double(original) == _as_double(answered)
    return type(original) is type(answered) and bool(original == answered)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_fragile(value: Any) -> bool:
    if not _is_number(value) or -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
        return False
    return isinstance(value, int) or value.is_integer()


def _as_double(value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:
        # JSON.parse reads such an integer as Infinity.
        return float("inf") if value > 0 else float("-inf")
