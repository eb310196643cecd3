"""Whose further calls wait while a suspect of theirs is settled."""

from asking import call_of, message_from
from objects import event
from synapse_module_bridge.quarantine.gate import Gate


def test_an_author_waits_for_the_modules_that_the_suspect_was_asked_of_and_for_no_other() -> None:
    gate = Gate()
    suspect = message_from("@a:test")
    with gate.closed(suspect, ["own", "second"]):
        assert gate.holds(message_from("@a:test"), ["own", "next"])
        # The suspect itself goes on to those after it.
        assert not gate.holds(suspect, ["next"])
        assert not gate.holds(message_from("@b:test"), ["own"])
        assert not gate.holds(call_of("on_new_event", [event(sender="@a:test"), {}]), ["own"])
        opens, at_once = gate.until_open(suspect, ["second"]), gate.until_open(suspect, ["next"])
        with gate.closed(message_from("@a:test"), ["second"]):
            pass
        assert (opens.called, at_once.called) == (False, True)
    assert opens.called and not gate.holds(suspect, ["own"])


def test_who_has_no_author_keeps_nobody_waiting() -> None:
    gate = Gate()
    question = call_of("check_username_for_spam", [{"user_id": "@m:test", "display_name": "x"}, "@a:test"])
    with gate.closed(question, ["own"]):
        assert not gate.holds(question, ["own"])


def test_it_opens_once_the_last_of_several_suspects_is_settled_and_lets_everybody_in_who_still_waits() -> None:
    gate = Gate()
    suspect = message_from("@a:test")
    with gate.closed(suspect, ["own"]):
        first, given_up, last = (gate.until_open(suspect, ["own"]) for _ in range(3))
        given_up.addErrback(lambda _: None)
        given_up.cancel()
        for _ in range(2):
            with gate.closed(suspect, ["own"]), gate.closed(suspect, ["own"]):
                pass
            assert gate.holds(suspect, ["own"])
        assert [first.called, last.called] == [False, False]
    assert [first.called, last.called] == [True, True]
