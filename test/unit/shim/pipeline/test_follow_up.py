"""What modules leave for later: after a login, after an iteration of a background update."""

from typing import Any

import pytest
from asking import FAULT, THROWN, Host, answer, calls_over, entry
from counted import count
from fake_synapse import OWN, Api
from synapse.logging.context import run_in_background
from synapse.module_api.errors import SynapseError
from synapse_module_bridge.pipeline.failures import ModuleFault
from synapse_module_bridge.pipeline.follow_up import FollowUps
from synapse_module_bridge.pipeline.pipeline import Pipeline
from synapse_module_bridge.pipeline.router import Router
from synapse_module_bridge.reactor.deadline import DeadlinePassed
from synapse_module_bridge.resilience.policy import Policies
from synapse_module_bridge.schema.catalogue import CALLBACKS
from synapse_module_bridge.schema.on_failure import OnFailure
from synapse_module_bridge.schema.protocol import ERROR_CODES, Reason
from synapse_module_bridge.synapse_hooks.forward import make_forwarder
from synapse_module_bridge.synapse_hooks.logins import with_follow_up
from synapse_module_bridge.synapse_hooks.updates import make_update_forwarder, with_own_sizes
from synapse_module_bridge.transport.rpc import ConnectionGone, RpcError
from synapse_module_bridge.transport.unavailable import Unavailable
from turning import outcome
from twisted.internet.defer import ensureDeferred

LATER = {"module": "m", "id": "7"}
GONE = RpcError(ERROR_CODES["module_unavailable"], "m: not known any more", {"module": "m"})


def router_over(host: Host, name: str, policies: Policies | None = None) -> tuple[Router, Pipeline, FollowUps]:
    calls = calls_over(host, policies)
    calls.entries = {name: [entry("m", index=0)]}
    nobody: Any = None
    return Router(calls, nobody, nobody, nobody), calls, FollowUps(calls.round_trip.exchange, calls.rules)


def log_in(host: Host, policies: Policies | None = None) -> Any:
    callback = CALLBACKS["check_3pid_auth"]
    router, _, follow_ups = router_over(host, callback.name, policies)
    check = make_forwarder(callback, with_follow_up(router.route(callback).answer, follow_ups))
    return outcome(run_in_background(check, "email", "a@b", "secret"))


def after_login(host: Host, response: dict[str, Any], policies: Policies | None = None) -> Any:
    _, after = log_in(host, policies)
    return outcome(ensureDeferred(after(response)))


def test_a_user_alone_is_the_pair_that_synapse_takes() -> None:
    assert log_in(Host(answer("@alice:test"))) == ("@alice:test", None)
    assert log_in(Host(answer(None, None))) is None


def test_edits_of_the_response_are_put_onto_the_very_object_and_leave_the_rest_as_it_was() -> None:
    edited = {"login_response": {"user_id": "@alice:test", "float": 1, "added": True}}
    host = Host(answer(["@alice:test", LATER]), {"edited": edited})
    response = {"user_id": "@alice:test", "float": 1.0, "home_server": "test"}
    assert after_login(host, response) is None
    assert repr(response) == repr({"user_id": "@alice:test", "float": 1.0, "added": True})
    method, params, _ = host.calls[1]
    assert method == "follow_up"
    assert (params["callback"], params["follow_up"]) == ("check_3pid_auth", LATER)


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (ConnectionGone("x"), "down"),
        (Unavailable(Reason.DOWN), "down"),
        (DeadlinePassed(), "deadline"),
        (GONE, "gone"),
        (RpcError(-32603, "x"), "host_error"),
        (ValueError("x"), "params"),
        (None, "reply"),
        ({"edited": {"login_response": None}}, "reply"),
        ({"edited": {"other": {}}}, "reply"),
        ({"edited": [1]}, "reply"),
    ],
)
def test_one_that_cannot_be_run_is_let_go_and_counted_and_the_login_succeeds(failure: Any, reason: str) -> None:
    before = count("calls_total", outcome="policy", reason=f"follow-up: {reason}")
    response = {"user_id": "@alice:test"}
    assert after_login(Host(answer(["@alice:test", LATER]), failure), response) is None
    assert response == {"user_id": "@alice:test"}
    assert count("calls_total", outcome="policy", reason=f"follow-up: {reason}") == before + 1


def test_what_it_throws_fails_the_login_as_in_python() -> None:
    assert isinstance(after_login(Host(answer(["@a:test", LATER]), FAULT), {}), ModuleFault)
    assert isinstance(after_login(Host(answer(["@a:test", LATER]), THROWN), {}), SynapseError)


def test_an_edit_that_no_number_can_be_made_of_is_a_fault_of_the_module_and_changes_nothing() -> None:
    before = count("calls_total", outcome="fault", callback="check_3pid_auth")
    response = {"user_id": "@a:test"}
    host = Host(answer(["@a:test", LATER]), {"edited": {"login_response": {"expires_in_ms": 2**60}}})
    assert isinstance(after_login(host, response), ModuleFault)
    assert response == {"user_id": "@a:test"}
    assert count("calls_total", outcome="fault", callback="check_3pid_auth") == before + 1


def test_a_fault_is_let_go_where_the_admin_says_so() -> None:
    policies = Policies(OnFailure(), {"check_3pid_auth": OnFailure(local="allow", federated="allow")})
    assert after_login(Host(answer(["@a:test", LATER]), FAULT), {}, policies) is None


def iterate(host: Host, error: Exception | None = None) -> Any:
    callback = CALLBACKS["on_update"]
    router, _, follow_ups = router_over(host, callback.name)
    api: Any = Api()
    forwarder = make_update_forwarder(callback, router.route(callback).answer, follow_ups, api)

    async def iteration() -> Any:
        async with forwarder("update", "master", False) as duration:
            if error is not None:
                raise error
            return duration

    return outcome(ensureDeferred(iteration()))


def test_an_iteration_is_one_question_at_its_start_and_one_at_its_end() -> None:
    host = Host(answer([250, LATER]), {"edited": None})
    assert iterate(host) == 250
    assert [method for method, _, _ in host.calls] == ["callback/on_update", "follow_up"]
    assert iterate(Host(answer(250))) == 250


def test_an_iteration_that_fails_has_its_end_too() -> None:
    host = Host(answer([250, LATER]), {"edited": None})
    failure = RuntimeError("the update failed")
    assert iterate(host, failure) is failure
    assert [method for method, _, _ in host.calls] == ["callback/on_update", "follow_up"]


@pytest.mark.parametrize("unanswered", [answer(None, None), ConnectionGone("down"), DeadlinePassed()])
def test_without_an_answer_synapses_own_durations_and_sizes_hold(unanswered: Any) -> None:
    assert iterate(Host(unanswered)) == OWN.update_duration_ms
    api: Any = Api()
    for name, own in [
        ("default_batch_size", OWN.default_background_batch_size),
        ("min_batch_size", OWN.minimum_background_batch_size),
    ]:
        router, _, _ = router_over(Host(unanswered), name)
        ask = make_forwarder(CALLBACKS[name], with_own_sizes(router.route(CALLBACKS[name]).answer, api))
        assert outcome(run_in_background(ask, "update", "master")) == own


def test_an_end_that_cannot_be_run_is_let_go() -> None:
    assert iterate(Host(answer([250, LATER]), GONE)) == 250
