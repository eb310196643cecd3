"""Whether a normalised answer has the shape of its type."""

import math
from typing import Any

import pytest
from nested import KINDS, nested
from synapse_module_bridge.codec.answer_schema import MOST_LEVELS, fits, is_pass, is_writable


@pytest.mark.parametrize(
    ("result", "answer", "expected"),
    [
        ("SpamVerdict", ["M_FORBIDDEN", {}], True),
        # Which codes there are, Synapse says.
        ("SpamVerdict", ["M_NEW", {}], True),
        ("SpamVerdict", [5, {}], False),
        ("SpamVerdict", ["M_FORBIDDEN"], False),
        ("EventAllowedVerdict", {"content": {}}, True),
        ("EventAllowedVerdict", [True, None], False),
        ("Edits", {}, True),
        ("Edits", [], False),
        ("Nothing", None, True),
        ("Nothing", False, False),
        ("Permission", 1, False),
    ],
)
def test_an_answer_fits_its_type_as_it_travels(result: str, answer: Any, expected: bool) -> None:
    assert fits(result, answer) is expected


@pytest.mark.parametrize("number", [math.inf, -math.inf])
def test_an_infinite_number_fits_only_where_it_may_be_one_of_the_original(number: float) -> None:
    for value in (number, [0, number], {"a": [{"b": number}, 1], "c": 1}):
        assert not fits("UnsignedFields", {"a": value})
        assert not fits("LegacyAdminResult", value)
        assert fits("Edits", {"a": value})
        assert fits("EventAllowedVerdict", {"content": {"a": value}})
    assert fits("UnsignedFields", {"a": [1.5, {"b": 10**400}, True, "inf"]})


def test_what_is_nested_too_deeply_to_be_written_does_not_fit_where_it_is_sent_as_it_is() -> None:
    for levels, sent in ((400, True), (5_000, False), (200_000, False)):
        deep: Any = "bottom"
        for _ in range(levels):
            deep = [deep]
        assert fits("SpamVerdict", ["M_FORBIDDEN", {"deep": deep}]) is sent
        # These are put onto the original, which may be as deep.
        assert fits("EventAllowedVerdict", {"content": {"deep": deep}})
        assert not fits("EventAllowedVerdict", {"content": deep})
        assert not fits("Permission", deep)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_sent_as_it_is_has_so_many_levels_and_no_more(kind: str) -> None:
    assert is_writable(nested(kind, MOST_LEVELS))
    assert not is_writable(nested(kind, MOST_LEVELS + 1))


@pytest.mark.parametrize(
    ("result", "answer", "expected"),
    [
        ("SpamVerdict", "NOT_SPAM", True),
        ("SpamVerdict", "M_FORBIDDEN", False),
        ("Permission", True, True),
        # It equals True.
        ("Permission", 1, False),
        ("Permission", False, False),
        ("Edits", None, True),
        ("Edits", {}, False),
    ],
)
def test_an_answer_without_objection_passes(result: str, answer: Any, expected: bool) -> None:
    assert is_pass(result, answer) is expected
