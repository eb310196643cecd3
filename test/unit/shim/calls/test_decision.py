"""Decisions, as log formatters see them."""

import json
import logging

import pytest
from objects import event
from synapse.logging import TerseJsonFormatter
from synapse_module_bridge.calls.decision import Recorded
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


def test_a_text_with_control_characters_stays_one_line_in_json(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "synapse_module_bridge.decision"):
        recorded().record("refused", "a\nb\ud800")
    assert formatted(caplog)["module_name"] == "a\\nb\\ud800"
