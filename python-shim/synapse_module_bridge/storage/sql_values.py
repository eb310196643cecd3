"""Converts between a database's values and JSON.

A cell that has a form in JSON stays as it is. Bytes become `{"bytes": base64}`, and cells of a JSON or array type
`{"json": ...}`, so that they cannot be confused. Decimals become numbers, and times their ISO form.
"""

import math
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any


def decode_param(value: Any) -> Any:
    """The value for the database driver. Raises ValueError for base64 that is malformed."""
    if isinstance(value, Mapping):
        # Not `bytes`, which Synapse makes psycopg2 refuse (PostgresEngine.__init__).
        return bytearray(b64decode(value["bytes"], validate=True))
    return value


def encode_cell(value: Any) -> Any:
    """The wire value of one cell."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"bytes": _base64(value)}
    if isinstance(value, (dict, list, tuple)):
        return {"json": _plain(value)}
    return _plain(value)


def size_of(cell: Any) -> int:
    """About the number of bytes of an encoded cell as JSON."""
    if isinstance(cell, str):
        return len(cell)
    if isinstance(cell, dict):
        return sum(len(key) + size_of(value) for key, value in cell.items())
    if isinstance(cell, list):
        return sum(map(size_of, cell))
    return 8


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else _no_number(value)
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _base64(value)
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, (date, time)):
        return value.isoformat()
    return str(value)


def _number(value: Decimal) -> Any:
    # In PostgreSQL, the SUM of integers is a Decimal.
    if value.is_finite() and value == value.to_integral_value() and abs(value) < 2**63:
        return int(value)
    number = float(value)
    return number if math.isfinite(number) else _no_number(number)


def _no_number(value: float) -> str:
    """NaN or an infinity as text, as JavaScript and PostgreSQL write it."""
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _base64(value: bytes | bytearray | memoryview) -> str:
    return b64encode(value).decode("ascii")
