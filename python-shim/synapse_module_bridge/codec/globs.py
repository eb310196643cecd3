"""Matches untrusted texts against globs, in time linear in the text. `*` is any number of characters, `?` is one.

A glob is split at its stars. The first piece must begin the text, and the last one must end it. Each piece between them
is searched after the piece before it, and the first match is taken: if that fails, so does every other. In a long text,
a piece is searched at all places at once, by one operation on bits for each of its characters. Pieces come from the
module's author, so their length is trusted.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

# So many places are searched one by one, which is faster where the piece is near.
FEW_PLACES = 2_048
# The same for a piece with `?`, times its length.
FEW_STEPS = 10_000
# For each bit of a byte, a table that translates each byte into that bit, as the digit 0 or 1.
_DIGITS = [bytes(b"01"[byte >> bit & 1] for byte in range(256)) for bit in range(8)]
# The bits of a code point.
MOST_BITS = 21
ASCII_BITS = 7


def compile_globs(globs: Sequence[str]) -> Callable[[str], bool]:
    """A function that tells whether one of the globs matches the whole text. Case matters."""
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
        # Each part of the pattern matches one character, so it does not backtrack.
        wildcards = "".join("." if letter == "?" else re.escape(letter) for letter in piece)
        self._pattern = re.compile(wildcards, re.DOTALL) if "?" in piece else None

    def stands(self, text: str, at: int) -> bool:
        if self._pattern is None:
            return text.startswith(self._piece, at)
        return self._pattern.match(text, at) is not None

    def find(self, text: str, at: int, end: int) -> int:
        """The first place from `at` on where the piece fits and ends before `end`, or -1."""
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
        # The index of the lowest bit.
        return (places & -places).bit_length() - 1


@lru_cache(maxsize=64)
def _places(text: str, letter: str) -> int:
    """A number whose bit `i` says whether the letter stands at place `i`."""
    bits = _bits(text)
    if ord(letter) >> len(bits):
        return 0
    places = (1 << len(text)) - 1
    for bit, set_at in enumerate(bits):
        places &= set_at if ord(letter) >> bit & 1 else ~set_at
    return places


@lru_cache(maxsize=1)
def _bits(text: str) -> list[int]:
    """For each bit of a code point, a number whose bit `i` is that bit of the character at place `i`."""
    characters = text[::-1].encode("utf-32-le", "surrogatepass")
    planes = [characters[byte::4] for byte in range(3)]
    count = ASCII_BITS if text.isascii() else MOST_BITS
    return [int(planes[bit // 8].translate(_DIGITS[bit % 8]), 2) for bit in range(count)]
