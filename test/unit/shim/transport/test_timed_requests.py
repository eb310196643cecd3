"""Requests with deadlines: each ends at its own, and nothing is kept of those that were met."""

from typing import Any

import pytest
from synapse_module_bridge.reactor.deadline import DeadlinePassed
from synapse_module_bridge.transport.framing import encode
from synapse_module_bridge.transport.rpc import Rpc
from synapse_module_bridge.transport.timed_requests import TimedRequests
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock


class Rig:
    def __init__(self) -> None:
        self.clock = Clock()
        self.rpc = Rpc(lambda _: None, lambda *_: None)
        self.requests = TimedRequests(self.rpc, self.clock)
        # The names of those whose deadline has passed.
        self.passed: list[str] = []

    def ask(self, name: str, seconds: float) -> "Deferred[Any]":
        asking = self.requests.ask("m", {}, self.clock.seconds() + seconds)
        return asking.addErrback(self._failed, name)

    def request(self, name: str, seconds: float) -> int:
        self.ask(name, seconds)
        return self.rpc.last_id

    def _failed(self, failure: Any, name: str) -> Any:
        if not failure.check(DeadlinePassed):
            return failure
        self.passed.append(name)
        return name

    def answer(self, request_id: int) -> None:
        self.rpc.data_received(encode({"jsonrpc": "2.0", "id": request_id, "result": None}))


def test_each_ends_at_its_own_deadline_unless_it_was_answered() -> None:
    rig = Rig()
    for name, seconds in [("third", 3.0), ("first", 1.0), ("second", 2.0)]:
        rig.request(name, seconds)
    rig.answer(rig.request("answered", 0.5))
    for expected in [[], ["first"], ["first", "second"], ["first", "second", "third"]]:
        assert rig.passed == expected
        rig.clock.advance(1.0)


def test_one_that_a_passed_deadline_brings_about_has_its_own() -> None:
    rig = Rig()
    rig.ask("first", 1.0).addCallback(lambda _: rig.request("next", 1.0))
    rig.clock.advance(1.5)
    assert rig.passed == ["first"]
    rig.clock.advance(1.0)
    assert rig.passed == ["first", "next"]


@pytest.mark.parametrize(
    ("seconds", "asked", "waited"),
    [(2.0, 1.0, 1.0), (1.2, 1.0, 1.0), (0.5, 1.0, None), (5.0, 1.0, 2.5), (5.0, 3.0, 3.0)],
)
def test_one_has_waited_for_long_after_so_many_seconds_and_half_of_its_time(
    seconds: float, asked: float, waited: float | None
) -> None:
    rig = Rig()
    rig.clock.advance(100.0)
    rig.answer(rig.request("answered", 2.0))
    rig.request("open", seconds)
    before = 0.9 if waited is None else waited - 0.01
    rig.clock.advance(before)
    assert not rig.requests.has_waited(asked)
    rig.clock.advance(0.02)
    assert rig.requests.has_waited(asked) is (waited is not None)


@pytest.mark.parametrize("seconds", [0.5, 1.5])
def test_one_that_is_cancelled_before_its_deadline_is_told_was_cancelled(seconds: float) -> None:
    rig = Rig()
    outcomes: list[Any] = []
    asking = rig.ask("cancelled", 1.0)
    asking.addErrback(lambda failure: outcomes.append(failure.check(CancelledError)))
    # The reactor may be late with its timers.
    rig.clock.rightNow += seconds
    asking.cancel()
    rig.clock.advance(2.0)
    assert (outcomes, rig.passed) == ([CancelledError], [])


def test_of_those_that_were_met_nothing_is_kept_and_one_timer_is_for_all() -> None:
    rig = Rig()
    rig.request("hangs", 5.0)
    for _ in range(100):
        rig.answer(rig.request("met", 5.0))
        assert (len(rig.rpc.pending), len(rig.clock.getDelayedCalls())) == (1, 1)
    rig.clock.advance(5.0)
    assert (rig.passed, rig.clock.getDelayedCalls()) == (["hangs"], [])


def test_a_deadline_that_was_met_does_not_hide_those_after_it() -> None:
    rig = Rig()
    rig.answer(rig.request("met", 1.0))
    for name, seconds in [("second", 3.0), ("first", 2.0)]:
        rig.request(name, seconds)
    for passed in ([], ["first"], ["first", "second"]):
        rig.clock.advance(1.0)
        assert rig.passed == passed
        assert len(rig.clock.getDelayedCalls()) == (len(passed) < 2)


def test_those_that_are_due_at_once_end_in_the_order_of_their_deadlines() -> None:
    rig = Rig()
    for name, seconds in [("third", 3.0), ("first", 1.0), ("second", 2.0)]:
        rig.request(name, seconds)
    rig.clock.advance(4.0)
    assert rig.passed == ["first", "second", "third"]


def test_with_the_connection_they_end() -> None:
    rig = Rig()
    failed: list[Any] = []
    rig.ask("open", 5.0).addErrback(failed.append)
    rig.rpc.close("it ended")
    rig.requests.stop()
    assert failed
    assert rig.clock.getDelayedCalls() == []
