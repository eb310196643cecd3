"""Merging an answer from JavaScript onto its original."""

import math
import re

import pytest
from on_the_way import through_javascript
from synapse_module_bridge.codec.merge import Unsafe, merge

BIG = 2**53 + 1
ONE = {"b": 1, "c": 1, "a": {}}


@pytest.mark.parametrize(
    "original",
    [
        {"a": 1.0},
        {"a": BIG},
        {"a": -BIG, "b": [BIG, {"c": 1.0}]},
        {"a": 10**21, "b": 1e300, "c": -0.0},
        {"__proto__": {"x": 1.0}, "constructor": 1},
        {"s": "\ud800", "t": True, "u": None},
        {"a": math.inf, "b": [-math.inf, 10**400, {"c": math.inf}]},
    ],
)
def test_what_a_module_left_alone_is_exactly_what_it_was(original: dict[str, object]) -> None:
    merged = merge(original, through_javascript(original))
    assert repr(merged) == repr(original)


@pytest.mark.parametrize("number", [math.inf, -math.inf, 10**400])
def test_an_infinite_number_that_has_moved_is_found_again(number: float) -> None:
    merged = merge({"a": number, "list": [0, number]}, {"b": math.inf if number > 0 else -math.inf})
    assert repr(merged) == repr({"b": number})


@pytest.mark.parametrize("original", [{"a": 1}, {"a": [math.inf, 10**400]}, {"b": [1, {"c": -(10**400)}]}])
def test_an_infinite_number_that_cannot_be_one_of_the_original_is_refused_with_its_path(original: object) -> None:
    with pytest.raises(Unsafe, match=r"^b\[1\]\.c is too large for a number"):
        merge(original, {"b": [1, {"c": math.inf}]})


def test_depth_costs_no_recursion_and_no_more_than_its_size() -> None:
    leaves: list[object] = [BIG] * 20_000
    original: object = leaves
    answered: object = [float(BIG)] * 20_000
    for level in range(20_000):
        original, answered = ({"k": original, "n": level}, {"k": answered, "n": level + 1})
    merged: object = merge([original, 1], [answered])
    assert isinstance(merged, list)
    (inner,) = merged
    for level in reversed(range(20_000)):
        assert inner["n"] == level + 1
        inner = inner["k"]
    assert inner == leaves


def test_a_changed_value_is_taken_and_its_neighbours_are_kept() -> None:
    original = {"keep": 1.0, "change": 1, "drop": 2}
    merged = merge(original, {"keep": 1, "change": 5, "new": [1]})
    assert repr(merged) == repr({"keep": 1.0, "change": 5, "new": [1]})


@pytest.mark.parametrize("big", [BIG, -BIG])
def test_a_big_number_that_has_moved_is_found_again_wherever_it_was(big: int) -> None:
    answered = through_javascript({"moved": [big]})
    for original in [["removed", big], {"a": big}, {"a": [0, {"b": (1, [big])}], "c": "x"}]:
        assert merge(original, answered) == {"moved": [big]}


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
        # Of equal neighbours the last one went.
        ([1.0, 1], [1], [1.0]),
        # What was put in has no counterpart, though what stands beside it is like it.
        (["a", {"k": 1.0}], ["a", {"k": 1, "n": 2}, {"k": 1}], ["a", {"k": 1, "n": 2}, {"k": 1.0}]),
        # Elements are the same by what they hold, and by its types.
        ([{"a": 1.0}, {"b": 2.0}], [{"b": 2}], [{"b": 2.0}]),
        ([{"n": 1.0, "s": "x"}, {"n": 1, "s": "y"}], [{"n": 1, "s": "y"}], [{"n": 1, "s": "y"}]),
        ([{"n": 1.0, "z": 0}, {"n": 1}], [{"n": 1}], [{"n": 1}]),
        ([{"n": 1.0, "t": 1}, {"n": 1, "t": True}], [{"n": 1, "t": True}], [{"n": 1, "t": True}]),
        ([{"n": 1.0, "t": True}, {"n": 1, "t": 1}], [{"n": 1, "t": 1}], [{"n": 1, "t": 1}]),
        ([["k"], {"k": 1.0}], [{"k": 1}], [{"k": 1.0}]),
        ([[1.0], [2.0]], [[2]], [[2.0]]),
        ([[1.0, 2], [1]], [[1]], [[1]]),
        (["ab", [1.0, 2]], [[1, 2]], [[1.0, 2]]),
        ([{"b": 1.0, "c": 0, "a": {}}, ONE], [ONE], [ONE]),
        ([[True, 1.0], [1, 1]], [[1, 1]], [[1, 1]]),
    ],
)
def test_what_stands_beside_an_element_put_in_or_taken_out_is_exactly_what_it_was(
    original: list[object], answered: list[object], merged: list[object]
) -> None:
    assert repr(merge(original, answered)) == repr(merged)


def test_a_big_number_that_is_not_in_the_original_is_refused_with_its_path() -> None:
    with pytest.raises(Unsafe, match=r"^a\.b\[1\] is 18014398509481984"):
        merge({"a": {"b": [1]}}, {"a": {"b": [1, 2**54]}})


@pytest.mark.parametrize(("length", "told"), [(80, "k" * 80), (81, "k" * 80 + "...")])
def test_a_long_path_is_cut(length: int, told: str) -> None:
    with pytest.raises(Unsafe, match=rf"^{re.escape(told)} is {2**53},"):
        merge({}, {"k" * length: 2**53})


@pytest.mark.parametrize("sign", [1, -1])
def test_a_number_is_big_beyond_what_javascript_holds_exactly(sign: int) -> None:
    assert merge({}, {"a": sign * (2**53 - 1)}) == {"a": sign * (2**53 - 1)}
    with pytest.raises(Unsafe, match=rf"^a is {sign * 2**53}, which JavaScript cannot hold exactly"):
        merge({}, {"a": sign * 2**53})


def test_a_big_number_that_could_be_two_of_the_original_is_refused() -> None:
    # 2^53 and 2^53+1 are one JavaScript number.
    with pytest.raises(Unsafe):
        merge(["x", 2**53, 2**53 + 1], [2**53, "y", "z", "w"])


def test_a_boolean_is_not_a_number() -> None:
    assert repr(merge({"a": 1}, {"a": True})) == repr({"a": True})
