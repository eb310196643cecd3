"""Answers that are neither verdicts nor edits, as Synapse takes them, and events that are not as usual."""

import sys
from types import SimpleNamespace
from typing import Any

import pytest
from nested import nested
from objects import event
from synapse_module_bridge.codec.codec import Unfit, decode_answer, encode_event, with_any_digits

ASKED_OF_IT = ("event_id", "room_id", "room_version")
LATER = {"module": "m", "id": "1"}


@pytest.mark.parametrize(
    ("result", "answer", "expected"),
    [
        ("Authenticated", None, None),
        ("Authenticated", "@alice:test", ("@alice:test", None)),
        ("Authenticated", ["@alice:test", LATER], ("@alice:test", LATER)),
        ("UpdateDuration", None, (None, None)),
        ("UpdateDuration", 100, (100, None)),
        # JSON knows no difference.
        ("UpdateDuration", 100.0, (100, None)),
        ("UpdateDuration", [100.0, LATER], (100, LATER)),
        ("BatchSize", None, None),
        ("BatchSize", 5, 5),
        ("BatchSize", 5.0, 5),
    ],
)
def test_a_login_or_a_step_of_a_background_update_is_decoded(result: str, answer: Any, expected: Any) -> None:
    assert repr(decode_answer(result, answer, {})) == repr(expected)


@pytest.mark.parametrize(
    ("result", "answer", "told"),
    [
        ("BatchSize", "5", "an answer that is no BatchSize (str)"),
        ("Nothing", [], "an answer that is no Nothing (list)"),
    ],
)
def test_an_answer_of_another_type_is_refused_by_both_types(result: str, answer: Any, told: str) -> None:
    with pytest.raises(Unfit) as raised:
        decode_answer(result, answer, {})
    assert str(raised.value) == told


def test_an_event_of_an_older_synapse_that_is_nested_too_deeply_to_be_written_can_be_replaced_all_the_same() -> None:
    message = event()
    pdu = {**message.get_dict(), "content": {"deep": nested("lists", 600)}}
    deep: Any = SimpleNamespace(get_dict=lambda: pdu, **{name: getattr(message, name) for name in ASKED_OF_IT})
    answered = {"content": {"deep": nested("lists", 600), "n": 1}}
    assert decode_answer("EventAllowedVerdict", answered, {"event": deep}) == (True, {**pdu, **answered})
    with pytest.raises(Unfit, match=r"^the replacement's content\.deep\[0\]\[0\].* is nested deeper than 500 levels"):
        decode_answer("EventAllowedVerdict", answered, {"event": message})


def test_a_python_that_bounds_no_numbers_reads_events_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(sys, "get_int_max_str_digits")
    monkeypatch.delattr(sys, "set_int_max_str_digits")
    assert with_any_digits(lambda: "read") == "read"
    assert encode_event(event())["content"] == {"body": "hello", "msgtype": "m.text"}
