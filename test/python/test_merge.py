"""Merging an answer from JavaScript onto its original."""

import json

import pytest
from synapse_module_bridge.merge import Unsafe, merge

BIG = 2**53 + 1


def through_javascript(value: object) -> object:
    """What JSON.parse and JSON.stringify make of the numbers in a value."""

    def number(text: str) -> object:
        double = float(text)
        return int(double) if double.is_integer() and abs(double) < 1e21 else double

    return json.loads(json.dumps(value), parse_int=number, parse_float=number)


@pytest.mark.parametrize(
    "original",
    [
        {"a": 1.0},
        {"a": BIG},
        {"a": -BIG, "b": [BIG, {"c": 1.0}]},
        {"a": 10**21, "b": 1e300, "c": -0.0},
        {"__proto__": {"x": 1.0}, "constructor": 1},
        {"s": "\ud800", "t": True, "u": None},
    ],
)
def test_what_a_module_left_alone_is_exactly_what_it_was(original: dict[str, object]) -> None:
    merged = merge(original, through_javascript(original))
    assert repr(merged) == repr(original)


def test_a_changed_value_is_taken_and_its_neighbours_are_kept() -> None:
    original = {"keep": 1.0, "change": 1, "drop": 2}
    merged = merge(original, {"keep": 1, "change": 5, "new": [1]})
    assert repr(merged) == repr({"keep": 1.0, "change": 5, "new": [1]})


def test_a_big_number_that_has_moved_in_a_list_is_found_again() -> None:
    original = ["removed", BIG]
    assert merge(original, through_javascript([BIG])) == [BIG]


@pytest.mark.parametrize(
    ("original", "answered", "merged"),
    [
        ([1.0, 2.0, 3.0], [2, 3], [2.0, 3.0]),
        ([1.0, 2.0, 3.0], [1, 3], [1.0, 3.0]),
        ([1.0, 2.0, 3.0], [1, 2], [1.0, 2.0]),
        ([1.0, {"a": [2.0]}], [0, 1, {"a": [2]}], [0, 1.0, {"a": [2.0]}]),
        ([1.0, 2.0], [1, "new", 2], [1.0, "new", 2.0]),
        ([1.0], [], []),
        ([], [1], [1]),
        ([1.0, 1.0], [1], [1.0]),
        ([1.0, "x", True], [1, True], [1.0, True]),
    ],
)
def test_what_stands_beside_an_element_put_in_or_taken_out_is_exactly_what_it_was(
    original: list[object], answered: list[object], merged: list[object]
) -> None:
    assert repr(merge(original, answered)) == repr(merged)


def test_a_big_number_that_is_not_in_the_original_is_refused_with_its_path() -> None:
    with pytest.raises(Unsafe, match=r"^a\.b\[1\] is 18014398509481984"):
        merge({"a": {"b": [1]}}, {"a": {"b": [1, 2**54]}})


def test_a_big_number_that_could_be_two_of_the_original_is_refused() -> None:
    # 2^53 and 2^53+1 are one JavaScript number.
    with pytest.raises(Unsafe):
        merge(["x", 2**53, 2**53 + 1], [2**53, "y", "z", "w"])


def test_a_boolean_is_not_a_number() -> None:
    assert repr(merge({"a": 1}, {"a": True})) == repr({"a": True})
