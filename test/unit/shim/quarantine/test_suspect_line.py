"""In which order suspects are asked again, and who may join their line."""

import itertools
from typing import Any

import pytest
from asking import call_of, entry
from synapse_module_bridge.quarantine import suspect_line as subject
from synapse_module_bridge.quarantine.suspect_line import Rank, SuspectLine
from synapse_module_bridge.quarantine.suspects import Suspect
from twisted.internet.defer import Deferred


def suspect(
    started: float,
    *,
    is_waited_for: bool = True,
    who: str = "@a:test",
    callback: str = "user_may_invite",
    shadow: bool = False,
    is_slow: bool = False,
) -> Suspect:
    call = call_of(callback)
    call.started, call.who = started, who
    answer: Deferred[Any] | None = Deferred() if is_waited_for else None
    return Suspect(call=call, entries=[entry("m", shadow=shadow)], answer=answer, is_slow=is_slow)


def left(line: SuspectLine) -> list[Suspect]:
    return [line.next() for _ in range(len(line))]


def test_those_whom_somebody_waits_for_come_first_and_of_them_those_who_wait_with_most_at_stake() -> None:
    in_order = [
        suspect(0.0),
        suspect(1.0, callback="on_new_event"),
        suspect(2.0, shadow=True),
        suspect(3.0, is_slow=True, shadow=True),
        suspect(4.0, is_waited_for=False),
        suspect(5.0, is_waited_for=False, is_slow=True),
    ]
    for joining in (in_order, reversed(in_order)):
        line = SuspectLine()
        for one in joining:
            line.join(one)
        assert left(line) == in_order


def test_of_those_whom_somebody_waits_for_the_last_that_was_asked_comes_first() -> None:
    line = SuspectLine()
    first, last, same = suspect(1.0), suspect(2.0), suspect(1.0)
    for one in (first, last, same):
        line.join(one)
    assert left(line) == [last, first, same]


def test_those_whom_nobody_waits_for_take_turns_by_author() -> None:
    line = SuspectLine()
    for number in range(5):
        line.join(suspect(float(number), is_waited_for=False, who="@a:test" if number < 3 else "@b:test"))
    assert [one.call.started for one in left(line)] == [0.0, 3.0, 1.0, 4.0, 2.0]


def test_one_may_be_put_before_all_others_or_after_them() -> None:
    line = SuspectLine()
    waited_for, later = suspect(0.0), suspect(9.0)
    unawaited, before = suspect(5.0, is_waited_for=False), suspect(0.0, is_waited_for=False)
    line.join(waited_for)
    line.join(later, Rank.UNAWAITED)
    line.join(unawaited, Rank.UNAWAITED)
    line.join(before, Rank.AGAIN)
    assert left(line) == [before, waited_for, later, unawaited]


def test_a_long_line_takes_nobody_more_whom_nobody_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "MOST_UNAWAITED", 2)
    line = SuspectLine()
    for number in range(3):
        line.join(suspect(float(number), is_waited_for=False))
    assert [one.call.started for one in left(line)] == [0.0, 1.0]
    for number in range(3):
        line.join(suspect(float(number)))
    line.join(suspect(3.0, is_waited_for=False))
    line.join(suspect(4.0, is_waited_for=False), Rank.UNAWAITED)
    assert [one.call.started for one in left(line)] == [2.0, 1.0, 0.0, 4.0]


@pytest.mark.parametrize("order", itertools.permutations([0.0, 1.0, 2.0]))
def test_those_whom_nobody_waits_for_are_dropped_and_the_others_keep_their_order(order: tuple[float, ...]) -> None:
    line = SuspectLine()
    for number in order:
        line.join(suspect(number, is_waited_for=False), Rank.AGAIN)
        line.join(suspect(number, callback="on_new_event"))
        line.join(suspect(10.0 + number))
    line.drop_unawaited()
    assert [one.call.started for one in left(line)] == [12.0, 11.0, 10.0, 2.0, 1.0, 0.0]


@pytest.mark.parametrize("ends", ["drop_unawaited", "leave_all"])
def test_an_author_whose_suspects_have_gone_is_as_any_other(ends: str) -> None:
    line = SuspectLine()
    for number in range(3):
        line.join(suspect(float(number), is_waited_for=False))
    getattr(line, ends)()
    again, other = suspect(5.0, is_waited_for=False), suspect(6.0, is_waited_for=False, who="@b:test")
    line.join(other)
    line.join(again)
    assert left(line) == [again, other]


def test_who_leaves_is_told_and_the_line_is_empty() -> None:
    line = SuspectLine()
    joined = [suspect(0.0), suspect(1.0, is_waited_for=False)]
    for one in joined:
        line.join(one)
    assert line.leave_all() == joined
    assert len(line) == 0
