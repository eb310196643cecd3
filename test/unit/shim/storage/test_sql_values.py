"""What the database gives and takes as JSON."""

from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from synapse_module_bridge.storage.sql_values import decode_param, encode_cell
from synapse_module_bridge.transport.framing import encode


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, None),
        (True, True),
        (2**63, 2**63),
        (0.5, 0.5),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
        ("☃", "☃"),
        (b"\0\xff", {"bytes": "AP8="}),
        (memoryview(b"'"), {"bytes": "Jw=="}),
        (Decimal("6"), 6),
        (Decimal("1.50"), 1.5),
        (Decimal("1e400"), "Infinity"),
        (Decimal("NaN"), "NaN"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc), "2026-01-02T03:04:05+00:00"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ({"bytes": "x"}, {"json": {"bytes": "x"}}),
        ([Decimal("1"), None, b"a"], {"json": [1, None, "YQ=="]}),
    ],
)
def test_a_cell_travels_as_json(value: Any, cell: Any) -> None:
    assert encode_cell(value) == cell
    encode(encode_cell(value))


def test_bytes_are_parameters() -> None:
    assert decode_param({"bytes": "AP8="}) == b"\0\xff"
