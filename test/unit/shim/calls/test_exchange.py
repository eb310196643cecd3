"""How a request gets to the host, what its caller is told, and that nothing of it is left."""

import time
from collections.abc import Mapping
from typing import Any

import pytest
from asking import Host
from synapse.logging.context import (  # type: ignore[attr-defined] # LoggingContext is of Rust now
    SENTINEL_CONTEXT,
    LoggingContext,
    current_context,
    set_current_context,
)
from synapse_module_bridge.calls.again import AskAgain
from synapse_module_bridge.calls.exchange import Exchange, HostRequest
from synapse_module_bridge.calls.open_calls import OpenCall, OpenCalls
from synapse_module_bridge.reactor.deadline import DeadlinePassed
from synapse_module_bridge.schema.protocol import Reason
from synapse_module_bridge.transport.framing import TooLarge
from synapse_module_bridge.transport.rpc import ConnectionGone, RpcError
from synapse_module_bridge.transport.unavailable import Unavailable
from turning import outcome
from twisted.internet.defer import CancelledError, Deferred, ensureDeferred

PLACE = (True, "@a:test")


class Waits(Host):
    """Answers when the test says, and lets time pass for those who wait when the test says."""

    def __init__(self) -> None:
        super().__init__(None)
        self.asked: list[tuple[str, Mapping[str, Any], float]] = []
        self.answer: Deferred[Any] = Deferred()
        self.late: Any = None
        self.waited: list[tuple[Deferred[Any], float]] = []

    async def within(self, deferred: Any, deadline: float) -> Any:
        self.waited.append((deferred, deadline))
        return await deferred

    def call(self, method: str, params: Any, deadline: float, on_late: Any = None) -> "Deferred[Any]":
        self.asked.append((method, params(), deadline))
        self.late = on_late
        return self.answer


class Request(HostRequest):
    name, method = "a request", "do/it"

    def __init__(self, place: tuple[bool, str] | None = None, *, outlives: bool = False, ahead: bool = False) -> None:
        self.deadline = time.monotonic() + 60
        self.place, self.outlives_its_caller, self.goes_ahead = place, outlives, ahead
        self.waits: Deferred[None] | None = None
        self.events: list[Any] = []

    def opened(self) -> OpenCall:
        return OpenCall(self.name, ["m"], self.since)

    def params(self) -> Mapping[str, Any]:
        return {"call": self.handle}

    def held_back(self) -> "Deferred[None] | None":
        return self.waits

    def expired(self) -> None:
        self.events.append("expired")

    def answered_late(self, answer: Any) -> None:
        self.events.append((self.handle, answer))


class Rig:
    def __init__(self) -> None:
        self.host = Waits()
        self.open_calls = OpenCalls()
        self.exchange = Exchange(self.host, self.open_calls)

    def send(self, request: HostRequest) -> "Deferred[Any]":
        return ensureDeferred(self.exchange.send(request))

    @property
    def places_taken(self) -> int:
        return self.exchange.entrance.backpressure.in_flight

    @property
    def is_clear(self) -> bool:
        return self.places_taken == 0 and not self.open_calls.under_way


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.mark.parametrize("place", [None, PLACE])
def test_a_request_is_known_and_has_its_place_until_the_host_has_answered(
    place: tuple[bool, str] | None, rig: Rig
) -> None:
    request, before = Request(place), time.monotonic()
    sent = rig.send(request)
    [(method, params, deadline)] = rig.host.asked
    assert (method, deadline) == ("do/it", request.deadline)
    opened = rig.open_calls.get(params["call"])
    assert opened is not None and opened.what == "a request of m"
    assert before <= opened.since == request.since <= time.monotonic()
    assert rig.places_taken == (0 if place is None else 1)
    rig.host.answer.callback("done")
    assert outcome(sent) == "done"
    assert rig.is_clear


@pytest.mark.parametrize("outlives", [True, False])
def test_only_a_request_that_outlives_its_caller_gets_a_late_answer(outlives: bool, rig: Rig) -> None:
    request = Request(outlives=outlives)
    rig.send(request)
    [(_, params, _)] = rig.host.asked
    if outlives:
        rig.host.late("the answer")
        assert request.events == [(params["call"], "the answer")]
    else:
        assert rig.host.late is None


@pytest.mark.parametrize("outlives", [True, False])
def test_one_whose_time_is_up_is_unavailable_and_known_to_the_end_if_it_outlives_its_caller(
    outlives: bool, rig: Rig
) -> None:
    request = Request(PLACE, outlives=outlives)
    sent = rig.send(request)
    rig.host.answer.errback(DeadlinePassed())
    failed = outcome(sent)
    assert isinstance(failed, Unavailable) and failed.reason == Reason.DEADLINE
    assert request.events == (["expired"] if outlives else [])
    assert [opened.name for opened in rig.open_calls.unfinished()] == (["a request"] if outlives else [])
    assert rig.is_clear


@pytest.mark.parametrize("outlives", [True, False])
def test_one_that_its_caller_gives_up_has_not_expired_and_may_still_be_a_suspect(outlives: bool, rig: Rig) -> None:
    request = Request(PLACE, outlives=outlives)
    sent = rig.send(request)
    sent.cancel()
    assert isinstance(outcome(sent), CancelledError)
    assert request.events == []
    assert [opened.name for opened in rig.open_calls.unfinished()] == (["a request"] if outlives else [])
    assert rig.is_clear


@pytest.mark.parametrize("error", [RpcError(-32603, "x"), ConnectionGone("x"), TooLarge("x")])
def test_other_failures_are_told_as_they_are(error: Exception, rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    sent = rig.send(Request(PLACE, outlives=True))
    rig.host.answer.errback(error)
    assert outcome(sent) is error
    assert rig.is_clear and rig.open_calls.unfinished() == [] and caplog.messages == []


def test_a_parameter_that_cannot_be_sent_is_logged(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    sent = rig.send(Request(PLACE))
    rig.host.answer.errback(ValueError("NaN is no JSON"))
    failed = outcome(sent)
    assert isinstance(failed, Unavailable) and failed.reason == Reason.PARAMS
    assert caplog.messages == ["a request: a parameter cannot be sent: NaN is no JSON"]
    assert rig.is_clear


@pytest.mark.parametrize("place", [None, PLACE])
def test_a_request_waits_until_the_entrance_is_open(place: tuple[bool, str] | None, rig: Rig) -> None:
    rig.exchange.entrance.close()
    request = Request(place)
    sent = rig.send(request)
    assert (rig.host.asked, rig.places_taken, rig.open_calls.under_way) == ([], 0, False)
    rig.exchange.entrance.open()
    assert len(rig.host.asked) == 1
    rig.host.answer.callback("done")
    assert outcome(sent) == "done"
    assert rig.is_clear


@pytest.mark.parametrize("place", [None, PLACE])
def test_a_request_waits_at_the_entrance_no_longer_than_its_time_lasts(
    place: tuple[bool, str] | None, rig: Rig
) -> None:
    rig.exchange.entrance.close()
    request = Request(place)
    request.deadline = time.monotonic() - 1
    sent = rig.send(request)
    [(waits, deadline)] = rig.host.waited
    assert deadline == request.deadline
    waits.errback(DeadlinePassed())
    failed = outcome(sent)
    assert isinstance(failed, Unavailable) and failed.reason == Reason.DEADLINE
    assert rig.is_clear and rig.host.asked == []


def test_one_that_finds_out_what_has_ended_node_goes_ahead(rig: Rig) -> None:
    rig.exchange.entrance.close()
    rig.send(Request(ahead=True))
    assert len(rig.host.asked) == 1


def test_one_that_is_held_back_leaves_its_place_and_decides_anew_once_it_may(rig: Rig) -> None:
    request = Request(PLACE)
    request.waits = Deferred()
    sent = rig.send(request)
    assert rig.is_clear and not sent.called
    assert rig.host.waited == [(request.waits, request.deadline)]
    request.waits.callback(None)
    assert isinstance(outcome(sent), AskAgain)
    assert rig.host.asked == [] and rig.is_clear


def test_one_that_is_held_back_leaves_the_others_known(rig: Rig) -> None:
    rig.send(Request(PLACE))
    [(_, params, _)] = rig.host.asked
    held_back = Request((True, "@b:test"))
    held_back.waits = Deferred()
    rig.send(held_back)
    assert rig.open_calls.get(params["call"]) is not None


def test_one_that_is_held_back_until_its_time_is_up_is_unavailable(rig: Rig) -> None:
    request = Request(PLACE)
    request.waits = Deferred()
    sent = rig.send(request)
    request.waits.errback(DeadlinePassed())
    failed = outcome(sent)
    assert isinstance(failed, Unavailable) and failed.reason == Reason.DEADLINE


def test_a_request_is_held_back_by_nothing_and_makes_nothing_of_a_late_answer_unless_its_kind_says_so(
    rig: Rig,
) -> None:
    class Plain(HostRequest):
        name, method = "plain", "do/it"
        deadline = time.monotonic() + 60

        def params(self) -> Mapping[str, Any]:
            return {}

    sent = rig.send(Plain())
    assert len(rig.host.asked) == 1 and rig.host.late is None and rig.places_taken == 0
    rig.host.answer.callback("done")
    assert outcome(sent) == "done"
    rig.exchange.entrance.close()
    rig.send(Plain())
    assert len(rig.host.asked) == 1


def test_the_host_works_outside_of_the_callers_log_context_which_goes_on_with_the_answer(rig: Rig) -> None:
    seen: list[object] = []

    class Looks(Request):
        def params(self) -> Mapping[str, Any]:
            seen.append(current_context())
            return super().params()

        def read(self, answer: Any) -> Any:
            seen.append(current_context())

    with LoggingContext(name="call", server_name="test") as context:
        sent = rig.send(Looks())
        assert current_context() is SENTINEL_CONTEXT
    rig.host.answer.callback(None)
    assert (outcome(sent), seen) == (None, [SENTINEL_CONTEXT, context])
    set_current_context(SENTINEL_CONTEXT)


def test_each_kind_of_request_says_what_it_sends_and_what_the_host_may_ask_about() -> None:
    for said in (lambda: HostRequest().params(), lambda: HostRequest().opened()):
        with pytest.raises(NotImplementedError):
            said()
