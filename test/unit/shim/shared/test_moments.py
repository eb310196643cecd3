"""Moments and durations, as admins give them."""

from typing import Any

import pytest
from synapse_module_bridge.shared.moments import MOST_AHEAD_MS, read_number, read_since, read_until

NOW = 1_800_000_000_000
HOUR = 3_600_000


@pytest.mark.parametrize(
    ("value", "until"),
    [
        ("2h", NOW + 2 * HOUR),
        (NOW + 1, NOW + 1),
        (str(NOW + 1), NOW + 1),
        (NOW + MOST_AHEAD_MS, NOW + MOST_AHEAD_MS),
    ],
)
def test_an_end_is_a_moment_ahead(value: int | str, until: int) -> None:
    assert read_until(value, NOW) == until


@pytest.mark.parametrize(
    "value",
    [
        *(NOW, 0, -1, NOW + MOST_AHEAD_MS + 1, 2**70, True, 1e300),
        *("2 h", "0s", "-2h", "1999", "", "h", "11y", "٣h", "9" * 5_000, "9" * 5_000 + "h", "1.5h", "2x"),
    ],
)
def test_no_other_end_is_taken(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^until must be in the future, and within ten years: .* such as 2h$"):
        read_until(value, NOW)


def test_a_beginning_is_a_moment_or_a_duration_back_from_now() -> None:
    assert read_since("2h", NOW) == NOW - 2 * HOUR
    assert read_since("1700000000000", NOW) == 1_700_000_000_000
    assert read_since("9999y", NOW) == 0
    for text in ("yesterday", "-2h", "", "2 h"):
        with pytest.raises(ValueError, match="since must be milliseconds since the epoch, or a duration back from now"):
            read_since(text, NOW)


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("9007199254740991", 2**53 - 1)])
def test_a_number_is_one_that_json_can_have(text: str, number: int) -> None:
    assert read_number(text) == number
    assert read_number(str(2**53)) is None and read_number("٣") is None and read_number("1.0") is None
