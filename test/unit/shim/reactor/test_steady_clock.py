"""Timers of the monotonic clock: in order, each once, and none after it was cancelled."""

from functools import partial
from typing import Any

import pytest
from synapse_module_bridge.reactor import steady_clock
from synapse_module_bridge.reactor.steady_clock import SteadyClock
from twisted.internet.task import Clock


@pytest.fixture
def reactor(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Its time is also the monotonic clock's."""
    clock: Any = Clock()
    clock.running = False
    monkeypatch.setattr("time.monotonic", clock.seconds)
    return clock


def test_timers_come_in_the_order_in_which_they_are_due(reactor: Any) -> None:
    clock = SteadyClock(reactor)
    seen: list[Any] = []
    for seconds in (3, 1, 2, 1):
        clock.callLater(seconds, partial(seen.append, seconds))
    for _ in range(3):
        reactor.advance(1)
    assert seen == [1, 1, 2, 3]


def test_a_timer_that_was_cancelled_never_comes_and_holds_on_to_nothing(
    reactor: Any,
) -> None:
    clock = SteadyClock(reactor)
    seen: list[Any] = []
    timers = [clock.callLater(seconds, lambda: seen.append("cancelled")) for seconds in (1, 2, 3)]
    clock.callLater(2.5, lambda: seen.append("kept"))
    for timer in timers:
        timer.cancel()
        timer.cancel()
    assert [timer.active() for timer in timers] == [False] * 3
    assert len(clock.getDelayedCalls()) == 1
    reactor.advance(9)
    assert seen == ["kept"]
    assert reactor.getDelayedCalls() == []


def test_one_timer_of_the_reactor_serves_all(reactor: Any) -> None:
    clock = SteadyClock(reactor)
    timers = [clock.callLater(seconds, lambda: None) for seconds in (5, 1, 3)]
    assert len(reactor.getDelayedCalls()) == 1
    for timer in timers:
        timer.cancel()
    assert reactor.getDelayedCalls() == []


def test_cancelled_timers_are_swept_out(reactor: Any) -> None:
    clock = SteadyClock(reactor)
    beat = clock.callLater(1, lambda: None)
    for _ in range(10 * steady_clock.MOST_CANCELLED):
        clock.callLater(5, lambda: None).cancel()
    assert len(clock._timers) <= steady_clock.MOST_CANCELLED + 1
    assert clock.getDelayedCalls() == [beat]


def test_a_timer_that_raises_does_not_keep_the_next_from_coming(reactor: Any) -> None:
    clock = SteadyClock(reactor)
    seen: list[Any] = []

    def fail() -> None:
        raise ValueError

    clock.callLater(1, fail)
    clock.callLater(1, lambda: seen.append("next"))
    with pytest.raises(ValueError):
        reactor.advance(1)
    reactor.advance(0)
    assert seen == ["next"]


def test_a_timer_may_set_another(reactor: Any) -> None:
    clock = SteadyClock(reactor)
    seen: list[Any] = []
    clock.callLater(1, lambda: clock.callLater(0, lambda: seen.append("second")))
    reactor.advance(1)
    reactor.advance(0)
    assert seen == ["second"]
