"""The functions that Synapse calls, over a host that answers as each test says."""

import inspect
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from objects import event
from synapse.module_api import NOT_SPAM
from synapse.module_api.errors import Codes, SynapseError
from synapse.spam_checker_api import RegistrationBehaviour
from synapse.types import RoomAlias, UserID, create_requester
from synapse_module_bridge.calls import Calls, ModuleFault, Rules
from synapse_module_bridge.catalogue import CALLBACKS, ERROR_CODES, Callback
from synapse_module_bridge.config import Timeout
from synapse_module_bridge.deadline import DeadlinePassed
from synapse_module_bridge.forward import make_forwarder
from synapse_module_bridge.match import lookup
from synapse_module_bridge.open_calls import OpenCalls
from synapse_module_bridge.policy import OnFailure, Policies
from synapse_module_bridge.questions import Entry
from synapse_module_bridge.rpc import ConnectionGone, RpcError

ASKED = [name for name, callback in CALLBACKS.items() if callback.forwarded and not callback.notify]
SWALLOWS = [name for name in ASKED if CALLBACKS[name].swallows]


class Host:
    """Answers the calls with these outcomes in turn, the last one again and again; an exception is raised."""

    def __init__(self, *outcomes: Any) -> None:
        self.outcomes = list(outcomes)
        self.calls: list[tuple[str, Any, float]] = []

    async def until_up(self, deadline: float) -> None:
        pass

    def add_deadline(self, deferred: Any, deadline: float) -> None:
        raise AssertionError("nothing waits in line")

    async def call(self, method: str, params: Mapping[str, Any], deadline: float, on_late: Any = None) -> Any:
        self.calls.append((method, params, deadline - time.monotonic()))
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def answer(value: Any, module: str | None = "m") -> dict[str, Any]:
    return {"answer": value, "module": module, "asked": []}


def is_local(callback: Callback, params: Mapping[str, Any]) -> bool:
    subject = lookup(params, callback.subject) if callback.subject else None
    return not isinstance(subject, str) or subject.endswith(":test")


def calls_over(host: Host, policies: Policies | None = None) -> Calls:
    rules = Rules(
        server_name="test",
        is_local=is_local,
        timeout=Timeout(local=1_000, federated=2_000),
        callback_timeouts={},
        policies=policies or Policies(OnFailure(), {}),
    )
    return Calls(host, OpenCalls(), rules)


def ask(
    name: str,
    host: Host,
    args: Sequence[Any] | None = None,
    *,
    modules: Sequence[str] = ("m",),
    policies: Policies | None = None,
    calls: Calls | None = None,
) -> Any:
    """What Synapse gets from a callback that some modules have declared."""
    callback = CALLBACKS[name]
    calls = calls or calls_over(host, policies)
    calls.entries = {name: [Entry(module=module, matches=lambda _: True, room_state=[]) for module in modules]}
    call, entries = calls.begin(callback, sample(callback) if args is None else args)
    coroutine: Any = calls.ask(call, entries)
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("the fake host never waits")


def sample(callback: Callback) -> list[Any]:
    """Arguments as Synapse passes them, about a local user."""
    values: dict[str, Any] = {
        "Event": event(),
        "StateEvents": {("m.room.create", ""): event(type="m.room.create", state_key="")},
        "UserId": "@alice:test",
        "RoomAlias": RoomAlias("a", "test"),
        "Requester": create_requester(UserID("alice", "test")),
        "FileWrapper": type("FileWrapper", (), {"path": "/file"})(),
        "FileInfo": type(
            "FileInfo", (), {"server_name": None, "file_id": "f", "url_cache": False, "thumbnail": None}
        )(),
        "RequestInfo": [("agent", "1.2.3.4")],
        "Flag": True,
    }
    by_param = {"new_visibility": "public", "user_profile": {"user_id": "@bob:test"}}
    return [
        by_param.get(param.name, values.get(param.type, {} if param.type.endswith("Config") else "text"))
        for param in callback.params
    ]


@pytest.mark.parametrize("name", [name for name, callback in CALLBACKS.items() if callback.forwarded])
def test_a_forwarder_has_the_callbacks_name_and_signature(name: str) -> None:
    callback = CALLBACKS[name]
    forwarder = make_forwarder(callback, nobody)
    assert forwarder.__qualname__ == f"ModuleBridge.{name}"
    assert list(inspect.signature(forwarder).parameters) == [param.name for param in callback.params]
    assert inspect.iscoroutinefunction(forwarder)


async def nobody(callback: Callback, args: Sequence[Any]) -> None:
    raise AssertionError("must not be called")


@pytest.mark.parametrize("name", ASKED)
def test_a_call_that_no_module_wants_is_no_objection_and_no_round_trip(name: str) -> None:
    host = Host(AssertionError("must not be called"))
    ask(name, host, modules=[])
    assert host.calls == []


@pytest.mark.parametrize("name", ASKED)
def test_parameters_travel_by_name(name: str) -> None:
    callback = CALLBACKS[name]
    host = Host(answer(None if callback.result == "Edits" else callback.passes, None))
    ask(name, host)
    [(method, params, seconds)] = host.calls
    assert method == f"callback/{name}"
    assert list(params["params"]) == [param.name for param in callback.params]
    assert params["modules"] == ["m"]
    assert seconds == pytest.approx(1, abs=0.5)


def test_an_older_synapse_passes_fewer_parameters_and_a_newer_one_more() -> None:
    host = Host(answer("NOT_SPAM", None))
    assert ask("user_may_create_room", host, ["@alice:test"]) is NOT_SPAM
    assert ask("user_may_create_room", host, ["@alice:test", {}, "new"]) is NOT_SPAM
    assert [list(params["params"]) for _, params, _ in host.calls] == [["user_id"], ["user_id", "room_config"]]


def test_a_call_about_a_remote_user_has_the_federated_deadline() -> None:
    host = Host(answer("NOT_SPAM", None))
    ask("check_event_for_spam", host, [event(sender="@bob:remote")])
    assert host.calls[0][2] == pytest.approx(2, abs=0.5)


def test_a_synapse_error_is_raised_as_it_was_thrown() -> None:
    data = {"module": "m", "code": 429, "msg": "slow", "errcode": "M_CUSTOM", "additional_fields": {"a": 1, "msg": 2}}
    with pytest.raises(SynapseError) as raised:
        ask("user_may_invite", Host(RpcError(ERROR_CODES["synapse_error"], "slow", data)))
    assert (raised.value.code, raised.value.msg, raised.value.errcode) == (429, "slow", "M_CUSTOM")
    # A field named `msg` would keep Synapse from ever answering the request.
    assert raised.value.error_dict(None) == {"errcode": "M_CUSTOM", "error": "slow", "a": 1}


FAULT = RpcError(ERROR_CODES["module_fault"], "m: it threw", {"module": "m"})
THROWN = RpcError(
    ERROR_CODES["synapse_error"],
    "x",
    {"module": "m", "code": 500, "msg": "x", "errcode": "M_UNKNOWN", "additional_fields": {}},
)


@pytest.mark.parametrize("name", [name for name in ASKED if name not in SWALLOWS])
def test_a_module_fault_is_an_exception(name: str) -> None:
    with pytest.raises(ModuleFault, match="it threw"):
        ask(name, Host(FAULT))


@pytest.mark.parametrize("name", SWALLOWS)
@pytest.mark.parametrize("error", [FAULT, THROWN])
def test_where_synapse_swallows_exceptions_a_throw_refuses(name: str, error: RpcError) -> None:
    assert ask(name, Host(error)) is False


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


def test_an_answer_that_synapse_would_not_take_is_a_fault_that_names_module_and_callback() -> None:
    with pytest.raises(ModuleFault, match="m: check_event_allowed: the replacement changes type"):
        ask("check_event_allowed", Host(answer({"type": "m.other", "content": {}})))


def test_registration_gets_synapses_own_member() -> None:
    assert ask("check_registration_for_spam", Host(answer("shadow_ban"))) is RegistrationBehaviour.SHADOW_BAN


@pytest.mark.parametrize("reply", [None, [], "x", {}, {"module": "m"}])
def test_a_reply_of_the_wrong_shape_is_unavailability(reply: Any) -> None:
    assert ask("check_event_for_spam", Host(reply)) is NOT_SPAM


UNSET = RpcError(ERROR_CODES["module_unavailable"], "m: not set up", {"module": "m"})
REMOTE = event(sender="@bob:remote")


def test_a_module_that_cannot_answer_is_stood_in_for_and_the_next_is_asked() -> None:
    host = Host(UNSET, answer("M_FORBIDDEN", "n"))
    assert ask("check_event_for_spam", host, modules=["m", "n", "o"]) is Codes.FORBIDDEN
    assert [params["modules"] for _, params, _ in host.calls] == [["m", "n", "o"], ["n", "o"]]


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
