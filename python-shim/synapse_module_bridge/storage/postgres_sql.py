"""How a module's SQL travels to PostgreSQL, by way of Synapse and psycopg2, and where in it PostgreSQL stumbled.

Synapse makes each `?` a `%s`, also one within a text, and psycopg2 puts a value in the place of each. So a `?` that is
no parameter gets a value as well: the very character.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

# One value as psycopg2 writes it.
_VALUE = re.compile(
    r" ?(?:E'[^'\\]*(?:(?:\\.|'')[^'\\]*)*'|'[^']*(?:''[^']*)*'|[-+\w.]+)(?:::\w+)?",
    re.DOTALL,
)


class _Mark:
    """What psycopg2 takes for a value that is SQL already."""

    def __conform__(self, _: object) -> "_Mark":
        return self

    def getquoted(self) -> bytes:
        return b"?"


_MARK = _Mark()


def escaped(sql: str) -> str:
    """psycopg2's own placeholders begin so."""
    return sql.replace("%", "%%")


def with_marks(row: Sequence[Any], marks: Sequence[tuple[int, bool]]) -> list[Any]:
    values = iter(row)
    return [next(values) if is_parameter else _MARK for _, is_parameter in marks]


def place_of(sent_at: int, sent: str, sql: str, parameters: Sequence[int]) -> int | None:
    """Where in `sql` that is which is at `sent_at` in what was sent; None where the two do not fit."""
    shift = 0
    for at, length in _values(sent, parameters):
        if sent_at < at + shift:
            break
        if sent_at < at + shift + length:
            return at
        # Instead of one character.
        shift += length - 1
    place = sent_at - shift
    return place if 0 <= place <= len(sql) else None


def _values(sent: str, parameters: Sequence[int]) -> Iterator[tuple[int, int]]:
    """For each `?` its place in the SQL, and how long its value is in what was sent."""
    shift = 0
    for at in parameters:
        value = _VALUE.match(sent, at + shift)
        if value is None:
            return
        length = value.end() - value.start()
        yield at, length
        shift += length - 1
