"""How much of something bounded each may hold."""

import pytest
from synapse_module_bridge.resilience.fair_share import FairShare


@pytest.mark.parametrize(
    ("held", "free", "expected"),
    [
        (0, 0, False),
        (0, -1, False),
        (0, 1, True),
        (3, 1, True),
        (4, 1, False),
        (7, 2, True),
        (8, 2, False),
    ],
)
def test_each_may_hold_a_few_times_what_is_free(held: int, free: int, expected: bool) -> None:
    share = FairShare()
    share.take("@other:test", 100)
    for _ in range(held):
        share.take("@alice:test")
    assert share.admits("@alice:test", free) is expected


@pytest.mark.parametrize(
    ("held", "free", "expected"), [(0, 0, 0), (0, -1, 0), (0, 4, 3), (0, 5, 4), (0, 256, 204), (3, 1, 0), (163, 93, 41)]
)
def test_what_is_left_for_one_keeps_within_its_share_once_it_is_taken(held: int, free: int, expected: int) -> None:
    share = FairShare()
    share.take("@alice:test", held)
    assert share.held_by("@alice:test") == held
    assert share.left("@alice:test", free) == expected
    assert not expected or held + expected <= 4 * (free - expected)


def test_what_is_given_back_can_be_had_again_and_nobody_is_remembered_for_it() -> None:
    share = FairShare()
    share.take("@alice:test", 0)
    share.take("@alice:test", 8)
    share.take("@alice:test", -5)
    assert share.admits("@alice:test", 1)
    share.take("@alice:test", -3)
    assert not share.held
