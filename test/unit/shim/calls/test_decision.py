"""Decisions, as log formatters see them."""

import json
import logging

import pytest
from objects import event
from synapse.logging import TerseJsonFormatter
from synapse_module_bridge.calls.decision import Recorded
from synapse_module_bridge.codec.replies import GivenReason, given_reason
from synapse_module_bridge.schema.catalogue import CALLBACKS


def recorded() -> Recorded:
    return Recorded(
        callback=CALLBACKS["check_event_for_spam"],
        params={"event": event()},
        server_name="test",
        started=0.0,
    )


def formatted(caplog: pytest.LogCaptureFixture) -> dict[str, object]:
    [record] = caplog.records
    line = TerseJsonFormatter().format(record)
    assert "\n" not in line
    found: dict[str, object] = json.loads(line)
    return found


def test_synapses_json_formatter_prints_the_fields_of_a_decision_as_keys(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "synapse_module_bridge.decision"):
        recorded().record("refused", "no-links", answer="M_FORBIDDEN")
    found = formatted(caplog)
    the_event = event()
    expected = {
        "callback": "check_event_for_spam",
        "module_name": "no-links",
        "outcome": "refused",
        "answer": "M_FORBIDDEN",
        "user": the_event.sender,
        "room": the_event.room_id,
    }
    assert {key: found.get(key) for key in expected} == expected
    assert isinstance(found["ms"], float)
    assert "reason" not in found


def test_a_decision_of_no_module_has_no_module_in_json(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "synapse_module_bridge.decision"):
        recorded().record("policy", None, reason="deadline")
    found = formatted(caplog)
    assert found["reason"] == "deadline"
    assert "module_name" not in found


def test_the_reason_that_a_module_gives_is_on_record(caplog: pytest.LogCaptureFixture) -> None:
    given = GivenReason("a link to evil.example\nrefused", '{"host":"evil.example"}')
    with caplog.at_level(logging.DEBUG, "synapse_module_bridge.decision"):
        recorded().record("refused", "no-links", given=given)
    [line] = caplog.messages
    assert r"reason='a link to evil.example\\nrefused'" in line and "\n" not in line
    found = formatted(caplog)
    assert found["reason"] == "a link to evil.example\\nrefused"
    assert json.loads(str(found["details"])) == {"host": "evil.example"}


def test_why_policy_answered_goes_before_what_a_module_says(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "synapse_module_bridge.decision"):
        recorded().record("policy", "slow", reason="deadline", given=GivenReason("mine", None))
    assert formatted(caplog)["reason"] == "deadline"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, None),
        ({"given_reason": {"text": "why"}}, GivenReason("why", None)),
        ({"given_reason": {"text": "why", "details": "{}"}}, GivenReason("why", "{}")),
        ({"given_reason": "why"}, None),
        ({"given_reason": {"text": ""}}, None),
        ({"given_reason": {"text": "x" * 200}}, GivenReason("x" * 200, None)),
        ({"given_reason": {"text": "x" * 201}}, None),
        ({"given_reason": {"text": "x", "details": "1" * 1025}}, None),
        ({"given_reason": {"text": "x", "details": {}}}, None),
        ({"given_reason": {"text": "x", "more": 1}}, None),
    ],
)
def test_a_reason_that_does_not_fit_is_left_out(told: dict[str, object], expected: GivenReason | None) -> None:
    assert given_reason(told) == expected


def test_a_text_with_control_characters_stays_one_line_in_json(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "synapse_module_bridge.decision"):
        recorded().record("refused", "a\nb\ud800")
    assert formatted(caplog)["module_name"] == "a\\nb\\ud800"
