"""In which groups the suspects that had been answered are asked, and in which order."""

import itertools

import pytest
from asking import call_of, entry
from synapse_module_bridge.quarantine import answered_groups as subject
from synapse_module_bridge.quarantine.answered_groups import SAME_END_SECONDS, AnsweredGroups
from synapse_module_bridge.quarantine.suspects import RECENT_SECONDS, Suspect

CALL, ENTRIES = call_of("user_may_invite"), [entry("m")]


def answered(*ages: float, since: float = 0.0) -> list[Suspect]:
    """Those of one end, so long before it."""
    return [Suspect(call=CALL, entries=ENTRIES, age=age, since=since) for age in ages]


def in_order(groups: AnsweredGroups) -> list[list[Suspect]]:
    return [groups.next() for _ in range(len(groups))]


def ages(groups: AnsweredGroups) -> list[list[float]]:
    return [[suspect.age for suspect in group] for group in in_order(groups)]


def test_those_that_were_answered_at_about_the_same_time_are_a_group_and_the_last_come_first() -> None:
    groups = AnsweredGroups()
    groups.add(answered(1.9, 0.5, 0.49, 0.1, 0.09, 0.0, RECENT_SECONDS))
    assert len(groups) == 3
    assert ages(groups) == [[0.09, 0.0], [0.49, 0.1], [1.9, 0.5]]


def test_of_several_ends_those_that_were_answered_last_come_first_and_the_first_end_before_the_next() -> None:
    groups = AnsweredGroups()
    for one in (answered(0.01, 0.6), answered(0.2, 0.02), answered(0.03, 0.7)):
        groups.add(one)
    assert ages(groups) == [[0.01], [0.02], [0.03], [0.2], [0.6], [0.7]]


def test_of_too_many_the_oldest_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "MOST_GROUPS", 2)
    groups = AnsweredGroups()
    groups.add(answered(1.0, 0.2, 0.0))
    assert ages(groups) == [[0.0], [0.2]]


def test_the_halves_of_a_group_come_before_all_others_the_last_first_and_none_is_empty() -> None:
    groups = AnsweredGroups()
    groups.add(answered(0.01))
    first, second, third = answered(0.6, 0.7, 0.8)
    groups.put_first([first], [], [second])
    groups.put_first([third])
    assert ages(groups) == [[0.8], [0.7], [0.6], [0.01]]


def test_once_it_is_known_who_it_was_the_others_of_that_end_alone_are_not_asked() -> None:
    groups = AnsweredGroups()
    found, same, same_a_little_earlier = (answered(0.0, since=since)[0] for since in (10.0, 10.2, 9.8))
    before, after = (answered(0.0, since=10.0 + pause)[0] for pause in (-SAME_END_SECONDS, SAME_END_SECONDS))
    groups.put_first([after, same], [before, same_a_little_earlier], [same])
    groups.found(found)
    assert in_order(groups) == [[before], [after]]


@pytest.mark.parametrize("at", range(6))
def test_whichever_end_it_was_the_rest_is_asked_in_order(at: int) -> None:
    groups = AnsweredGroups()
    for end in range(6):
        groups.add(answered(0.6, 0.2, 0.0, since=float(end)))
    groups.found(answered(0.0, since=float(at))[0])
    rest = [end for end in range(6) if end != at]
    seen = [(group[0].age, group[0].since) for group in in_order(groups)]
    assert seen == list(itertools.product([0.0, 0.2, 0.6], rest))


def test_what_is_cleared_is_not_asked() -> None:
    groups = AnsweredGroups()
    groups.add(answered(0.0, 0.2))
    groups.clear()
    assert len(groups) == 0
