"""What is recorded of a call: a line, also as log formatters see it, and a count, without content."""

import json
import logging

import pytest
from asking import call_of
from counted import count
from objects import event
from synapse.logging import TerseJsonFormatter
from synapse_module_bridge.calls.decision import Recorded, summarise
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


@pytest.mark.parametrize(
    ("callback", "answer", "decided", "expected"),
    [
        ("check_event_for_spam", "NOT_SPAM", False, ("allowed", None)),
        ("check_event_for_spam", "M_FORBIDDEN", True, ("refused", "M_FORBIDDEN")),
        ("check_event_for_spam", "words of a user", True, ("refused", None)),
        ("check_event_for_spam", ["M_FORBIDDEN", {"a": 1}], True, ("refused", "M_FORBIDDEN")),
        ("check_event_allowed", False, True, ("refused", None)),
        ("check_event_allowed", {"content": {}}, True, ("replaced", None)),
        ("on_create_room", {"name": "x"}, True, ("edited", None)),
        ("on_create_room", None, False, ("allowed", None)),
        ("get_displayname_for_registration", "Alice", True, ("answered", None)),
    ],
)
def test_an_answer_is_summed_up_without_what_a_user_wrote(
    callback: str, answer: object, decided: bool, expected: tuple[str, str | None]
) -> None:
    assert summarise(CALLBACKS[callback], answer, decided=decided) == expected


def test_a_decision_is_one_line_with_the_ids_of_what_it_was_about(caplog: pytest.LogCaptureFixture) -> None:
    call = call_of("check_event_for_spam", [event(sender="@eve:remote", content={"body": "a secret"})])
    with caplog.at_level("INFO", "synapse_module_bridge.decision"):
        call.record("refused", "policy", "M_FORBIDDEN")
    [line] = caplog.messages
    sent = call.params["event"]
    assert line.startswith(
        "callback=check_event_for_spam module=policy outcome=refused answer=M_FORBIDDEN "
        f"room={sent.room_id} user=@eve:remote event={sent.event_id} ms="
    )
    assert "secret" not in line


def test_what_a_user_wrote_begins_no_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    call = call_of("user_may_create_room", ["@a:test\ncallback=x", {}])
    with caplog.at_level("INFO", "synapse_module_bridge.decision"):
        call.record("refused", "m")
    assert len(caplog.messages) == 1 and "\n" not in caplog.messages[0]


@pytest.mark.parametrize(("module", "label"), [("m", "m"), (["m"], "m"), (["m", "n"], ""), ([], ""), (None, "")])
def test_each_decision_is_counted_by_the_one_module_that_made_it(module: str | list[str] | None, label: str) -> None:
    labels = {"callback": "user_may_invite", "module": label, "outcome": "policy", "reason": "down"}
    before = count("calls_total", **labels)
    call_of("user_may_invite").record("policy", module, "allow", "down")
    assert count("calls_total", **labels) == before + 1
