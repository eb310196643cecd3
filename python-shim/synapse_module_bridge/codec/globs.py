"""Matches texts against globs in linear time, whatever the text: `*` is any characters, `?` any one.

A glob is cut at its stars. The piece before the first stands at the beginning of the text, the one after the last at
its end; each of the others is looked for behind the one before it, where it fits first: if that fails, no other way
fits. In a long text, a piece is looked for at all places at once, one step for each of its own characters. A module's
author writes the pieces, so their length is no user's.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

# Looking at one place after the other is quicker for so many, and where a piece stands near.
FEW_PLACES = 2_048
# Places times characters of a piece with `?`.
FEW_STEPS = 10_000
# For each of the bits of a byte: the digit that it is, for each byte.
_DIGITS = [bytes(b"01"[byte >> bit & 1] for byte in range(256)) for bit in range(8)]
# All characters have so many bits, those of ASCII fewer.
MOST_BITS = 21
ASCII_BITS = 7


def compile_globs(globs: Sequence[str]) -> Callable[[str], bool]:
    """A function from a text to whether one of the globs fits all of it, in the same case."""
    exact: set[str] = set()
    beginnings: list[str] = []
    endings: list[str] = []
    others: list[Callable[[str], bool]] = []
    for glob in globs:
        pieces = glob.split("*")
        if "?" in glob or len(pieces) > 2:
            others.append(_Glob(pieces).fits)
        elif len(pieces) == 1:
            exact.add(glob)
        elif pieces[1] == "":
            beginnings.append(pieces[0])
        elif pieces[0] == "":
            endings.append(pieces[1])
        else:
            others.append(_Glob(pieces).fits)
    begins, ends = tuple(beginnings), tuple(endings)

    def fits(text: str) -> bool:
        if text in exact or text.startswith(begins) or text.endswith(ends):
            return True
        return bool(others) and any(fit(text) for fit in others)

    return fits


class _Glob:
    def __init__(self, pieces: Sequence[str]) -> None:
        self._is_whole = len(pieces) == 1
        self._shortest = sum(map(len, pieces))
        self._first, *between = map(_Piece, pieces)
        self._last = between.pop() if between else self._first
        self._between = [piece for piece in between if piece.length > 0]

    def fits(self, text: str) -> bool:
        if len(text) < self._shortest or not self._first.stands(text, 0):
            return False
        if self._is_whole:
            return len(text) == self._shortest
        end = len(text) - self._last.length
        if not self._last.stands(text, end):
            return False
        at = self._first.length
        for piece in self._between:
            found = piece.find(text, at, end)
            if found < 0:
                return False
            at = found + piece.length
        return True


class _Piece:
    def __init__(self, piece: str) -> None:
        self._piece = piece
        self.length = len(piece)
        self._letters = [(offset, letter) for offset, letter in enumerate(piece) if letter != "?"]
        # Each step takes one character, so there is nothing to go back to.
        wildcards = "".join("." if letter == "?" else re.escape(letter) for letter in piece)
        self._pattern = re.compile(wildcards, re.DOTALL) if "?" in piece else None

    def stands(self, text: str, at: int) -> bool:
        if self._pattern is None:
            return text.startswith(self._piece, at)
        return self._pattern.match(text, at) is not None

    def find(self, text: str, at: int, end: int) -> int:
        """The first place from `at` where it fits before `end`, or -1."""
        few = FEW_PLACES if self._pattern is None else FEW_STEPS // self.length
        near = min(end, at + few + self.length)
        if self._pattern is None:
            found = text.find(self._piece, at, near)
        else:
            match = self._pattern.search(text, at, near)
            found = -1 if match is None else match.start()
        if found >= 0 or near == end:
            return found
        places = ((1 << max(0, end - self.length + 1)) - 1) >> at << at
        for offset, letter in self._letters:
            places &= _places(text, letter) >> offset
            if not places:
                return -1
        # The lowest bit.
        return (places & -places).bit_length() - 1


@lru_cache(maxsize=64)
def _places(text: str, letter: str) -> int:
    """A number whose bit `i` tells whether the letter is at the place `i`."""
    bits = _bits(text)
    if ord(letter) >> len(bits):
        return 0
    places = (1 << len(text)) - 1
    for bit, set_at in enumerate(bits):
        places &= set_at if ord(letter) >> bit & 1 else ~set_at
    return places


@lru_cache(maxsize=1)
def _bits(text: str) -> list[int]:
    """For each bit of a character's number, the places where it is set, as a number."""
    characters = text[::-1].encode("utf-32-le", "surrogatepass")
    planes = [characters[byte::4] for byte in range(3)]
    count = ASCII_BITS if text.isascii() else MOST_BITS
    return [int(planes[bit // 8].translate(_DIGITS[bit % 8]), 2) for bit in range(count)]
