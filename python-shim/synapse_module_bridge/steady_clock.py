"""Twisted's timers on the monotonic clock: the reactor's own go by the system's clock, and would come an hour late once
that is set back by an hour, and too early once it is set forward.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

# How often the two clocks are compared.
LOOK_SECONDS = 0.25
# What they may have drifted apart before the timers are set anew.
MOST_DRIFT_SECONDS = 0.1


class SteadyClock:
    """What we use of Twisted's IReactorTime. One may serve all of a process."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._timers: set[Timer] = set()
        self._watch: threading.Thread | None = None

    def seconds(self) -> float:
        return time.monotonic()

    def callLater(self, seconds: float, func: Callable[[], object]) -> "Timer":
        # With the first timer, not before: a Synapse that becomes a daemon forks until then.
        if self._watch is None or not self._watch.is_alive():
            self._watch = threading.Thread(target=self._compare, name="module_bridge_clock", daemon=True)
            self._watch.start()
        return Timer(self._reactor, self._timers, time.monotonic() + seconds, func)

    def getDelayedCalls(self) -> "list[Timer]":
        return list(self._timers)

    def _compare(self) -> None:
        """Runs in a thread: when the clock was set back, the reactor may sleep for an hour before it looks again."""
        before = self._lead()
        while self._reactor.running:
            # Of all waits, this one is by the monotonic clock on every Python.
            time.sleep(LOOK_SECONDS)
            lead = self._lead()
            if abs(lead - before) > MOST_DRIFT_SECONDS:
                before = lead
                self._reactor.callFromThread(self._set_anew)

    def _lead(self) -> float:
        return float(self._reactor.seconds() - time.monotonic())

    def _set_anew(self) -> None:
        for timer in self._timers:
            timer.set_anew()


class Timer:
    def __init__(self, reactor: Any, timers: "set[Timer]", due: float, func: Callable[[], object]) -> None:
        self._reactor = reactor
        self._timers = timers
        self._due = due
        self.func = func
        self._set()

    def _set(self) -> None:
        self._timers.add(self)
        self._call = self._reactor.callLater(max(0.0, self._due - time.monotonic()), self._fire)

    def set_anew(self) -> None:
        # Not `reset`, which looks through all timers of the reactor.
        self._call.cancel()
        self._set()

    def _fire(self) -> None:
        if time.monotonic() < self._due:
            self._set()
            return
        self._timers.discard(self)
        self.func()

    def active(self) -> bool:
        return self in self._timers

    def cancel(self) -> None:
        self._timers.discard(self)
        self._call.cancel()
