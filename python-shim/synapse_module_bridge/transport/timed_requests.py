"""Gives each request of a connection a deadline. One timer serves all of them, since nearly all requests are answered
in time. It looks through those that are open, which are never many: nothing is kept of a deadline that was met.
"""

from math import inf
from typing import Any

from twisted.internet.defer import Deferred

from synapse_module_bridge.reactor.deadline import DeadlinePassed
from synapse_module_bridge.transport.rpc import OnLate, Rpc, ToSend


class TimedRequests:
    """`clock` is an IReactorTime; deadlines are times of it."""

    def __init__(self, rpc: Rpc, clock: Any) -> None:
        self._rpc = rpc
        self._clock = clock
        # Rings at the first deadline, or at an earlier one that was met.
        self._alarm: Any = None
        self._alarm_due = inf

    def ask(self, method: str, params: ToSend, deadline: float, on_late: OnLate | None = None) -> "Deferred[Any]":
        """As `Rpc.request`; the Deferred also fails with DeadlinePassed."""
        asking = self._rpc.request(method, params, on_late, deadline, self._clock.seconds())
        if deadline < self._alarm_due:
            self._set_alarm()
        return asking

    def has_waited(self, seconds: float) -> bool:
        """Whether an open request has waited for so long, and for half of its time."""
        now = self._clock.seconds()
        return any(
            sent <= now - seconds and 2 * now >= sent + deadline for *_, deadline, sent in self._rpc.pending.values()
        )

    def stop(self) -> None:
        """Stops the timer: the connection has ended, and its requests with it."""
        self._set_alarm()

    def _set_alarm(self) -> None:
        """Sets the timer for the first open request."""
        due = min((deadline for *_, deadline, _ in self._rpc.pending.values()), default=inf)
        if due == self._alarm_due:
            return
        if self._alarm is not None and self._alarm.active():
            self._alarm.cancel()
        self._alarm, self._alarm_due = None, due
        if due < inf:
            self._alarm = self._clock.callLater(max(0.0, due - self._clock.seconds()), self._ring)

    def _ring(self) -> None:
        self._alarm, self._alarm_due = None, inf
        now = self._clock.seconds()
        pending = self._rpc.pending.items()
        due = [(deadline, request_id) for request_id, (*_, deadline, _) in pending if deadline <= now]
        try:
            for _, request_id in sorted(due):
                self._rpc.cancel(request_id, DeadlinePassed())
        finally:
            self._set_alarm()
