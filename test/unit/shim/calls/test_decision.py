"""What is recorded of a call: a line, also as log formatters see it, and a count, without content."""

import json
import logging

import attr
import pytest
from asking import Host, call_of, calls_over, sample
from counted import count
from objects import event
from synapse.logging import TerseJsonFormatter
from synapse_module_bridge.calls.call import Call
from synapse_module_bridge.calls.decision import Decision, Ledger, Really, summarise
from synapse_module_bridge.codec.replies import GivenReason, given_reason
from synapse_module_bridge.schema.catalogue import CALLBACKS
from synapse_module_bridge.supervision.versions import Version


def recorded(ledger: Ledger | None = None) -> Call:
    rules = attr.evolve(calls_over(Host(None)).rules, ledger=ledger)
    return rules.begin(CALLBACKS["check_event_for_spam"], {"event": event()})


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


@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO])
def test_that_all_modules_have_passed_is_counted_and_only_told_at_debug(
    level: int, caplog: pytest.LogCaptureFixture
) -> None:
    one, really = recorded(), Really()
    one.really = really
    before = count("calls_total", callback="check_event_for_spam", outcome="allowed", module="")
    with caplog.at_level(level, "synapse_module_bridge.decision"):
        one.allowed()
    one.finish()
    assert count("calls_total", callback="check_event_for_spam", outcome="allowed", module="") == before + 1
    assert ["outcome=allowed" in message for message in caplog.messages] == [True] * (level == logging.DEBUG)
    assert (really.is_known, really.outcome) == (True, "allowed")


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


SECRET = "a secret"


@pytest.mark.parametrize("name", CALLBACKS)
def test_a_ledger_gets_ids_and_nothing_that_anybody_wrote(name: str) -> None:
    kept: list[Decision] = []
    written = {"user_id": SECRET, "display_name": SECRET, "name": SECRET}
    given: dict[str, object] = {
        "Event": event(content={"body": SECRET, "displayname": SECRET}),
        "RoomId": "!r:test",
    }
    args = [
        given.get(param.type, SECRET if value == "text" else written if value == {} else value)
        for param, value in zip(CALLBACKS[name].params, sample(CALLBACKS[name]), strict=True)
    ]
    call = call_of(name, args)
    call.ledger = Ledger(kept.append)
    call.record("refused", "m", "M_FORBIDDEN")
    [decision] = kept
    assert SECRET not in repr(decision)
    ids = (decision.user, decision.room, decision.event)
    assert all(value is None or value[0] in "@!$" for value in ids)
    assert any(ids) == bool(CALLBACKS[name].subject or CALLBACKS[name].room)


@pytest.mark.parametrize(
    ("outcome", "is_kept"),
    [
        ("allowed", False),
        ("answered", False),
        ("left", False),
        ("would_allow", False),
        ("would_answer", False),
        ("refused", True),
        ("replaced", True),
        ("edited", True),
        ("policy", True),
        ("fault", True),
        ("error", True),
        ("would_refuse", True),
        ("would_replace", True),
        ("would_edit", True),
        ("would_fault", True),
        ("would_error", True),
        ("would_policy", True),
    ],
)
def test_a_ledger_gets_the_decisions_that_count(outcome: str, is_kept: bool) -> None:
    kept: list[Decision] = []
    recorded(Ledger(kept.append)).record(outcome, "m")
    assert bool(kept) == is_kept


def test_a_decision_has_the_version_and_the_reason_of_the_module_that_made_it() -> None:
    kept: list[Decision] = []
    ledger = Ledger(kept.append, {"m": Version("old", "c")})
    one = recorded(ledger)
    # A reload, while the call is under way.
    ledger.versions = {"m": Version("new", "c")}
    one.record("refused", "m", "M_FORBIDDEN", given=GivenReason("why", "{}"))
    one.record("policy", ["m", "n"], "allow", "down", given=GivenReason("why", None))
    first, second = kept
    assert (first.version, first.reason, first.details) == (Version("old", "c"), "why", "{}")
    assert (second.module, second.version, second.reason) == ("m,n", None, "down")
    assert first.really is None


def test_what_was_really_decided_is_the_last_of_a_call() -> None:
    call = call_of("user_may_invite")
    really = call.really = Really()
    call.record("policy", "m", "allow", "deadline")
    call.record("refused", "n")
    assert not really.is_known
    call.finish()
    assert (really.is_known, really.outcome) == (True, "refused")
