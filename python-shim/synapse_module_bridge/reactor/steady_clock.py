"""Timers for Twisted on the monotonic clock.

The reactor's own timers follow the system's clock: they fire an hour late after that is set back by an hour, and too
early after it is set forward. All timers here share one timer of the reactor, since each call has a timer, and nearly
all are cancelled.
"""

import heapq
import threading
import time
from collections.abc import Callable
from itertools import count
from math import inf
from typing import Any

# How often the two clocks are compared: a timer is at most this late after a jump of the system's clock.
LOOK_SECONDS = 0.25
# A smaller difference only makes a timer early or late by as much.
MOST_DRIFT_SECONDS = 0.1
# Cancelled timers are removed once they outnumber both this and the active ones: a removal passes over all timers.
MOST_CANCELLED = 1_000


class SteadyClock:
    """Implements of Twisted's IReactorTime what the shim uses. One object serves the whole process."""

    # The time of the monotonic clock, without a call in between.
    seconds = staticmethod(time.monotonic)

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        # A heap of due times and timers. A number between them keeps the order of timers that are due together.
        self._timers: list[tuple[float, int, Timer]] = []
        self._numbers = count()
        # How many of them are active.
        self._waiting = 0
        # The reactor's timer, and when it is due on the monotonic clock.
        self._alarm: Any = None
        self._alarm_due = inf
        self._watch: threading.Thread | None = None

    def callLater(self, seconds: float, func: Callable[[], object]) -> "Timer":
        """Calls `func` after `seconds`, in the reactor's thread."""
        timer = Timer(func, self)
        due = time.monotonic() + max(0.0, seconds)
        heapq.heappush(self._timers, (due, next(self._numbers), timer))
        self._waiting += 1
        if due < self._alarm_due:
            self._set_alarm()
        return timer

    def getDelayedCalls(self) -> "list[Timer]":
        """The active timers."""
        return [timer for _, _, timer in self._timers if timer.active()]

    def cancelled(self) -> None:
        """A timer was cancelled: it stays in the heap until cancelled timers are removed."""
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
            # Not before the first timer: a Synapse that becomes a daemon forks after it has loaded modules.
            if self._watch is None or not self._watch.is_alive():
                self._watch = self._started()
            self._alarm_due = self._timers[0][0]
            self._alarm = self._reactor.callLater(max(0.0, self._alarm_due - time.monotonic()), self._ring)

    def _started(self) -> threading.Thread | None:
        watch = threading.Thread(target=self._compare, name="module_bridge_clock", daemon=True)
        try:
            watch.start()
        except RuntimeError:
            # The system has no more threads: the next timer tries again, and this one still has to fire.
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
        """Runs in a thread: after the clock was set back, the reactor itself may sleep for an hour."""
        before = self._lead()
        while self._reactor.running:
            # `time.sleep` uses the monotonic clock in every version of Python; waits on locks do not.
            time.sleep(LOOK_SECONDS)
            lead = self._lead()
            if abs(lead - before) > MOST_DRIFT_SECONDS:
                before = lead
                self._reactor.callFromThread(self._set_alarm)

    def _lead(self) -> float:
        """How far the system's clock is ahead of the monotonic one; the zero points are arbitrary."""
        return float(self._reactor.seconds() - time.monotonic())


class Timer:
    """Implements of Twisted's IDelayedCall what the shim uses."""

    __slots__ = ("_active", "_clock", "func")

    def __init__(self, func: Callable[[], object], clock: SteadyClock) -> None:
        self.func = func
        self._clock = clock
        self._active = True

    def fire(self) -> None:
        """Calls the function; for the clock alone."""
        self._active = False
        self.func()

    def active(self) -> bool:
        """Whether it is still going to fire."""
        return self._active

    def cancel(self) -> None:
        """Does nothing where it has fired, or was cancelled already."""
        if self._active:
            self._active = False
            # The timer may stay in the heap for a while, and must not keep alive what its function refers to.
            self.func = _nothing
            self._clock.cancelled()


def _nothing() -> None:
    pass
