"""What is answered where the modules cannot answer."""

from collections.abc import Sequence
from typing import Any

import pytest
from asking import FAULT, Host, answer, ask, calls_over
from counted import count
from objects import event
from synapse.module_api import NOT_SPAM
from synapse.module_api.errors import Codes, SynapseError
from synapse_module_bridge.reactor.deadline import DeadlinePassed
from synapse_module_bridge.resilience.policy import Policies
from synapse_module_bridge.schema.on_failure import OnFailure
from synapse_module_bridge.schema.protocol import ERROR_CODES
from synapse_module_bridge.transport.rpc import ConnectionGone, RpcError


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


def member(sender: str, state_key: str, membership: str = "leave") -> Any:
    return event(type="m.room.member", sender=sender, state_key=state_key, content={"membership": membership})


def state_of(event_type: str, **content: str) -> list[Any]:
    return [event(type=event_type, state_key="", content=content), {}]


ALICE, BOB = "@alice:test", "@bob:test"
ROOM = "!room:test"
# What it is that somebody leaves, or makes private, and who is asked about it.
SPARED = [
    ("check_event_allowed", [member(ALICE, ALICE), {}]),
    ("check_event_for_spam", [member(ALICE, ALICE)]),
    ("check_event_for_spam", [member("@bob:remote", "@bob:remote")]),
    ("user_may_send_state_event", [ALICE, ROOM, "m.room.member", ALICE, {"membership": "leave"}]),
    ("check_event_allowed", state_of("m.room.join_rules", join_rule="invite")),
    ("check_event_allowed", state_of("m.room.history_visibility", history_visibility="joined")),
    ("check_event_for_spam", state_of("m.room.join_rules", join_rule="invite")[:1]),
    ("user_may_send_state_event", [ALICE, ROOM, "m.room.join_rules", "", {"join_rule": "invite"}]),
    ("check_visibility_can_be_modified", [ROOM, {}, "private"]),
    ("user_may_publish_room", [ALICE, "!published:test"]),
]
NOT_SPARED = [
    ("check_event_allowed", [member(ALICE, BOB), {}]),
    ("check_event_allowed", [member(ALICE, ALICE, "join"), {}]),
    ("user_may_send_state_event", [ALICE, ROOM, "m.room.member", BOB, {"membership": "leave"}]),
    ("check_event_for_spam", state_of("m.room.join_rules", join_rule="public")[:1]),
    ("check_visibility_can_be_modified", [ROOM, {}, "public"]),
    ("user_may_publish_room", [ALICE, ROOM]),
]


async def is_published(room_id: str) -> bool:
    assert room_id in ("!published:test", ROOM)
    return room_id == "!published:test"


def policies_of(name: str, policy: str | None, *, for_all: bool) -> Policies:
    """Set for all callbacks, for this one, or not at all."""
    both = OnFailure(local=policy, federated=policy)
    return Policies(both, {}, is_published) if for_all else Policies(OnFailure(), {name: both}, is_published)


@pytest.mark.parametrize("for_all", [False, True])
@pytest.mark.parametrize("policy", [None, "deny", "defer"])
@pytest.mark.parametrize(("name", "args"), SPARED)
def test_no_policy_keeps_anybody_from_leaving_or_anything_from_becoming_private(
    name: str, args: list[Any], policy: str | None, for_all: bool
) -> None:
    answers = {"check_event_allowed": (True, None), "check_visibility_can_be_modified": True}
    assert outcome_of_outage(name, args, policies_of(name, policy, for_all=for_all)) == answers.get(name, NOT_SPAM)


@pytest.mark.parametrize(("name", "args"), NOT_SPARED)
def test_all_else_follows_the_policy(name: str, args: list[Any]) -> None:
    refused = False if name == "check_visibility_can_be_modified" else (403, Codes.FORBIDDEN)
    assert outcome_of_outage(name, args, policies_of(name, "deny", for_all=False)) == refused


def test_where_it_cannot_be_told_whether_a_room_is_published_the_policy_counts() -> None:
    async def broken(room_id: str) -> bool:
        raise RuntimeError("the database is down")

    policies = Policies(OnFailure(), {}, broken)
    assert outcome_of_outage("user_may_publish_room", [ALICE, ROOM], policies) == UNAVAILABLE


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


UNFIT = answer({"no": "verdict"})
REMOTE_STATE = event(sender="@bob:remote", type="m.room.topic", state_key="")


@pytest.mark.parametrize("wide", [None, "allow"])
@pytest.mark.parametrize("failure", [FAULT, UNFIT])
def test_a_module_that_fails_about_a_remote_message_is_no_way_past_it(
    failure: Any, wide: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    policies = Policies(OnFailure(local=wide, federated=wide), {})
    host = Host(failure, answer("NOT_SPAM", None))
    with caplog.at_level("INFO"):
        assert ask("check_event_for_spam", host, [REMOTE], modules=["m", "n"], policies=policies) is Codes.FORBIDDEN
    assert len(host.calls) == 1
    assert "callback=check_event_for_spam module=m outcome=fault answer=M_FORBIDDEN" in caplog.text


@pytest.mark.parametrize("failure", [FAULT, UNFIT])
def test_about_remote_state_and_where_there_is_no_code_to_answer_it_follows_policy(failure: Any) -> None:
    assert ask("check_event_for_spam", Host(failure, answer("NOT_SPAM", None)), [REMOTE_STATE]) is NOT_SPAM
    assert ask("should_drop_federated_event", Host(failure, answer(False, None)), [REMOTE]) is False


@pytest.mark.parametrize(("policy", "expected"), [("allow", NOT_SPAM), ("deny", Codes.FORBIDDEN)])
def test_what_the_admin_has_set_for_the_callback_holds_about_remote_messages_as_well(
    policy: str, expected: Any
) -> None:
    policies = Policies(OnFailure(), {"check_event_for_spam": OnFailure(federated=policy)})
    assert ask("check_event_for_spam", Host(FAULT, answer("NOT_SPAM", None)), [REMOTE], policies=policies) is expected


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
