"""Merges an answer that went through JavaScript onto Synapse's original, whose numbers only Python has exactly.

JavaScript has one type of number, so `1.0` comes back as `1`, and 2^53+1 as 2^53. What a module did not change is taken
from the original.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# JavaScript's Number.MAX_SAFE_INTEGER.
MAX_SAFE_INTEGER = 2**53 - 1
# A longer path in a message is cut.
MOST_CHARACTERS = 80


# A place in the answer: the path of its container, and its key or index there; None for the answer itself.
Path = tuple[Any, str | int] | None


class Unsafe(Exception):
    """The answer has a number that JavaScript cannot represent exactly, and the original does not have it."""


def merge(original: Any, answered: Any) -> Any:
    """A copy of the object or list `answered`, with the original's number wherever the two are equal in JavaScript.

    Raises Unsafe for an integer beyond 2^53-1, or an infinite number, that the original does not have.
    """
    numbers = _Numbers(original)
    merged = _emptied(answered)
    # Not recursive, since a user decides how deeply values are nested.
    opened: list[tuple[Any, Iterator[tuple[Any, Any, Any]], Path]] = [(merged, _pairs(original, answered), None)]
    while opened:
        into, left, path = opened[-1]
        for place, counterpart, item in left:
            kind = type(item)
            if kind is dict or kind is list:
                into[place] = inner = _emptied(item)
                if item:
                    opened.append((inner, _pairs(counterpart, item), (path, place)))
                    break
            elif kind is int or kind is float:
                alike = item == counterpart and type(counterpart) is kind
                into[place] = counterpart if alike else numbers.merge(counterpart, item, (path, place))
            else:
                into[place] = item
        else:
            opened.pop()
    return merged


def _emptied(value: Any) -> Any:
    """An empty object, or a list of the same length, to be filled in."""
    return {} if isinstance(value, dict) else [None] * len(value)


def _pairs(before: Any, after: Any) -> Iterator[tuple[Any, Any, Any]]:
    """For each place in an answered object or list: its key or index, the original's value, and the answered value."""
    if isinstance(after, dict):
        known: Mapping[str, Any] = before if isinstance(before, Mapping) else {}
        return ((key, known.get(key), item) for key, item in after.items())
    counterparts = _counterparts(before if isinstance(before, list | tuple) else (), after)
    return zip(range(len(after)), counterparts, after, strict=True)


class _Numbers:
    """The original's numbers. One that has moved is found by its value, as where an element of a list was removed."""

    def __init__(self, original: Any) -> None:
        self._original = original
        # Those that JavaScript cannot represent exactly, by their doubles; None where several share one.
        self._fragile: dict[float, int | float | None] | None = None

    def merge(self, original: Any, answered: int | float, path: Path) -> int | float:
        if _is_number(original) and _as_double(original) == _as_double(answered):
            number: int | float = original
            return number
        if not _is_fragile(answered):
            return answered
        moved = self._moved(_as_double(answered))
        if moved is not None:
            return moved
        if math.isinf(_as_double(answered)):
            raise Unsafe(f"{_written(path)} is too large for a number")
        raise Unsafe(f"{_written(path)} is {answered}, which JavaScript cannot hold exactly; use a string")

    def _moved(self, double: float) -> int | float | None:
        if self._fragile is None:
            # Not in sets: a user can write many different numbers with one hash.
            found: dict[float, int | float | None] = {}
            for one in _fragile_numbers(self._original):
                own = _as_double(one)
                found[own] = one if found.get(own, one) == one else None
            self._fragile = found
        return self._fragile.get(double)


def _fragile_numbers(value: Any) -> Iterator[int | float]:
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, Mapping):
            left += one.values()
        elif isinstance(one, list | tuple):
            left += one
        elif _is_fragile(one):
            yield one


def _written(path: Path) -> str:
    steps: list[str] = []
    while path is not None:
        path, step = path
        steps.append(f"[{step}]" if isinstance(step, int) else f".{step}")
    written = "".join(reversed(steps)).removeprefix(".")
    return written if len(written) <= MOST_CHARACTERS else f"{written[:MOST_CHARACTERS]}..."


def _counterparts(original: Sequence[Any], answered: Sequence[Any]) -> list[Any]:
    """For each element of an answered list, the original's. Elements may have been added or removed in one place."""
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
    """Whether the two are equal in JavaScript."""
    left = [(original, answered)]
    while left:
        before, after = left.pop()
        if isinstance(after, dict):
            if not isinstance(before, Mapping) or before.keys() != after.keys():
                return False
            left += [(before[key], item) for key, item in after.items()]
        elif isinstance(after, list):
            if not isinstance(before, list | tuple) or len(before) != len(after):
                return False
            left += zip(before, after, strict=True)
        elif _is_number(after):
            if not _is_number(before) or _as_double(before) != _as_double(after):
                return False
        elif type(before) is not type(after) or before != after:
            return False
    return True


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_fragile(value: Any) -> bool:
    return _is_number(value) and not -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER


def _as_double(value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:
        # JavaScript's JSON.parse reads such an integer as Infinity.
        return math.inf if value > 0 else -math.inf
