"""The calls that were answered last: how many of whom are kept as suspects, for how long, and what is kept of them."""

from time import monotonic
from typing import Any

import pytest
from asking import Host, answer, call_of, calls_over, entry
from fake_time import Time
from objects import event
from synapse_module_bridge.calls.call import Call
from synapse_module_bridge.quarantine import suspects as subject
from synapse_module_bridge.quarantine.suspects import RECENT_SECONDS, Recent, Suspect, _Answered
from synapse_module_bridge.schema.catalogue import CALLBACKS
from twisted.internet.defer import Deferred

CALLS = calls_over(Host(answer("NOT_SPAM", None)))
MODULES = [entry("m"), entry("n")]


def invite(who: str, number: int = 0) -> Call:
    """One that can be told from others by its room."""
    return call_of("user_may_invite", [who, "@b:test", f"!{number}:test"])


def taken(recent: Recent, modules: Any = None) -> list[tuple[str, str]]:
    return [(one.call.who, one.call.params["room_id"]) for one in recent.take(CALLS.rules.again, modules)]


def test_only_a_question_that_may_be_asked_again_is_one(time: Time) -> None:
    recent = Recent()
    for name in ("auth_checkers", "user_may_invite"):
        assert CALLBACKS[name].repeatable is (name == "user_may_invite")
        recent.add(call_of(name), MODULES)
    assert [suspect.call.callback.name for suspect in recent.take(CALLS.rules.again)] == ["user_may_invite"]


@pytest.mark.parametrize("of_a_thread", [False, True])
def test_so_many_of_one_user_are_kept_which_came_last(
    of_a_thread: bool, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, "MOST_OF_ONE", 3)
    recent = Recent()
    for who, times in (("@quiet:test", 1), ("@busy:test", 5)):
        for number in range(times):
            time.now += 0.01
            recent.add(invite(who, number), MODULES)
    if of_a_thread:
        # What the other module was asked is kept as before.
        assert len(taken(recent, ["n"])) == 4
    assert list(recent._answered) == ["@quiet:test", "@busy:test"]
    for number in (5, 6):
        recent.add(invite("@busy:test", number), MODULES)
    assert [len(own) for own in recent._answered.values()] == [1, 3]
    assert {room for who, room in taken(recent) if who == "@busy:test"} == {"!4:test", "!5:test", "!6:test"}


def test_of_too_many_users_those_who_had_an_answer_last_are_kept(time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "MOST_WHO", 3)
    recent = Recent()
    for who in ("@a:test", "@b:test", "@c:test"):
        recent.add(invite(who), MODULES)
    assert len(recent._answered) == 3
    # The first is the last now.
    recent.add(invite("@a:test"), MODULES)
    recent.add(invite("@d:test"), MODULES)
    assert list(recent._answered) == ["@c:test", "@a:test", "@d:test"]


def test_what_nobody_would_suspect_any_more_is_let_go_as_others_come(time: Time) -> None:
    recent = Recent()
    for number in range(5):
        recent.add(invite(f"@{number}:test"), MODULES)
    time.now += RECENT_SECONDS
    recent.add(invite("@at the edge:test"), MODULES)
    assert len(recent._answered) == 6
    time.now += 0.25
    recent.add(invite("@new:test"), MODULES)
    assert list(recent._answered) == ["@at the edge:test", "@new:test"]
    for who in ("@newer:test", "@last:test"):
        time.now += 2 * RECENT_SECONDS
        recent.add(invite(who), MODULES)
    assert list(recent._answered) == ["@last:test"]


def test_what_nobody_would_suspect_any_more_of_one_user_is_let_go_as_more_of_them_comes(time: Time) -> None:
    recent = Recent()
    for number, pause in enumerate([0.25, RECENT_SECONDS - 0.25, 0.25, 0.0]):
        recent.add(invite("@a:test", number), MODULES)
        time.now += pause
    # The second was answered as long ago as one may be.
    kept = map(_Answered._make, recent._answered["@a:test"])
    assert [one.params["room_id"] for one in kept] == ["!1:test", "!2:test", "!3:test"]


def test_without_a_rooms_state_there_is_no_room_to_look_it_up_in(time: Time) -> None:
    recent = Recent()
    for name, args in (("check_event_allowed", [event(), {}]), ("user_may_invite", None)):
        call = call_of(name, args)
        recent.add(call, MODULES)
        [suspect] = recent.take(CALLS.rules.again)
        assert (suspect.state_room, suspect.call.params) == (None, call.params)


def test_the_arguments_of_an_older_synapse_which_has_fewer_are_kept_as_they_are(time: Time) -> None:
    recent = Recent()
    recent.add(call_of("user_may_invite", ["@a:test", "@b:test"]), MODULES)
    [suspect] = recent.take(CALLS.rules.again)
    assert suspect.call.params == {"inviter": "@a:test", "invitee": "@b:test"}


def test_a_suspect_is_waited_for_until_it_has_its_answer() -> None:
    waiting: Deferred[Any] = Deferred()
    suspect = Suspect(call=invite("@a:test"), entries=MODULES, answer=waiting)
    assert (suspect.age, suspect.state_room, suspect.is_slow, suspect.in_vain) == (0.0, None, False, 0)
    assert (suspect.asked_api, suspect.had_a_long_turn, suspect.deadline) == (False, False, suspect.call.deadline)
    seen = [suspect.is_waited_for]
    waiting.callback(None)
    seen += [suspect.is_waited_for, Suspect(call=suspect.call, entries=MODULES).is_waited_for]
    assert seen == [True, False, False]


def test_a_suspect_knows_when_it_became_one() -> None:
    before = monotonic()
    suspect = Suspect(call=invite("@a:test"), entries=MODULES)
    assert before <= suspect.since <= monotonic()


def test_a_suspect_tells_how_long_its_call_had_run() -> None:
    call = invite("@a:test")
    call.since = 10.0
    assert Suspect(call=call, entries=MODULES, since=13.5).took == 3.5
