"""Whom the search for the call that has ended Node asks, in which order and for how long, and whom it blames."""

from collections.abc import Iterator
from math import inf
from typing import Any, cast

import pytest
from asking import call_of, entry, message_from
from fake_time import Time
from searching import END, OF_NODE, REPLY, SILENT, Door, Host, Rig, Turn, Turns, reason_of, suspect, suspects
from synapse_module_bridge.calls.again import AskAgain
from synapse_module_bridge.codec.replies import Reply
from synapse_module_bridge.quarantine import settling as subject
from synapse_module_bridge.quarantine.quarantine import Quarantine
from synapse_module_bridge.quarantine.settling import (
    MARGIN_SECONDS,
    MOST_IN_VAIN,
    MOST_STANDING_SECONDS,
    MOST_UNAWAITED_SECONDS,
    UNSURE_SECONDS,
    Settling,
)
from synapse_module_bridge.quarantine.suspects import Suspect
from synapse_module_bridge.quarantine.turn import TURN_SECONDS, UNAWAITED_SECONDS, End, NodeEnded
from synapse_module_bridge.schema.protocol import ERROR_CODES, Reason
from synapse_module_bridge.transport.rpc import RpcError
from synapse_module_bridge.transport.unavailable import Unavailable
from turning import outcome
from twisted.internet.defer import Deferred, ensureDeferred


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    for one in made.waiting:
        # The test need not look at all of them.
        one.addErrback(lambda _: None)


@pytest.fixture(autouse=True)
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    made = Time()
    monkeypatch.setattr(subject, "time", made)
    return made


def stops() -> None:
    raise Unavailable(Reason.DOWN)


def time_passes(time: Time, seconds: float) -> None:
    time.now += seconds


def test_who_waits_has_the_answer_of_the_turn_and_the_gate_is_closed_meanwhile(rig: Rig) -> None:
    waiting, call = rig.settle("a", "m", "n"), message_from("@a:test")
    assert [rig.settling.gate.holds(call, [module]) for module in ("m", "n", "other")] == [True, True, False]
    rig.work()
    assert outcome(waiting) == REPLY
    assert not rig.settling.gate.holds(call, ["m", "n"])
    assert rig.turns.all == [Turn("a", 0.0, False, True, False)]
    assert rig.entrance.limits == [TURN_SECONDS]


def test_who_waits_does_so_until_the_deadline_for_node_and_for_the_turn(rig: Rig) -> None:
    call = message_from("@a:test")
    waiting = ensureDeferred(rig.settling.settle(call, [entry("m")], 7.0))
    assert rig.host.until == [7.0, 7.0]
    rig.host.time_is_up()
    assert reason_of(waiting) == Reason.DEADLINE
    # It is asked all the same.
    rig.work()
    assert rig.turns.all == [Turn("a", 0.0, False, False, False)]
    [asked] = rig.turns.suspects
    assert (asked.call, asked.modules, asked.deadline) == (call, {"m"}, 7.0)


def test_who_waits_leaves_no_failure_behind_where_node_does_not_come_back(rig: Rig) -> None:
    rig.host.until_back = Deferred()
    waiting = rig.settle("a")
    answer: Any = rig.settling._line._line[0][-1].answer
    rig.host.before_turn = stops
    rig.work()
    rig.host.until_back.errback(Unavailable(Reason.DOWN))
    assert reason_of(waiting) == Reason.DOWN
    assert answer.called and answer.result is None


def test_in_a_turn_it_is_known_whether_others_wait_for_theirs(rig: Rig) -> None:
    rig.wait("abc")
    rig.work()
    assert [turn.others_wait for turn in rig.turns.all] == [True, True, False]


def test_who_waits_is_asked_again_after_the_others_if_its_turn_was_too_short(rig: Rig) -> None:
    first, second = rig.wait("ab")
    rig.turns.outcomes["a"] = [SILENT]
    rig.work()
    assert rig.order == "aba"
    assert (outcome(first), outcome(second)) == (REPLY, REPLY)


def test_who_waits_comes_before_those_for_whom_nobody_does(rig: Rig) -> None:
    rig.settling.suspect(suspects("u"), suspects("v"))
    rig.wait("a")
    rig.work()
    assert rig.order == "auv"


def test_the_gate_stays_closed_for_the_whole_turn_though_nobody_waits_any_more(rig: Rig) -> None:
    waiting, call, held = rig.settle("a"), message_from("@a:test"), []

    def is_late() -> None:
        rig.host.time_is_up()
        held.append(rig.settling.gate.holds(call, ["m"]))

    rig.turns.outcomes["a"] = [is_late]
    rig.work()
    assert reason_of(waiting) == Reason.DEADLINE
    assert held == [True] and not rig.settling.gate.holds(call, ["m"])


def test_the_gate_is_open_in_the_turn_of_one_for_whom_nobody_waits(rig: Rig) -> None:
    held: list[bool] = []
    rig.turns.outcomes["a"] = [lambda: held.append(rig.settling.gate.holds(message_from("@a:test"), ["m"]))]
    assert rig.search(suspects("a")) == "a"
    assert held == [False]


def test_the_search_is_begun_once_and_only_if_there_is_a_suspect(rig: Rig) -> None:
    assert (rig.settling.busy, rig.settling.unread_since) == (False, inf)
    rig.settling.suspect([], [])
    assert (rig.works, rig.settling.busy) == ([], False)
    rig.settling.suspect([], suspects("a"))
    rig.settling.suspect(suspects("b"), [])
    rig.settle("c")
    assert (len(rig.works), rig.settling.busy) == (1, True)
    rig.work()
    assert (rig.order, rig.settling.busy) == ("cba", False)
    assert (rig.host.looks, rig.turns.overs) == (3, 1)


def test_the_search_lets_all_go_where_synapse_stops(rig: Rig) -> None:
    waiting = rig.settle("a")
    rig.settling.suspect([], suspects("v"))
    rig.entrance.close()
    rig.host.before_turn = stops
    rig.work()
    assert reason_of(waiting) == Reason.DOWN
    assert not rig.settling.busy and not rig.entrance.is_closed and rig.turns.overs == 1
    # Nobody is left for the next time.
    rig.host.before_turn = lambda: None
    assert rig.search(suspects("b")) == "b"


def test_the_search_ends_in_order_where_all_suspects_are_dropped_meanwhile(rig: Rig) -> None:
    rig.settling.suspect(suspects("a"), [])
    rig.host.before_turn = lambda: rig.settling.node_ended("x", None, under_way=0, before=False)
    rig.work()
    assert rig.order == "" and not rig.settling.busy


def test_the_search_begins_with_no_suspicion_of_those_of_the_last_time(rig: Rig) -> None:
    assert rig.search(suspects("a")) == "a"
    rig.turns.outcomes["b"] = [END]
    assert rig.search(suspects("b")) == "b"
    assert rig.search(suspects("c")) == "c"
    assert rig.blamed == ["b"]


def test_an_end_of_node_is_told_to_the_turns_which_know_whose_it_is(rig: Rig) -> None:
    assert cast(Any, rig.settling.node_ended("x", "m", under_way=3, before=True)) == "its own"
    assert rig.turns.told == [(("x", "m"), {"under_way": 3, "before": True})]


def test_an_end_of_node_frees_those_that_have_run_from_suspicion(rig: Rig) -> None:
    rig.wait("abc")

    def ends() -> NodeEnded:
        rig.settling.node_ended("x", None, under_way=1, before=True)
        return NodeEnded()

    rig.turns.outcomes["b"] = [ends, END]
    rig.work()
    # The thread of `b` is a new one, in which `a` has not run.
    assert rig.order == "abbc" and rig.blamed == ["b"]


def test_an_end_of_node_drops_those_for_whom_nobody_waits(rig: Rig) -> None:
    rig.settling.suspect(suspects("uv"), [])
    rig.wait("a")
    rig.settling.node_ended("x", None, under_way=1, before=True)
    rig.work()
    assert rig.order == "a"


def test_an_end_of_node_in_a_turn_has_it_asked_again_at_once_and_alone(rig: Rig) -> None:
    rig.settle("b")

    def ends() -> NodeEnded:
        rig.settle("c")
        return NodeEnded()

    rig.turns.outcomes["b"] = [ends]
    rig.work()
    assert [(turn.who, turn.is_closed) for turn in rig.turns.all] == [("b", False), ("b", True), ("c", False)]


def test_an_end_of_node_is_not_tried_out_for_ever(rig: Rig) -> None:
    waiting, _ = rig.wait("ab")
    rig.turns.outcomes["a"] = [NodeEnded() for _ in range(9)]
    rig.work()
    assert rig.order == "a" * (MOST_IN_VAIN + 1) + "b"
    assert reason_of(waiting) == Reason.DOWN
    assert not rig.turns.all[-1].is_closed


def test_an_end_of_node_begins_to_count_anew_after_a_turn_that_node_survives(rig: Rig) -> None:
    waiting = rig.settle("a")
    rig.turns.outcomes["a"] = [NodeEnded(), SILENT, *(NodeEnded() for _ in range(9))]
    rig.work()
    assert len(rig.order) == 2 + MOST_IN_VAIN + 1
    assert reason_of(waiting) == Reason.DOWN


def test_an_end_of_node_in_the_turn_of_one_for_whom_nobody_waits_is_not_tried_out(rig: Rig) -> None:
    rig.turns.outcomes["u"] = [NodeEnded()]
    assert rig.search(suspects("uv")) == "uv"
    assert not any(turn.is_closed for turn in rig.turns.all)


@pytest.mark.parametrize("came", [None, SILENT, END, OF_NODE])
@pytest.mark.parametrize("keeps_closed", [True, False])
def test_the_entrance_opens_after_the_turn_unless_the_next_one_needs_it_closed(
    rig: Rig, came: Any, keeps_closed: bool
) -> None:
    rig.wait("ab")
    rig.turns.keeps_closed = keeps_closed
    rig.turns.outcomes["a"] = [NodeEnded(), came]
    rig.work()
    assert rig.order[:3] == "aab"
    assert [turn.is_closed for turn in rig.turns.all][1:3] == [True, keeps_closed]
    assert not rig.entrance.is_closed


def test_the_entrance_opens_where_the_thread_ends_of_itself(rig: Rig) -> None:
    rig.wait("ab")
    rig.turns.ends_unasked = True
    rig.turns.outcomes["a"] = [NodeEnded(), END]
    rig.work()
    assert [turn.is_closed for turn in rig.turns.all] == [False, True, False]


def test_the_entrance_opens_where_the_suspect_was_set_aside_meanwhile(rig: Rig) -> None:
    waiting, _ = rig.wait("ab")

    def is_set_aside() -> NodeEnded:
        rig.quarantine.add(message_from("@a:test"), "m", "x")
        return NodeEnded()

    rig.turns.outcomes["a"] = [is_set_aside]
    rig.work()
    assert rig.order == "ab" and isinstance(outcome(waiting), AskAgain)
    assert not rig.turns.all[-1].is_closed


def test_an_end_of_the_thread_is_the_suspects_where_no_other_has_run_in_it(rig: Rig) -> None:
    waiting, other = rig.wait("ab")
    rig.turns.outcomes["a"] = [END]
    rig.work()
    assert rig.order == "ab" and rig.blamed == ["a"]
    assert isinstance(outcome(waiting), AskAgain) and outcome(other) == REPLY


def test_an_end_of_the_thread_is_tried_again_alone_where_another_has(rig: Rig) -> None:
    rig.wait("abc")
    rig.turns.outcomes |= {"b": [END, END], "c": [END]}
    rig.work()
    # Then the thread of `c` is a new one.
    assert rig.order == "abbc" and rig.blamed == ["b", "c"]


def test_an_end_of_the_thread_is_one_of_the_others_where_the_suspect_does_not_repeat_it(rig: Rig) -> None:
    rig.wait("abc")
    rig.turns.outcomes |= {"c": [END], "b": [None, END]}
    rig.work()
    # The two are halved, and each half is watched.
    assert rig.order == "abccab" and rig.blamed == ["b"]
    assert [turn.watched for turn in rig.turns.all[4:]] == [UNSURE_SECONDS + MARGIN_SECONDS] * 2


def test_an_end_of_the_thread_with_the_whole_of_node_is_the_suspects_alone(rig: Rig) -> None:
    rig.wait("ab")
    rig.turns.outcomes["b"] = [OF_NODE]
    rig.work()
    assert rig.order == "ab" and rig.blamed == ["b"]
    # Nor is it tried out.
    assert rig.turns.tried == []


def test_an_end_of_the_thread_between_two_turns_is_of_one_of_those_that_have_run(rig: Rig) -> None:
    def is_lost() -> End:
        rig.thread_lost()
        return END

    rig.settling.suspect([*suspects("ab"), suspect("c", since=1_001.0)], [])
    rig.turns.outcomes["c"] = [is_lost]
    rig.work()
    # In the new one, nobody has run before `c`, which is asked once.
    assert rig.order == "abcab"
    assert rig.blamed == ["c"]


def test_an_end_of_the_thread_makes_those_that_have_run_suspects_that_had_been_answered(rig: Rig) -> None:
    rig.settling.suspect(suspects("abc"), [])
    rig.turns.outcomes["c"] = [rig.thread_lost]
    rig.work()
    assert rig.order == "abcab"
    assert [turn.watched for turn in rig.turns.all[3:]] == [UNSURE_SECONDS + MARGIN_SECONDS] * 2


def test_an_end_of_the_thread_leaves_the_age_of_older_ones(rig: Rig) -> None:
    old = suspect("a", age=1.5)
    rig.settling.suspect([old, suspect("b")], [])
    rig.turns.outcomes["b"] = [rig.thread_lost]
    rig.work()
    assert rig.order == "aba" and rig.turns.all[2].watched == 1.5 + MARGIN_SECONDS


@pytest.mark.parametrize(
    ("after", "seconds"),
    [(0.2, 0.2 + MARGIN_SECONDS), (30.0, MOST_STANDING_SECONDS + MARGIN_SECONDS)],
)
def test_a_trial_lasts_about_as_long_as_the_thread_stood(rig: Rig, after: float, seconds: float) -> None:
    rig.settle("a")
    rig.turns.outcomes["a"] = [END._replace(after=after)]
    rig.work()
    assert rig.turns.tried == [("a", seconds)]
    assert [module for module, _ in rig.found] == ["m"]


def test_a_trial_keeps_none_of_the_authors_calls_waiting(rig: Rig) -> None:
    rig.settle("a")
    waiting = rig.settling.gate.until_open(message_from("@a:test"), ["m"])
    seen: list[bool] = []
    rig.turns.outcomes["a"] = [END]
    rig.turns.while_tried = lambda: seen.extend([waiting.called, rig.blamed == ["a"]])
    rig.work()
    assert seen == [True, True]


def test_a_trial_acquits_nobody_but_those_that_it_has_set_aside(rig: Rig) -> None:
    rig.quarantine.add(message_from("@z:test"), "m", "x")
    waiting = rig.settle("a")
    rig.turns.outcomes["a"] = [END]
    rig.turns.ends_unasked = True
    rig.work()
    assert isinstance(outcome(waiting), AskAgain)
    assert rig.blamed == ["z"] and rig.found == []


@pytest.mark.parametrize(
    ("asked", "ended", "modules", "found"),
    [
        ("mn", "n", ["n"], "n"),
        ("nm", None, ["m", "n"], None),
        ("mn", "other", ["m", "n"], None),
        ("m", None, ["m"], "m"),
    ],
)
def test_what_is_set_aside_is_for_the_module_that_ran_or_for_all_that_may_have(
    rig: Rig, asked: str, ended: str | None, modules: list[str], found: str | None
) -> None:
    rig.turns.outcomes["a"] = [END._replace(module=ended)]
    rig.search([suspect("a", *asked, since=1_234.5)])
    assert [held.module for held in rig.quarantine.listed()] == modules
    assert rig.found == [(found, 1_234.5)]


@pytest.mark.parametrize(("asked_api", "room"), [(True, "!room:test"), (False, "")])
def test_what_is_set_aside_is_for_the_room_where_the_module_has_seen_more_and_says_why(
    rig: Rig, asked_api: bool, room: str, caplog: pytest.LogCaptureFixture
) -> None:
    rig.turns.outcomes["a"] = [END]
    rig.search([suspect("a", asked_api=asked_api)])
    assert [held.whose for held in rig.quarantine.listed()] == [("author", "@a:test", room)]
    assert "exit code 1" in caplog.text


def test_what_is_set_aside_is_not_asked_again(rig: Rig) -> None:
    rig.quarantine.add(message_from("@a:test"), "n", "x")
    waiting, of_another = rig.settle("a", "m", "n"), rig.settle("a", "other")
    rig.settling.suspect([], suspects("b"))
    rig.work()
    assert rig.order == "ab"
    assert isinstance(outcome(waiting), AskAgain) and outcome(of_another) == REPLY


def test_what_is_set_aside_may_be_nothing_and_then_no_module_answers(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    # As for a question that has no hash.
    monkeypatch.setattr(rig.quarantine, "add", lambda *_, **__: [])
    waiting = rig.settle("a")
    rig.turns.outcomes["a"] = [END]
    rig.work()
    assert reason_of(waiting) == Reason.QUARANTINE


def test_once_it_is_found_those_that_had_been_answered_before_the_same_end_are_not_asked(rig: Rig) -> None:
    rig.turns.outcomes["a"] = [END]
    answered = [suspect("b"), suspect("c", since=1_001.0)]
    assert rig.search(suspects("a"), answered) == "ac"


@pytest.mark.parametrize(("left", "order"), [(2, "abc"), (3, "a")])
def test_once_it_is_found_too_many_others_are_asked_as_usual(
    rig: Rig, left: int, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, "MOST_APART", 2)
    first, *others = rig.wait("abcd"[: left + 1])
    rig.turns.outcomes["a"] = [END]
    rig.work()
    assert rig.order == order and isinstance(outcome(first), AskAgain)
    came = [outcome(other) for other in others]
    assert came == [REPLY] * 2 if left == 2 else all(isinstance(one, AskAgain) for one in came)


@pytest.mark.parametrize(
    ("took", "turns"),
    [(0.0, 1), (UNAWAITED_SECONDS, 1), (UNAWAITED_SECONDS + 0.1, 2)],
)
def test_the_time_of_those_for_whom_nobody_waits_is_a_second_turn_only_if_they_had_run_for_long(
    rig: Rig, took: float, turns: int
) -> None:
    rig.turns.outcomes["a"] = [SILENT] * 5
    assert rig.search([suspect("a", took=took)]) == "a" * turns


def test_the_time_of_those_for_whom_nobody_waits_is_one_long_turn_also_where_somebody_has_waited_before(
    rig: Rig,
) -> None:
    waiting = rig.settle("a")
    rig.settling._line._line[0][-1].since += UNAWAITED_SECONDS + 1

    def is_late() -> str:
        rig.host.time_is_up()
        return SILENT

    rig.turns.outcomes["a"] = [SILENT, is_late, SILENT, SILENT]
    rig.work()
    assert reason_of(waiting) == Reason.DEADLINE
    assert rig.order == "aaa"


@pytest.mark.parametrize(("seconds", "order"), [(0.0, "ab"), (0.5, "a")])
@pytest.mark.parametrize("is_past", [False, True])
def test_the_time_of_those_for_whom_nobody_waits_is_up_after_a_while(
    rig: Rig, time: Time, seconds: float, order: str, is_past: bool
) -> None:
    rig.turns.outcomes["a"] = [lambda: time_passes(time, MOST_UNAWAITED_SECONDS + seconds)]
    answered = [suspect("a", age=0.0), suspect("b", age=0.2)]
    assert rig.search([] if is_past else suspects("ab"), answered if is_past else []) == order


def test_the_time_of_those_for_whom_nobody_waits_is_the_sum_of_all_turns(rig: Rig, time: Time) -> None:
    half = MOST_UNAWAITED_SECONDS / 2 + 0.5
    rig.turns.outcomes |= {who: [lambda: time_passes(time, half)] for who in "abc"}
    assert rig.search(suspects("abc")) == "ab"


def test_the_time_of_those_for_whom_nobody_waits_begins_anew_with_each_end(rig: Rig, time: Time) -> None:
    for _ in range(2):
        rig.turns.outcomes["a"] = [lambda: time_passes(time, MOST_UNAWAITED_SECONDS)]
        assert rig.search(suspects("abc")) == "abc"
        rig.turns.outcomes["a"] = [lambda: time_passes(time, MOST_UNAWAITED_SECONDS + 1)]
        assert rig.search(suspects("abc")) == "a"


def test_the_time_of_those_for_whom_nobody_waits_is_counted_from_the_start_also_where_somebody_has_waited(
    rig: Rig, time: Time
) -> None:
    rig.wait("ab")
    rig.host.time_is_up()
    rig.turns.outcomes |= {who: [lambda: time_passes(time, MOST_UNAWAITED_SECONDS)] for who in "ab"}
    rig.work()
    assert sorted(rig.order) == ["a", "b"]


def test_the_time_of_those_for_whom_nobody_waits_is_not_spent_by_those_for_whom_somebody_does(
    rig: Rig, time: Time
) -> None:
    rig.settle("a")
    rig.turns.outcomes["a"] = [lambda: time_passes(time, 2 * MOST_UNAWAITED_SECONDS)]
    rig.settling.suspect(suspects("u"), [])
    rig.work()
    assert rig.order == "au"


def test_the_time_of_those_for_whom_nobody_waits_once_it_is_up_another_end_drops_those_that_had_been_answered(
    rig: Rig, time: Time
) -> None:
    rig.turns.outcomes["a"] = [lambda: time_passes(time, MOST_UNAWAITED_SECONDS + 1)]

    def ends_again() -> None:
        if rig.host.looks == 2:
            rig.settling.suspect([], suspects("c"))

    rig.host.before_turn = ends_again
    assert rig.search([], suspects("ab")) == "ac"


def test_the_time_of_those_for_whom_nobody_waits_while_it_lasts_another_end_drops_nobody(rig: Rig) -> None:
    def ends_again() -> None:
        if rig.host.looks == 1:
            rig.settling.suspect([], suspects("c"))

    rig.host.before_turn = ends_again
    assert rig.search([], suspects("ab")) == "abc"


def test_a_group_is_watched_after_its_last_one_for_the_age_of_its_oldest(rig: Rig) -> None:
    assert rig.search([], [suspect("a", age=0.3), suspect("b", age=0.4), suspect("c", age=0.2)]) == "abc"
    assert [turn.watched for turn in rig.turns.all] == [0.0, 0.0, 0.4 + MARGIN_SECONDS]


def test_a_group_is_halved_until_the_one_is_alone_who_ends_the_thread(rig: Rig) -> None:
    rig.turns.outcomes["d"] = [END, END, END]
    assert rig.search([], suspects("abcd")) == "abcd" + "ab" + "cd" + "c" + "d"
    assert rig.blamed == ["d"]


@pytest.mark.parametrize(
    ("size", "order"),
    [(2, "ab" + "a" + "b"), (3, "abc" + "ab" + "c"), (4, "abcd" + "ab" + "cd"), (5, "abcde" + "abc" + "de")],
)
def test_a_group_has_two_halves_of_which_the_first_comes_first(rig: Rig, size: int, order: str) -> None:
    whose = "abcde"[:size]
    rig.turns.outcomes[whose[-1]] = [END]
    assert rig.search([], suspects(whose)) == order
    assert rig.blamed == []


def test_a_group_is_of_those_that_may_have_ended_the_thread_alone(rig: Rig) -> None:
    rig.turns.outcomes["b"] = [END, END]
    # Once it is found, nobody is asked who comes later in the group.
    assert rig.search([], suspects("abc")) == "ab" + "a" + "b"
    assert rig.blamed == ["b"]


def test_a_group_is_asked_to_its_end_where_the_thread_has_ended_by_itself(rig: Rig) -> None:
    rig.turns.outcomes |= {"b": [END], "d": [END, END]}
    # Neither `a` nor `b` ends it again.
    assert rig.search([], suspects("abcd")) == "ab" + "a" + "b" + "cd" + "c" + "d"
    assert rig.blamed == ["d"]


def test_a_group_is_asked_to_its_end_where_the_thread_does_not_stand_without_them(rig: Rig) -> None:
    rig.turns.stands = False
    rig.turns.outcomes |= {"a": [END], "c": [END]}
    assert rig.search([], suspects("abc")) == "a" + "bc" + "b" + "c"
    assert rig.blamed == []
    assert len(rig.turns.tried) == 1


def test_a_group_the_rest_of_it_that_is_of_another_end_is_asked_once_one_is_found(rig: Rig) -> None:
    rig.turns.outcomes["a"] = [END]
    assert rig.search([], [*suspects("ab"), suspect("c", since=1_001.0)]) == "ac"
    assert rig.blamed == ["a"]


def test_a_group_is_suspected_of_an_end_of_the_thread_that_is_told_after_its_last_one(rig: Rig) -> None:
    told = iter([rig.thread_lost])
    rig.turns.when_heard = lambda: next(told, lambda: None)()
    rig.turns.outcomes["a"] = [None, END]
    assert rig.search([], suspects("abc")) == "abc" + "a"
    assert rig.blamed == ["a"]


def test_a_group_is_not_asked_to_its_end_where_trials_take_too_long(rig: Rig, time: Time) -> None:
    rig.turns.stands = False
    rig.turns.while_tried = lambda: time_passes(time, MOST_UNAWAITED_SECONDS / 2 + 0.5)
    rig.turns.outcomes |= {who: [END] for who in "abcd"}
    assert rig.search([], suspects("abcd")) == "ab"


def test_a_group_one_alone_who_ends_the_thread_is_blamed_if_it_stands_while_nobody_is_asked(rig: Rig) -> None:
    for number, stands in enumerate((True, False)):
        rig.turns.stands = stands
        rig.turns.outcomes["a"] = [END]
        since = 1_000.0 + number
        assert rig.search([], [suspect("a", age=0.2, since=since)]) == "a"
        assert rig.turns.tried == [("a", 0.2 + MARGIN_SECONDS)] * (number + 1)
        assert rig.blamed == (["a"] if stands else [])
        assert rig.found == ([("m", 1_000.0)])
        rig.quarantine.reloaded(["m"])


def test_a_group_one_alone_who_ends_node_is_blamed_without_a_trial(rig: Rig) -> None:
    rig.turns.stands = False
    rig.turns.outcomes["a"] = [OF_NODE]
    assert rig.search([], suspects("a")) == "a"
    assert rig.turns.tried == [] and rig.blamed == ["a"]


def test_a_group_the_first_half_is_under_no_suspicion_of_the_whole(rig: Rig) -> None:
    rig.turns.outcomes |= {"b": [END], "a": [None, END]}
    assert rig.search([], suspects("ab")) == "aba"
    assert rig.blamed == ["a"]


def test_a_group_that_has_been_watched_is_under_no_suspicion_any_more(rig: Rig) -> None:
    rig.turns.outcomes["b"] = [END]
    assert rig.search([], [suspect("a", age=0.0), suspect("b", age=0.2), suspect("c", age=0.6)]) == "ab"
    assert rig.blamed == ["b"]
    assert rig.search([], [suspect("a", age=0.0, since=1_001.0), suspect("c", age=0.6, since=1_001.0)]) == "ac"


def test_a_group_begins_anew_after_those_for_whom_somebody_waits(rig: Rig) -> None:
    rig.turns.outcomes["a"] = [lambda: rig.settle("w") and None]
    assert rig.search([], suspects("ab")) == "a" + "w" + "ab"


def test_a_group_is_asked_again_after_an_end_of_node_without_the_one_that_was_asked_too_often(rig: Rig) -> None:
    rig.turns.outcomes["a"] = [NodeEnded() for _ in range(9)]
    assert rig.search([], suspects("ab")) == "a" * MOST_IN_VAIN + "b"


def test_a_group_is_asked_again_where_node_ends_while_nobody_is_asked(rig: Rig) -> None:
    rig.turns.outcomes["a"] = [END, END]
    rig.turns.stands = NodeEnded()
    assert rig.search([], suspects("a")) == "aa"
    assert rig.blamed == ["a"]


@pytest.mark.parametrize("others", ["", "b"])
def test_a_group_leaves_out_whom_it_need_not_ask(rig: Rig, others: str) -> None:
    rig.quarantine.add(message_from("@s:test"), "m", "x")
    left_out = [suspect("s"), suspect("i", in_vain=MOST_IN_VAIN), suspect("l", is_slow=True)]
    assert rig.search([], [*left_out, *suspects(others)]) == others


def test_a_group_asks_one_that_was_asked_in_vain_less_often(rig: Rig) -> None:
    assert rig.search([], [suspect("i", in_vain=MOST_IN_VAIN - 1)]) == "i"


def test_suspects_are_completed_and_asked_over_the_same_host_and_entrance_as_other_calls() -> None:
    host: Any = Host()
    door, asked, works = Door(host), list[Any](), list[Any]()
    state = {("m.room.create", ""): object()}
    replies: list[Any] = []

    async def call(method: str, params: Any, deadline: float) -> Any:
        reply = replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply

    async def ask(call: Any, entries: Any, deadline: float, watched: float | None) -> Reply:
        asked.append((call, watched, door.is_closed))
        return REPLY

    async def room_state(room: str) -> Any:
        assert room == "!room:test"
        return state

    host.call = call
    settling = Settling(host, door, Quarantine("test"), ask, works.append, room_state)

    def work() -> None:
        assert outcome(ensureDeferred(works.pop()())) is None

    # Its room's state was not kept.
    about = call_of("check_event_allowed")
    replies.append({"ended": None})
    settling.suspect([Suspect(call=about, entries=[entry("m")], state_room="!room:test")], [])
    work()
    assert asked == [(about, 0.0, False)] and about.params["state_events"] is state
    # The thread ends after the answer to the first one.
    asked.clear()
    first, second = suspect("a"), suspect("b")
    replies += [{"ended": None}, {"ended": {"module": None, "cause": "exit code 1"}}, {"ended": None}]
    settling.suspect([first, second], [])
    work()
    watched = UNSURE_SECONDS + MARGIN_SECONDS
    assert asked == [(first.call, 0.0, False), (second.call, 0.0, False), (first.call, watched, False)]
    # There is no thread.
    asked.clear()
    replies.append(RpcError(ERROR_CODES["module_unavailable"], "it has none", {}))
    waited_for = message_from("@c:test")
    waiting = ensureDeferred(settling.settle(waited_for, [entry("m")], waited_for.deadline))
    work()
    assert asked == [(waited_for, None, True)] and outcome(waiting) == REPLY


def test_whoever_need_not_know_is_told_nothing() -> None:
    host: Any = Host()
    works: list[Any] = []
    settling = Settling(host, Door(host), Quarantine("test"), cast(Any, None), works.append)
    turns = Turns(settling._entrance)
    settling.turns = cast(Any, turns)
    turns.outcomes["a"] = [END]
    settling.suspect(suspects("a"), [])
    assert outcome(ensureDeferred(works.pop()())) is None
