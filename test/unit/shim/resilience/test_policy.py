"""Which policy holds for a call, by itself, and what stands for it."""

from typing import Any

import pytest
from asking import call_of
from objects import event
from synapse.module_api.errors import Codes, SynapseError
from synapse_module_bridge.resilience.policy import Policies, no_objection, soft_failure
from synapse_module_bridge.schema.catalogue import CALLBACKS
from synapse_module_bridge.schema.on_failure import OnFailure, expressible

LOCAL, REMOTE = event(), event(sender="@bob:remote")
REMOTE_STATE = event(sender="@bob:remote", type="m.room.topic", state_key="")


def chosen(policies: Policies, name: str, args: Any = None, *, local: bool = True, **how: bool) -> str:
    call = call_of(name, args)
    coroutine: Any = policies.choose(call.callback, call.params, local=local, **how)
    with pytest.raises(StopIteration) as done:
        coroutine.send(None)
    policy: str = done.value.value
    return policy


@pytest.mark.parametrize("policy", ["allow", "deny", "defer"])
def test_a_setting_for_all_callbacks_is_that_of_the_calls_side(policy: str) -> None:
    other = "deny" if policy == "allow" else "allow"
    for local in (True, False):
        policies = Policies(
            OnFailure(**{"local": other, "federated": other, "local" if local else "federated": policy}), {}
        )
        assert chosen(policies, "user_may_invite", local=local) == policy


@pytest.mark.parametrize(
    ("asked", "local", "refused", "else_chosen"),
    [
        (LOCAL, True, "deny", "allow"),
        (REMOTE, False, "deny", "allow"),
        # No code keeps state from anybody: it would be lost for good.
        (REMOTE_STATE, False, "allow", "allow"),
    ],
)
def test_what_its_author_kept_from_being_judged_does_not_pass_whatever_is_set(
    asked: Any, local: bool, refused: str, else_chosen: str
) -> None:
    allow = OnFailure(local="allow", federated="allow")
    for policies in (Policies(allow, {}), Policies(OnFailure(), {"check_event_for_spam": allow})):
        assert chosen(policies, "check_event_for_spam", [asked], local=local, refuse=True) == refused
        assert chosen(policies, "check_event_for_spam", [asked], local=local) == else_chosen


@pytest.mark.parametrize(
    ("name", "args", "local", "code"),
    [
        ("check_event_for_spam", [REMOTE], False, "M_FORBIDDEN"),
        ("check_event_for_spam", [REMOTE_STATE], False, None),
        ("check_event_for_spam", [LOCAL], True, None),
        ("should_drop_federated_event", [REMOTE], False, None),
        ("user_may_invite", None, False, None),
    ],
)
def test_only_a_message_of_another_server_is_kept_back_by_a_code(
    name: str, args: Any, local: bool, code: str | None
) -> None:
    call = call_of(name, args)
    assert soft_failure(call.callback, call.params, local=local) == code


@pytest.mark.parametrize(
    ("name", "policies"),
    [
        ("check_event_for_spam", ["allow", "deny", "defer"]),
        ("check_can_shutdown_room", ["allow", "deny"]),
        ("on_legacy_renew", ["deny", "defer"]),
        ("on_new_event", ["allow"]),
    ],
)
def test_a_callback_can_tell_synapse_some_policies(name: str, policies: list[str]) -> None:
    assert expressible(CALLBACKS[name]) == policies


def test_where_there_must_be_an_answer_and_no_module_has_one_a_client_is_told() -> None:
    with pytest.raises(SynapseError) as raised:
        no_objection(CALLBACKS["on_legacy_renew"], {})
    assert (raised.value.code, raised.value.errcode, raised.value.msg) == (503, Codes.UNKNOWN, "policy unavailable")


@pytest.mark.parametrize(("name", "expected"), [("get_users_for_states", {}), ("get_interested_users", set())])
def test_an_answer_that_synapse_may_change_is_made_for_each_call(name: str, expected: Any) -> None:
    first, second = (no_objection(CALLBACKS[name], {}) for _ in range(2))
    assert first == second == expected and first is not second


def test_that_the_room_directory_cannot_be_read_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(room_id: str) -> bool:
        raise RuntimeError("the database is down")

    assert chosen(Policies(OnFailure(), {}, broken), "user_may_publish_room", local=True) == "defer"
    [record] = caplog.records
    assert record.message == "cannot find out whether a room is in the room directory"
    assert "the database is down" in str(record.exc_info)
