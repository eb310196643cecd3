"""What is known of the calls that the host is working on."""

import time
from typing import Any

import pytest
from asking import call_of, entry
from objects import event
from synapse_module_bridge.calls import open_calls as subject
from synapse_module_bridge.calls.open_calls import OpenCall, OpenCalls

STATE = {("m.room.create", ""): event(type="m.room.create", state_key="")}


def opened(name: str = "check_event_allowed") -> OpenCall:
    call = OpenCall(name, ["m"])
    call.asked = call_of(name, [event(), STATE]), [entry("m")]
    call.state = STATE
    return call


def test_a_call_is_made_once_and_only_if_it_is_looked_up() -> None:
    calls, made = OpenCalls(), []

    def make() -> OpenCall:
        made.append(opened())
        return made[-1]

    handle = calls.open(make)
    assert (made, calls.under_way, len(calls)) == ([], True, 1)
    assert calls.get(handle) is calls.get(handle) is made[0]
    calls.close(handle)
    assert (calls.get(handle), calls.under_way) == (None, False)


@pytest.mark.parametrize("handle", [None, "1", 1.5, [], 2, -1])
def test_a_handle_that_is_none_finds_nothing(handle: Any) -> None:
    calls = OpenCalls()
    calls.open(opened())
    assert calls.get(handle) is None


def test_an_expired_call_answers_no_question_and_keeps_no_state() -> None:
    calls = OpenCalls()
    original = opened()
    handle = calls.open(original)
    expired = calls.expire(handle)
    assert (calls.get(handle), calls.under_way, calls.unfinished()) == (None, False, [expired])
    assert expired.state is None and expired.state_room == event().room_id
    assert expired.asked is not None and expired.asked[0].params["state_events"] == {}
    # A lookup that is under way still has it.
    assert original.state is STATE
    assert expired.ended_at <= time.monotonic()
    assert calls.finished_late(handle) is expired
    assert calls.finished_late(handle) is None


def test_of_calls_that_never_end_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "MOST_EXPIRED", 2)
    calls = OpenCalls()
    first, *others = [calls.open(opened()) for _ in range(3)]
    for handle in (first, *others):
        calls.expire(handle)
    assert calls.finished_late(first) is None
    assert len(calls.unfinished()) == 2


def test_a_line_of_the_log_names_those_that_have_run_longest() -> None:
    calls, now = OpenCalls(), time.monotonic()
    assert calls.describe() == "nothing was running"
    for number in range(7):
        calls.open(OpenCall(f"call{number}", ["a", "b"], now - number))
    text = calls.describe()
    assert text.startswith("running: call6 of a, b for 6.0 s, call5 of a, b for 5.0 s")
    assert text.endswith(" and 2 more") and "call1 " not in text


def test_one_that_cannot_be_made_does_not_keep_the_others_from_being_named() -> None:
    def fails() -> OpenCall:
        raise KeyError

    calls = OpenCalls()
    calls.open(fails)
    calls.open(OpenCall("call", ["m"]))
    assert calls.describe().startswith("running: call of m for 0.")
