"""Twisted's timers on the monotonic clock: the reactor's own go by the system's clock, and would come an hour late once
that is set back by an hour, and too early once it is set forward.

They share one timer of the reactor, for the first of them: each call has one, and nearly all are cancelled.
"""

import heapq
import threading
import time
from collections.abc import Callable
from itertools import count
from math import inf
from typing import Any

# How often the two clocks are compared.
LOOK_SECONDS = 0.25
# What they may have drifted apart before the reactor's timer is set anew.
MOST_DRIFT_SECONDS = 0.1
# Cancelled timers are swept out once they are so many, and most.
MOST_CANCELLED = 1_000


class SteadyClock:
    """What we use of Twisted's IReactorTime. One may serve all of a process."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        # The first is due first; a number keeps the order of those that are due together.
        self._timers: list[tuple[float, int, Timer]] = []
        self._numbers = count()
        self._waiting = 0
        # The reactor's timer, and when it is due.
        self._alarm: Any = None
        self._alarm_due = inf
        self._watch: threading.Thread | None = None

    def seconds(self) -> float:
        return time.monotonic()

    def callLater(self, seconds: float, func: Callable[[], object]) -> "Timer":
        timer = Timer(func, self)
        due = time.monotonic() + max(0.0, seconds)
        heapq.heappush(self._timers, (due, next(self._numbers), timer))
        self._waiting += 1
        if due < self._alarm_due:
            self._set_alarm()
        return timer

    def getDelayedCalls(self) -> "list[Timer]":
        return [timer for _, _, timer in self._timers if timer.active()]

    def cancelled(self) -> None:
        """A timer has been: it lies in line still."""
        self._waiting -= 1
        cancelled = len(self._timers) - self._waiting
        if self._waiting == 0 or cancelled > max(MOST_CANCELLED, self._waiting):
            self._timers = [entry for entry in self._timers if entry[2].active()]
            heapq.heapify(self._timers)
        if self._waiting == 0:
            self._set_alarm()

    def _set_alarm(self) -> None:
        if self._alarm is not None and self._alarm.active():
            self._alarm.cancel()
        self._alarm, self._alarm_due = None, inf
        while self._timers and not self._timers[0][2].active():
            heapq.heappop(self._timers)
        if self._timers:
            # With the first timer, not before: a Synapse that becomes a daemon forks until then.
            if self._watch is None or not self._watch.is_alive():
                self._watch = self._started()
            self._alarm_due = self._timers[0][0]
            self._alarm = self._reactor.callLater(max(0.0, self._alarm_due - time.monotonic()), self._ring)

    def _started(self) -> threading.Thread | None:
        watch = threading.Thread(target=self._compare, name="module_bridge_clock", daemon=True)
        try:
            watch.start()
        except RuntimeError:
            # The system has no more threads to give: the next timer tries again, and this one must ring all the same.
            return None
        return watch

    def _ring(self) -> None:
        now = time.monotonic()
        try:
            while self._timers and self._timers[0][0] <= now:
                timer = heapq.heappop(self._timers)[2]
                if timer.active():
                    self._waiting -= 1
                    timer.fire()
        finally:
            self._set_alarm()

    def _compare(self) -> None:
        """Runs in a thread: when the clock was set back, the reactor may sleep for an hour before it looks again."""
        before = self._lead()
        while self._reactor.running:
            # Of all waits, this one is by the monotonic clock on every Python.
            time.sleep(LOOK_SECONDS)
            lead = self._lead()
            if abs(lead - before) > MOST_DRIFT_SECONDS:
                before = lead
                self._reactor.callFromThread(self._set_alarm)

    def _lead(self) -> float:
        return float(self._reactor.seconds() - time.monotonic())


class Timer:
    __slots__ = ("_active", "_clock", "func")

    def __init__(self, func: Callable[[], object], clock: SteadyClock) -> None:
        self.func = func
        self._clock = clock
        self._active = True

    def fire(self) -> None:
        self._active = False
        self.func()

    def active(self) -> bool:
        return self._active

    def cancel(self) -> None:
        if self._active:
            self._active = False
            # It may lie in line for a while: what it would have done must not stay alive with it.
            self.func = _nothing
            self._clock.cancelled()


def _nothing() -> None:
    pass
