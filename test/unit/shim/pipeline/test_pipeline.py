"""What Synapse gets for one call."""

import pytest
from asking import ASKED, FAULT, RAISES, SWALLOWS, THROWN, Host, answer, ask
from objects import event
from synapse.module_api.errors import SynapseError
from synapse.spam_checker_api import RegistrationBehaviour
from synapse_module_bridge.pipeline.failures import ModuleFault
from synapse_module_bridge.resilience.policy import Policies
from synapse_module_bridge.schema.catalogue import CALLBACKS
from synapse_module_bridge.schema.on_failure import OnFailure
from synapse_module_bridge.schema.protocol import ERROR_CODES
from synapse_module_bridge.transport.framing import TooLarge
from synapse_module_bridge.transport.rpc import RpcError

ALLOWED = {name: OnFailure(local="allow") for name in CALLBACKS}


# Nobody is kept from a deactivation, which carries nothing that its author could make too large.
TOO_LARGE = [name for name in ASKED if CALLBACKS[name].set_aside == "deny" and "deny" in CALLBACKS[name].on_failure]


@pytest.mark.parametrize("name", [name for name in ASKED if CALLBACKS[name].passable])
def test_a_call_that_no_module_wants_is_no_objection_and_no_round_trip(name: str) -> None:
    host = Host(AssertionError("must not be called"))
    ask(name, host, modules=[])
    assert host.calls == []


@pytest.mark.parametrize("policies", [None, Policies(OnFailure(local="allow"), {}), Policies(OnFailure(), ALLOWED)])
@pytest.mark.parametrize("name", TOO_LARGE)
def test_what_a_client_has_made_too_large_to_be_judged_is_refused(
    name: str, policies: Policies | None, caplog: pytest.LogCaptureFixture
) -> None:
    deny = CALLBACKS[name].on_failure["deny"]
    host = Host(TooLarge("has too many bytes"))
    with caplog.at_level("INFO"):
        if deny == "raise":
            with pytest.raises(SynapseError, match=r"^403: policy unavailable"):
                ask(name, host, policies=policies)
        else:
            assert ask(name, host, policies=policies) == deny["answer"]
    assert f"callback={name} module=m outcome=policy answer=deny reason=too_large" in caplog.text


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


@pytest.mark.parametrize("name", RAISES)
def test_a_module_fault_is_an_exception(name: str) -> None:
    with pytest.raises(ModuleFault, match="it threw"):
        ask(name, Host(FAULT))


@pytest.mark.parametrize("name", SWALLOWS)
@pytest.mark.parametrize("error", [FAULT, THROWN])
def test_where_synapse_swallows_exceptions_a_throw_refuses(name: str, error: RpcError) -> None:
    assert ask(name, Host(error)) is False


def test_an_answer_that_synapse_would_not_take_is_a_fault_that_names_module_and_callback() -> None:
    with pytest.raises(ModuleFault, match="m: check_event_allowed: the replacement changes type"):
        ask("check_event_allowed", Host(answer({"type": "m.other", "content": {}})))


def test_registration_gets_synapses_own_member() -> None:
    assert ask("check_registration_for_spam", Host(answer("shadow_ban"))) is RegistrationBehaviour.SHADOW_BAN
