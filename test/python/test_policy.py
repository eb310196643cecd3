"""What is answered where the modules cannot answer."""

from collections.abc import Sequence
from typing import Any

import pytest
from asking import FAULT, Host, answer, ask, calls_over
from objects import event
from rig import count
from synapse.module_api import NOT_SPAM
from synapse.module_api.errors import Codes, SynapseError
from synapse_module_bridge.catalogue import ERROR_CODES
from synapse_module_bridge.deadline import DeadlinePassed
from synapse_module_bridge.policy import OnFailure, Policies
from synapse_module_bridge.rpc import ConnectionGone, RpcError


def outcome_of_outage(name: str, args: Sequence[Any] | None = None, policies: Policies | None = None) -> Any:
    try:
        return ask(name, Host(ConnectionGone("down")), args, policies=policies)
    except SynapseError as e:
        assert e.msg == "policy unavailable"
        return e.code, e.errcode


UNAVAILABLE = (503, Codes.UNKNOWN)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("check_event_for_spam", NOT_SPAM),
        ("should_drop_federated_event", False),
        ("check_username_for_spam", False),
        ("check_event_allowed", UNAVAILABLE),
        ("user_may_join_room", UNAVAILABLE),
        ("check_registration_for_spam", UNAVAILABLE),
        ("check_media_file_for_spam", UNAVAILABLE),
        ("check_login_for_spam", UNAVAILABLE),
        ("on_create_room", UNAVAILABLE),
        ("check_threepid_can_be_invited", False),
        ("check_visibility_can_be_modified", False),
        ("check_can_shutdown_room", False),
        ("check_can_deactivate_user", False),
        ("is_user_expired", None),
        ("on_user_registration", None),
        ("on_user_login", None),
        ("on_legacy_send_mail", UNAVAILABLE),
        ("on_legacy_renew", UNAVAILABLE),
        ("on_legacy_admin_request", UNAVAILABLE),
        ("get_ratelimit_override_for_user", None),
        ("get_media_config_for_user", None),
        ("is_user_allowed_to_upload_media_of_size", UNAVAILABLE),
        ("get_media_upload_limits_for_user", None),
        ("on_media_upload_limit_exceeded", None),
        ("get_users_for_states", {}),
        ("get_interested_users", set()),
        ("is_3pid_allowed", False),
        ("get_username_for_registration", None),
        ("get_displayname_for_registration", None),
    ],
)
def test_an_outage_has_the_documented_answer(name: str, expected: Any) -> None:
    assert outcome_of_outage(name) == expected


def test_an_outage_towards_a_remote_server_is_a_403_that_costs_no_back_off() -> None:
    remote = event(sender="@bob:remote")
    assert outcome_of_outage("check_event_allowed", [remote, {}]) == (403, Codes.FORBIDDEN)
    assert outcome_of_outage("federated_user_may_invite", [remote]) == (403, Codes.FORBIDDEN)


def test_an_outage_keeps_nobody_from_leaving_a_room() -> None:
    leave = event(type="m.room.member", state_key="@alice:test", content={"membership": "leave"})
    kick = event(type="m.room.member", state_key="@bob:test", content={"membership": "leave"})
    assert outcome_of_outage("check_event_allowed", [leave, {}]) == (True, None)
    assert outcome_of_outage("check_event_allowed", [kick, {}]) == UNAVAILABLE


def test_an_outage_lets_rooms_become_private() -> None:
    assert outcome_of_outage("check_visibility_can_be_modified", ["!r", {}, "private"]) is True


UNSET = RpcError(ERROR_CODES["module_unavailable"], "m: not set up", {"module": "m"})
REMOTE = event(sender="@bob:remote")


def test_a_module_that_cannot_answer_is_stood_in_for_and_the_next_is_asked() -> None:
    host = Host(UNSET, answer("M_FORBIDDEN", "n"))
    assert ask("check_event_for_spam", host, modules=["m", "n", "o"]) is Codes.FORBIDDEN
    assert [params["modules"] for _, params, _ in host.calls] == [["m", "n", "o"], ["n", "o"]]


@pytest.mark.parametrize(
    ("modules", "outcomes", "reason", "named", "label"),
    [
        (["m"], [ConnectionGone("down")], "down", "m", "m"),
        (["m", "n"], [DeadlinePassed()], "deadline", "m,n", ""),
        # The first was not set up and has been stood in for.
        (["m", "n"], [UNSET, ConnectionGone("down")], "down", "n", "n"),
        (["m", "n", "o"], [UNSET, ConnectionGone("down")], "down", "n,o", ""),
    ],
)
def test_an_answer_by_policy_names_the_modules_that_were_not_heard(
    modules: list[str], outcomes: list[Any], reason: str, named: str, label: str, caplog: pytest.LogCaptureFixture
) -> None:
    labels = {"callback": "check_event_for_spam", "outcome": "policy", "module": label, "reason": reason}
    before = count("calls_total", **labels)
    with caplog.at_level("INFO"):
        assert ask("check_event_for_spam", Host(*outcomes), modules=modules) is NOT_SPAM
    line = next(line for line in caplog.messages if f"reason={reason}" in line)
    assert line.startswith(f"callback=check_event_for_spam module={named} outcome=policy answer=allow")
    assert count("calls_total", **labels) == before + 1


def test_a_module_that_cannot_answer_ends_the_call_where_policy_does_not_allow() -> None:
    host = Host(UNSET, answer("NOT_SPAM", None))
    with pytest.raises(SynapseError, match="policy unavailable"):
        ask("user_may_invite", host, modules=["m", "n"])
    assert len(host.calls) == 1


def test_a_fault_about_a_remote_event_follows_policy() -> None:
    assert ask("check_event_for_spam", Host(FAULT, answer("NOT_SPAM", None)), [REMOTE]) is NOT_SPAM


def test_a_fault_follows_policy_where_the_admin_has_set_one_for_the_callback() -> None:
    policies = Policies(OnFailure(), {"user_may_invite": OnFailure(local="allow", federated="allow")})
    assert ask("user_may_invite", Host(FAULT), policies=policies) is NOT_SPAM


@pytest.mark.parametrize(
    ("default", "name", "args", "expected"),
    [
        ("allow", "user_may_invite", None, NOT_SPAM),
        ("deny", "user_may_invite", None, (403, Codes.FORBIDDEN)),
        ("defer", "check_event_for_spam", None, UNAVAILABLE),
        ("defer", "check_event_for_spam", [REMOTE], (403, Codes.FORBIDDEN)),
        ("deny", "check_event_for_spam", None, (403, Codes.FORBIDDEN)),
        # It loses the messages of other servers for good: only who names this callback gets it.
        ("deny", "check_event_for_spam", [REMOTE], NOT_SPAM),
        # What a callback cannot express, a setting for all does not change.
        ("deny", "should_drop_federated_event", [REMOTE], False),
        ("defer", "check_can_shutdown_room", None, False),
        ("deny", "is_user_expired", None, None),
        ("deny", "is_user_allowed_to_upload_media_of_size", None, False),
        ("allow", "is_user_allowed_to_upload_media_of_size", None, True),
        ("allow", "on_legacy_renew", None, UNAVAILABLE),
        ("deny", "on_legacy_renew", None, (403, Codes.FORBIDDEN)),
    ],
)
def test_one_policy_for_all_callbacks(default: str, name: str, args: Any, expected: Any) -> None:
    policies = Policies(OnFailure(local=default, federated=default), {})
    assert outcome_of_outage(name, args, policies) == expected


def test_a_policy_for_one_callback_counts_over_all() -> None:
    policies = Policies(
        OnFailure(local="allow", federated="allow"), {"check_event_for_spam": OnFailure(federated="deny")}
    )
    # Raised, it would defer: Synapse would ask for the event again.
    assert outcome_of_outage("check_event_for_spam", [REMOTE], policies) is Codes.FORBIDDEN
    assert outcome_of_outage("check_event_for_spam", None, policies) is NOT_SPAM


def test_a_module_that_keeps_missing_its_deadline_is_not_asked_for_a_while() -> None:
    host = Host(DeadlinePassed())
    calls = calls_over(host)
    for _ in range(8):
        assert ask("check_event_for_spam", host, calls=calls) is NOT_SPAM
    assert len(host.calls) == 5


def test_an_event_that_killed_node_is_not_asked_about_again() -> None:
    host = Host(answer("M_FORBIDDEN"))
    calls = calls_over(host)
    message = event()
    calls.suspects.died({message.event_id})
    assert ask("check_event_for_spam", host, [message], calls=calls) is NOT_SPAM
    assert host.calls == []
    assert ask("check_event_for_spam", host, [event(depth=3)], calls=calls) is Codes.FORBIDDEN
