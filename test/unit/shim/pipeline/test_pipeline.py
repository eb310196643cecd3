"""What Synapse gets for one call, which modules are asked about it, and what goes on record."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from asking import ASKED, FAULT, RAISES, SWALLOWS, THROWN, Host, answer, ask, call_of, calls_over, entry, message_from
from counted import count
from fake_time import Time
from objects import event
from on_record import recorded
from synapse.module_api import NOT_SPAM
from synapse.module_api.errors import Codes, SynapseError
from synapse.spam_checker_api import RegistrationBehaviour
from synapse_module_bridge.calls.call import Call
from synapse_module_bridge.calls.decision import Really
from synapse_module_bridge.pipeline.failures import ModuleFault
from synapse_module_bridge.pipeline.pipeline import Pipeline
from synapse_module_bridge.resilience.answer_cache import AnswerCache
from synapse_module_bridge.resilience.circuit_breaker import LONGEST_PROBE_SECONDS, MISSES_TO_OPEN, CircuitBreaker
from synapse_module_bridge.resilience.policy import Policies
from synapse_module_bridge.routing.entry import Entry
from synapse_module_bridge.schema.catalogue import CALLBACKS
from synapse_module_bridge.schema.modes import OFF
from synapse_module_bridge.schema.on_failure import OnFailure
from synapse_module_bridge.schema.protocol import ERROR_CODES, Reason
from synapse_module_bridge.transport.framing import TooLarge
from synapse_module_bridge.transport.rpc import RpcError
from synapse_module_bridge.transport.unavailable import Unavailable
from turning import outcome
from twisted.internet.defer import ensureDeferred

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


def test_an_answer_that_synapse_would_not_take_is_a_fault_that_names_module_and_callback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(ModuleFault, match="m: check_event_allowed: the replacement changes type") as raised:
        ask("check_event_allowed", Host(answer({"type": "m.other", "content": {}})))
    assert caplog.messages[0] == str(raised.value)


def test_registration_gets_synapses_own_member() -> None:
    assert ask("check_registration_for_spam", Host(answer("shadow_ban"))) is RegistrationBehaviour.SHADOW_BAN


def unset(module: str) -> RpcError:
    """The host's error where a module's setup has failed."""
    return RpcError(ERROR_CODES["module_unavailable"], f"{module}: not set up", {"module": module})


def asked(host: Host) -> list[str]:
    """The modules of each request, whose names have one letter."""
    return ["".join(params["modules"]) for _, params, _ in host.calls]


def decided(calls: Pipeline, call: Call, entries: Sequence[Entry]) -> Any:
    """What Synapse gets; an exception is returned."""
    return outcome(ensureDeferred(calls.ask(call, entries)))


def open_breaker(of: Entry, who: str) -> None:
    for _ in range(MISSES_TO_OPEN):
        of.breaker.missed(time.monotonic(), who)


@pytest.fixture
def record(caplog: pytest.LogCaptureFixture) -> Callable[[], list[list[str]]]:
    """What goes on record, also where no module objects."""
    caplog.set_level("DEBUG", "synapse_module_bridge.decision")
    return lambda: recorded(caplog)


Record = Callable[[], list[list[str]]]


def test_a_decision_goes_on_record_with_what_the_module_says_of_it(record: Record) -> None:
    ask("user_may_invite", Host({**answer("M_FORBIDDEN"), "given_reason": {"text": "links"}}))
    assert record() == [["module=m", "outcome=refused", "answer=M_FORBIDDEN", "reason=links"]]


def creation(content: dict[str, Any]) -> list[Any]:
    """The arguments about a room that is being created."""
    return [call_of("on_create_room").params["requester"], content, False]


@pytest.mark.parametrize(
    ("reply", "content", "seen"),
    [
        (answer({"name": "x"}, "n"), {"name": "x"}, ["module=n", "outcome=edited"]),
        (answer(None, None), {}, ["module=-", "outcome=allowed"]),
    ],
)
def test_what_edits_come_to_goes_on_record_once_also_where_nobody_edits(
    reply: Any, content: Any, seen: list[str], record: Record
) -> None:
    edited: dict[str, Any] = {}
    assert ask("on_create_room", Host(reply), creation(edited), modules="mno") is None
    assert (edited, record()) == (content, [seen])


def test_all_who_may_edit_are_asked_and_who_cannot_be_is_not_passed_over() -> None:
    host = Host(answer({"name": "x"}, "a"))
    calls = calls_over(host)
    call, entries = call_of("on_create_room", creation({}), calls), [entry("a"), entry("b")]
    open_breaker(entries[1], call.who)
    assert isinstance(decided(calls, call, entries), SynapseError)
    assert asked(host) == ["a"]


@pytest.mark.parametrize("modules", ["m", "mn"])
def test_a_login_that_no_module_takes_is_left_to_the_next_by_the_last_that_was_asked(
    modules: str, record: Record
) -> None:
    assert ask("auth_checkers", Host(answer(None, None)), modules=modules) is None
    assert record() == [[f"module={modules[-1]}", "outcome=left"]]


def test_a_login_that_policy_leaves_to_the_next_is_on_record_once(record: Record) -> None:
    assert ask("auth_checkers", Host(unset("m"))) is None
    assert record() == [["module=m", "outcome=policy", "answer=allow", "reason=setup"]]


def test_policy_stands_in_for_the_module_that_fails_and_those_after_it_are_asked(record: Record) -> None:
    host = Host(unset("b"), answer("NOT_SPAM", None))
    assert ask("check_event_for_spam", host, modules="abcd") is NOT_SPAM
    assert asked(host) == ["abcd", "cd"]
    assert record() == [["module=b", "outcome=policy", "answer=allow", "reason=setup"]]


def test_a_call_that_policy_does_not_allow_ends_with_the_module_that_fails(record: Record) -> None:
    host = Host(unset("b"))
    with pytest.raises(SynapseError, match="policy unavailable"):
        ask("user_may_invite", host, modules="abc")
    assert asked(host) == ["abc"]
    assert record() == [["module=b", "outcome=policy", "answer=defer", "reason=setup"]]


@pytest.mark.parametrize("who", ["@alice:test", "@bob:test"])
def test_a_module_whose_breaker_is_open_for_a_user_is_passed_over_for_that_user(who: str, record: Record) -> None:
    host = Host(answer("NOT_SPAM", None))
    calls, entries = calls_over(host), [entry("a"), entry("b"), entry("c")]
    open_breaker(entries[1], "@alice:test")
    assert decided(calls, message_from(who), entries) is NOT_SPAM
    if who == "@alice:test":
        assert asked(host) == ["a", "c"]
        assert record() == [["module=b", "outcome=policy", "answer=allow", "reason=breaker"]]
    else:
        assert asked(host) == ["abc"]


def test_a_module_with_a_ttl_uses_up_no_probe_before_it_is_its_turn() -> None:
    host, clock = Host(answer("NOT_SPAM", None)), Time()
    kept = AnswerCache(600, clock, lambda: None)
    entries = [entry("a"), entry("b", breaker=CircuitBreaker("b", clock), answer_cache=kept)]
    for _ in range(MISSES_TO_OPEN):
        entries[1].breaker.missed(clock.now, "@alice:test")
    clock.now += LONGEST_PROBE_SECONDS
    assert decided(calls_over(host), message_from("@alice:test"), entries) is NOT_SPAM
    assert asked(host) == ["a", "b"]


def test_the_breakers_that_are_open_are_told() -> None:
    calls = calls_over(Host(None))
    assert calls.open_breakers() == set()
    shut, opened = entry("a"), entry("b")
    open_breaker(opened, "@alice:test")
    calls.entries = {"user_may_invite": [shut, opened], "user_may_create_room": [entry("c")]}
    assert calls.open_breakers() == {opened.breaker}


NAME = {"user_id": "@m:test", "display_name": "bad"}


@pytest.mark.parametrize(
    ("name", "args", "local", "answered"),
    [
        ("check_event_for_spam", [event()], True, "deny"),
        ("check_event_for_spam", [event(sender="@bob:remote")], False, "deny"),
        # It comes back from another server: a refusal would lose it.
        ("check_event_for_spam", [event()], False, "allow"),
        # A question has no author, who would be refused.
        ("check_username_for_spam", [NAME, "@alice:test"], True, "allow"),
    ],
)
def test_who_is_set_aside_is_refused_unless_that_would_lose_an_event_of_ours(
    name: str, args: Any, local: bool, answered: str, record: Record
) -> None:
    host = Host(answer(CALLBACKS[name].passes, None))
    calls, entries = calls_over(host), [entry("a"), entry("b"), entry("c")]
    calls.round_trip.quarantine.add(call_of(name, args), "b", "exit code 1")
    call = call_of(name, args)
    call.local = local
    decided(calls, call, entries)
    assert asked(host) == (["a", "c"] if answered == "allow" else ["a"])
    assert record() == [["module=b", "outcome=policy", f"answer={answered}", "reason=quarantine"]]


def test_who_is_not_set_aside_is_asked_about_as_before() -> None:
    host = Host(answer("NOT_SPAM", None))
    calls, entries = calls_over(host), [entry("a"), entry("b")]
    calls.round_trip.quarantine.add(message_from("@bob:test"), "b", "exit code 1")
    assert decided(calls, message_from("@alice:test"), entries) is NOT_SPAM
    assert asked(host) == ["ab"]


def test_the_modules_for_which_an_author_is_set_aside_are_told() -> None:
    calls, entries = calls_over(Host(None)), [entry("a"), entry("b")]
    assert calls.set_aside(message_from("@alice:test"), entries) == []
    calls.round_trip.quarantine.add(message_from("@alice:test"), "b", "exit code 1")
    assert calls.set_aside(message_from("@alice:test"), entries) == entries[1:]
    assert calls.set_aside(message_from("@bob:test"), entries) == []


class SwitchesOff(Host):
    """While a first request is under way, the module a is switched off."""

    calls_of: Pipeline

    def call(self, *args: Any) -> Any:
        self.calls_of.modes.update({"a": OFF}, {})
        return super().call(*args)


@pytest.mark.parametrize(
    "failure", [None, RpcError(FAULT.code, "a: it threw", {"module": "a"}), Unavailable(Reason.DOWN)]
)
def test_a_module_that_was_switched_off_before_or_while_it_was_asked_is_out_of_the_call(
    failure: Exception | None, record: Record
) -> None:
    refused = answer("M_FORBIDDEN", "b")
    host = SwitchesOff(refused) if failure is None else SwitchesOff(failure, refused)
    calls = host.calls_of = calls_over(host)
    if failure is None:
        calls.modes.update({"a": OFF}, {})
    assert ask("user_may_invite", host, modules="abc", calls=calls) is Codes.FORBIDDEN
    assert asked(host)[-1] == "bc" and len(host.calls) == (1 if failure is None else 2)
    assert record() == [["module=b", "outcome=refused", "answer=M_FORBIDDEN"]]


def test_the_time_of_a_call_is_counted_and_shadow_modules_get_to_know_what_it_came_to() -> None:
    for reply, known in ((answer("M_FORBIDDEN"), "refused"), (answer("NOT_SPAM", None), "allowed"), (FAULT, "fault")):
        before = count("call_seconds_count", callback="user_may_invite")
        calls = calls_over(Host(reply))
        call = call_of("user_may_invite", calls=calls)
        call.really = Really()
        decided(calls, call, [entry("m")])
        assert call.really.outcome == known
        assert count("call_seconds_count", callback="user_may_invite") == before + 1


def test_a_traced_call_is_asked_within_a_span_of_its_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    host, modules = Host(answer("M_FORBIDDEN")), [entry("m"), entry("n")]
    spans: list[Any] = []

    @contextmanager
    def traced(call: Call, entries: Sequence[Entry]) -> Iterator[None]:
        spans.append((entries, len(host.calls)))
        yield
        spans.append(len(host.calls))

    monkeypatch.setattr(Call, "traced", traced)
    calls = calls_over(host)
    answered = outcome(ensureDeferred(calls.ask_traced(call_of("user_may_invite", calls=calls), modules)))
    assert (answered, spans) == (Codes.FORBIDDEN, [(modules, 0), 1])
