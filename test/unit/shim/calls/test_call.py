"""The state of one call, and the rules by which it begins."""

import pytest
from asking import Host, call_of, calls_over
from objects import event
from synapse.logging.context import LoggingContext  # type: ignore[attr-defined] # LoggingContext is Rust's now

STATE = {("m.room.create", ""): event(type="m.room.create", state_key="")}


def test_a_call_begins_with_its_time_its_user_and_its_request() -> None:
    with LoggingContext(name="GET-7", server_name="test"):
        call = call_of("check_event_for_spam")
    assert (call.local, call.who, call.request) == (True, "@alice:test", "GET-7")
    assert call.since == call.started and call.deadline == pytest.approx(call.since + 1)
    assert call_of("check_event_for_spam").request is None


def test_a_call_like_one_that_has_ended_has_all_of_its_time_again() -> None:
    ended = call_of("check_event_for_spam", [event(sender="@eve:remote")])
    ended.since = ended.started = ended.deadline = 0.0
    rules = calls_over(Host(None)).rules
    again = rules.again(ended.callback, ended.params, ended.local, ended.who, "GET-7", "@bob:test")
    assert (again.callback, again.params, again.local, again.who) == (ended.callback, ended.params, False, "remote")
    assert (again.request, again.uploader) == ("GET-7", "@bob:test")
    assert again.deadline == pytest.approx(again.since + 2) and again.since > 0


@pytest.mark.parametrize(("sent", "expected"), [(0.0, True), (4.9, True), (5.0, True), (5.1, False), (10.0, False)])
def test_a_module_had_time_if_it_was_asked_in_the_first_half(sent: float, expected: bool) -> None:
    call = call_of("check_event_for_spam")
    call.since, call.deadline = 0.0, 10.0
    assert call.had_time_from(sent) is expected


def test_only_a_rooms_state_is_too_large_to_be_kept() -> None:
    call = call_of("check_event_allowed", [event(), STATE])
    params, room = call.without_state()
    assert (params, room) == ({**call.params, "state_events": {}}, event().room_id)
    assert call.params["state_events"] is STATE
    message = call_of("check_event_for_spam")
    assert message.without_state() == (message.params, None)
