"""Prepares a module's SQL for psycopg2, and finds the place in it at which PostgreSQL reports an error.

Synapse replaces each `?` by `%s`, even within a string (PostgresEngine.convert_param_style), and psycopg2 puts a value
in place of each. So a `?` that is not a parameter gets a value as well: itself.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

# One value, as psycopg2 formats it.
_VALUE = re.compile(
    r" ?(?:E'[^'\\]*(?:(?:\\.|'')[^'\\]*)*'|'[^']*(?:''[^']*)*'|[-+\w.]+)(?:::\w+)?",
    re.DOTALL,
)


class _Mark:
    """A value for psycopg2 that is formatted as a question mark, without quotes."""

    def __conform__(self, _: object) -> "_Mark":
        return self

    def getquoted(self) -> bytes:
        return b"?"


_MARK = _Mark()


def escaped(sql: str) -> str:
    """The SQL, with `%` escaped, which begins psycopg2's placeholders."""
    return sql.replace("%", "%%")


def with_marks(row: Sequence[Any], marks: Sequence[tuple[int, bool]]) -> list[Any]:
    """The parameters of one row, with a question mark for each `?` that is not a parameter. `marks` is as in `Scan`."""
    values = iter(row)
    return [next(values) if is_parameter else _MARK for _, is_parameter in marks]


def place_of(sent_at: int, sent: str, sql: str, parameters: Sequence[int]) -> int | None:
    """The place in `sql` that corresponds to the place `sent_at` in what was sent; None where they do not fit together.

    `parameters` has the places of all parameters in `sql`.
    """
    shift = 0
    for at, length in _values(sent, parameters):
        if sent_at < at + shift:
            break
        if sent_at < at + shift + length:
            return at
        # The value stands in place of one character.
        shift += length - 1
    place = sent_at - shift
    return place if 0 <= place <= len(sql) else None


def _values(sent: str, parameters: Sequence[int]) -> Iterator[tuple[int, int]]:
    """For each parameter, its place in the SQL, and the length of its value in what was sent."""
    shift = 0
    for at in parameters:
        value = _VALUE.match(sent, at + shift)
        if value is None:
            return
        length = value.end() - value.start()
        yield at, length
        shift += length - 1
