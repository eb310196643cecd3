"""What Synapse gets where the host has answered a call with an error, and what goes on record."""

import logging
from collections.abc import Mapping
from typing import Any

import pytest
from asking import FAULT, THROWN, call_of, entry
from objects import event
from on_record import recorded
from synapse.module_api.errors import Codes, SynapseError
from synapse_module_bridge.calls.call import Call
from synapse_module_bridge.pipeline.failures import Final, ModuleFault, StandIn, judge
from synapse_module_bridge.resilience.answer_cache import AnswerCache
from synapse_module_bridge.resilience.policy import Policies
from synapse_module_bridge.schema.on_failure import OnFailure
from synapse_module_bridge.schema.protocol import ERROR_CODES, Reason
from synapse_module_bridge.transport.rpc import INVALID_PARAMS, RpcError
from synapse_module_bridge.transport.unavailable import Unavailable

MODULES = [entry("first"), entry("m"), entry("last")]
SWALLOWS, BY_POLICY = "check_can_deactivate_user", "add_field_to_unsigned_callback"


@pytest.fixture(autouse=True)
def record(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "synapse_module_bridge")


def judged(call: Call, error: RpcError, per_callback: Mapping[str, OnFailure] | None = None) -> StandIn | Final:
    return judge(call, MODULES, error, Policies(OnFailure(), per_callback or {}))


def of_another_server(**fields: Any) -> Call:
    call = call_of("check_event_for_spam", [event(sender="@b:remote", **fields)])
    assert not call.local
    return call


def test_a_synapse_error_of_a_module_reaches_synapse_and_goes_on_record(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(SynapseError) as raised:
        judged(call_of("user_may_invite"), THROWN)
    assert (raised.value.code, raised.value.msg, raised.value.errcode) == (500, "x", Codes.UNKNOWN)
    assert recorded(caplog) == [["module=m", "outcome=error", "answer=500/M_UNKNOWN"]]


def test_a_fault_about_a_local_user_is_an_exception_and_goes_on_record(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ModuleFault, match="m: it threw"):
        judged(call_of("user_may_invite"), FAULT)
    assert recorded(caplog) == [["module=m", "outcome=fault"]]


@pytest.mark.parametrize(
    ("error", "seen"),
    [
        (FAULT, ["module=m", "outcome=fault"]),
        (THROWN, ["module=m", "outcome=error", "answer=500/M_UNKNOWN"]),
    ],
)
def test_where_synapse_would_take_an_exception_for_a_yes_a_throw_refuses(
    error: RpcError, seen: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert judged(call_of(SWALLOWS), error) == Final(False)
    assert recorded(caplog) == [seen]


@pytest.mark.parametrize("name", ["user_may_invite", SWALLOWS])
def test_the_admins_policy_for_the_callback_answers_for_a_fault(name: str, caplog: pytest.LogCaptureFixture) -> None:
    for local in (True, False):
        call = call_of(name)
        call.local = local
        allows = OnFailure(local="allow") if local else OnFailure(federated="allow")
        assert judged(call, FAULT, {name: allows}) == StandIn(1, Reason.FAULT)
    # What a module throws for Synapse to see is no fault.
    allows = OnFailure(local="allow", federated="allow")
    if name != SWALLOWS:
        with pytest.raises(SynapseError):
            judged(call_of(name), THROWN, {name: allows})
    assert [seen for seen in recorded(caplog) if "outcome=fault" in seen] == []


def test_a_policy_for_the_other_side_changes_nothing_about_a_fault() -> None:
    with pytest.raises(ModuleFault):
        judged(call_of("user_may_invite"), FAULT, {"user_may_invite": OnFailure(federated="allow")})


@pytest.mark.parametrize(("error", "reason"), [(FAULT, "fault"), (THROWN, "error")])
def test_where_policy_answers_for_all_faults_it_does_so_for_errors_as_well(
    error: RpcError, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert judged(call_of(BY_POLICY), error) == StandIn(1, Reason(reason))
    assert recorded(caplog) == []


@pytest.mark.parametrize(("error", "seen"), [(FAULT, ModuleFault), (THROWN, SynapseError)])
def test_policy_does_not_answer_for_a_module_that_was_not_asked(error: RpcError, seen: type[Exception]) -> None:
    other = RpcError(error.code, error.message, {**error.data, "module": "other"})
    with pytest.raises(seen):
        judged(call_of(BY_POLICY), other)


def test_a_module_that_was_not_asked_is_not_named(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ModuleFault):
        judged(call_of("user_may_invite"), RpcError(FAULT.code, FAULT.message, {"module": "other"}))
    assert recorded(caplog) == [["module=-", "outcome=fault"]]


def test_a_message_of_another_server_about_which_a_module_fails_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    final = judged(of_another_server(), FAULT)
    assert isinstance(final, Final) and final.answer is Codes.FORBIDDEN
    assert recorded(caplog) == [["module=m", "outcome=fault", "answer=M_FORBIDDEN"]]


def test_of_another_servers_state_the_policy_answers_where_a_module_fails(caplog: pytest.LogCaptureFixture) -> None:
    assert judged(of_another_server(type="m.room.topic", state_key=""), FAULT) == StandIn(1, Reason.FAULT)
    assert recorded(caplog) == []


@pytest.mark.parametrize("told", ["deadline", "down", "quarantine"])
def test_why_a_module_in_a_thread_did_not_answer_is_as_the_host_tells(told: str) -> None:
    data = {"module": "last", "reason": told}
    assert judged(call_of("user_may_invite"), RpcError(ERROR_CODES["module_unavailable"], "x", data)) == StandIn(
        2, Reason(told)
    )


def test_what_else_the_host_tells_is_no_reason() -> None:
    data = {"module": "first", "reason": "because"}
    for code, reason in [(ERROR_CODES["module_unavailable"], "setup"), (-32603, "host_error")]:
        assert judged(call_of("user_may_invite"), RpcError(code, "x", data)) == StandIn(0, Reason(reason))


@pytest.mark.parametrize(("code", "reason"), [(-32603, "host_error"), (INVALID_PARAMS, "params")])
def test_an_error_of_the_host_itself_means_that_no_module_can_answer(
    code: int, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Unavailable) as raised:
        judged(call_of("user_may_invite"), RpcError(code, "it is broken"))
    assert raised.value.reason == reason
    assert caplog.messages == [f"user_may_invite: it is broken (error {code})"]


def test_what_the_module_has_answered_before_is_not_kept() -> None:
    call = call_of("user_may_invite")
    forgotten: list[bytes] = []

    class Cache(AnswerCache):
        def forget(self, question: bytes) -> None:
            forgotten.append(question)

    modules = [entry(name, answer_cache=Cache(1.0, lambda: 0.0, lambda: None)) for name in ("first", "m")]
    question = call.as_question()
    with pytest.raises(ModuleFault):
        judge(call, modules, FAULT, Policies(OnFailure(), {}))
    assert forgotten == [question]
