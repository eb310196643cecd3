"""The protocol as data: names that are not declared, and what of a host's messages fits."""

import json
from typing import Any

import pytest
from nested import nested
from prometheus_client import CollectorRegistry, Counter, generate_latest
from synapse_module_bridge.schema.installed import SCHEMAS_FOLDER
from synapse_module_bridge.schema.protocol import Reason, fits, method_name, method_prefix, record_kind
from synapse_module_bridge.transport.unavailable import Unavailable

DECLARED: dict[str, Any] = json.loads((SCHEMAS_FOLDER / "protocol.json").read_text())


def test_a_name_that_is_not_declared_fails_where_it_is_looked_up() -> None:
    assert (method_name("initialize"), method_prefix("api/"), record_kind("ends")) == ("initialize", "api/", "ends")
    for look_up, name in [(method_name, "initialise"), (method_prefix, "apis/"), (record_kind, "end")]:
        with pytest.raises(KeyError, match=r"protocol\.json has no"):
            look_up(name)


def test_the_reasons_are_those_that_are_declared() -> None:
    assert {reason.value for reason in Reason} == set(DECLARED["reasons"])


@pytest.mark.parametrize("reason", list(Reason))
def test_a_reason_is_its_label_wherever_a_text_is_wanted(reason: Reason) -> None:
    label = str(reason)
    assert type(label) is str and label == reason.value == str(Unavailable(reason))
    assert (f"{reason}", repr(reason), json.dumps(reason)) == (label, repr(label), f'"{label}"')
    assert {(reason, 1)} == {(label, 1)}
    registry = CollectorRegistry()
    Counter("calls", "Calls.", ["reason"], registry=registry).labels(reason).inc()
    assert f'calls_total{{reason="{label}"}} 1.0'.encode() in generate_latest(registry)


MODULE = {"name": "m", "callbacks": {}, "web_resources": []}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DeclaredModule", MODULE),
        ("DeclaredModule", {**MODULE, "from_a_newer_host": 1}),
        ("DeclaredModule", {**MODULE, "callbacks": {"check_event_for_spam": {"ttl": "5s", "match": {"local": True}}}}),
        ("StartupProblems", [{"path": ["modules", 0], "message": "x"}]),
        ("Pulse", {}),
        ("Pulse", {"memory": {"rss": 1}, "not_set_up": ["m"], "threads": []}),
        ("FollowUpReply", {}),
        ("FollowUpReply", {"edited": {"login_response": {}}}),
        ("WebAnswer", {"status": 200, "headers": [["a", "b"]], "body": ""}),
        ("SetUpApartReply", {"ended": {"module": None, "cause": "exit code 1"}}),
    ],
)
def test_what_a_host_may_send_fits(name: str, value: Any) -> None:
    assert fits(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("DeclaredModule", {**MODULE, key: 5}) for key in ["name", "callbacks", "web_resources", "files"]),
        ("DeclaredModule", {**MODULE, "callbacks": {"auth_checkers": {"checkers": [{"login_type": "x"}]}}}),
        ("StartupProblems", [{"path": [None], "message": "x"}]),
        ("StartupProblems", [{"path": []}]),
        ("Pulse", {"memory": []}),
        ("Pulse", {"memory": {"rss": 1.5}}),
        ("Loading", {"index": True, "name": "m"}),
        ("Loading", {"index": 1.0, "name": "m"}),
        ("ThreadEnded", {"modules": ["m"], "module": 5, "cause": "x"}),
        ("SetUpReply", {"failed": {"m": None}}),
        ("FollowUpReply", {"edited": nested("lists", 5_000)}),
        ("WebAnswer", {"status": 600, "headers": [], "body": ""}),
        ("WebAnswer", {"status": 200, "headers": [["a"]], "body": ""}),
    ],
)
def test_what_no_host_sends_does_not_fit(name: str, value: Any) -> None:
    assert not fits(name, value)
