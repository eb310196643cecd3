"""Puts an answer that went through JavaScript onto the value that it came from.

JavaScript has one kind of number, so `1.0` comes back as `1`, and 2^53+1 as 2^53. What a module did not
change is taken from the original, and stays exactly what it was.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# The largest integer up to which every integer is a JavaScript number of its own.
MAX_SAFE_INTEGER = 2**53 - 1
# Of a path; a longer one is cut.
MOST_CHARACTERS = 80


# How a place is reached: the way to what is around it, and the step from there.
Path = tuple[Any, str | int] | None


class Unsafe(Exception):
    """A number that JavaScript cannot hold exactly, and that is not one of the original's."""


def merge(original: Any, answered: Any) -> Any:
    """The object or list `answered`, with each part that JavaScript could not tell from the original's taken from it.

    Raises Unsafe for a whole number beyond 2^53-1, and for an infinite one, that cannot be one of the original's.
    """
    numbers = _Numbers(original)
    merged = _emptied(answered)
    # Not recursive: how deep they are nested, a user decides.
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
    """An object, or a list of that length, to be filled in."""
    return {} if isinstance(value, dict) else [None] * len(value)


def _pairs(before: Any, after: Any) -> Iterator[tuple[Any, Any, Any]]:
    """For each place in an answered object or list, what was there, and what is."""
    if isinstance(after, dict):
        known: Mapping[str, Any] = before if isinstance(before, Mapping) else {}
        return ((key, known.get(key), item) for key, item in after.items())
    counterparts = _counterparts(before if isinstance(before, list | tuple) else (), after)
    return zip(range(len(after)), counterparts, after, strict=True)


class _Numbers:
    """The original's numbers that JavaScript cannot hold exactly, by their doubles; None where several have the same.

    Where such a number has moved (an element of a list was removed), it is found by its value.
    """

    def __init__(self, original: Any) -> None:
        self._original = original
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
            # No set of those alike: a user can write many different ones of one hash.
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
        # JSON.parse reads such an integer as Infinity.
        return math.inf if value > 0 else -math.inf
