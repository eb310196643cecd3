"""Gives each request of a connection a deadline. One timer serves all of them, since nearly all requests are answered
in time.
"""

from heapq import heapify, heappop, heappush
from math import inf
from typing import Any

from twisted.internet.defer import Deferred

from synapse_module_bridge.reactor.deadline import DeadlinePassed
from synapse_module_bridge.transport.rpc import OnLate, Rpc, ToSend

# So many deadlines of answered requests may stay in the heap, and more where many requests are open. With far more, new
# objects would be made in memory that no processor's cache has.
MOST_MET = 100


class TimedRequests:
    """`clock` is an IReactorTime; deadlines are times of it."""

    def __init__(self, rpc: Rpc, clock: Any) -> None:
        self._rpc = rpc
        self._clock = clock
        # A heap of deadlines with the ids of their requests and when those were sent, answered ones included.
        self._line: list[tuple[float, int, float]] = []
        # How long it may grow before the answered ones are removed.
        self._most = MOST_MET
        self._alarm: Any = None
        self._alarm_due = inf

    def ask(self, method: str, params: ToSend, deadline: float, on_late: OnLate | None = None) -> "Deferred[Any]":
        """As `Rpc.request`; the Deferred also fails with DeadlinePassed."""
        asking = self._rpc.request(method, params, on_late)
        heappush(self._line, (deadline, self._rpc.last_id, self._clock.seconds()))
        if deadline < self._alarm_due or len(self._line) > self._most:
            self._sort_out()
        return asking

    def has_waited(self, seconds: float) -> bool:
        """Whether an open request has waited for so long, and for half of its time."""
        now, pending = self._clock.seconds(), self._rpc.pending
        return any(
            sent <= now - seconds and 2 * now >= sent + deadline
            for deadline, request, sent in self._line
            if request in pending
        )

    def stop(self) -> None:
        """Stops the timer: the connection has ended, and its requests with it."""
        self._line.clear()
        self._sort_out()

    def _sort_out(self) -> None:
        """Removes deadlines of answered requests, and sets the timer for the first open one."""
        pending = self._rpc.pending
        if len(self._line) > self._most:
            self._line = [entry for entry in self._line if entry[1] in pending]
            heapify(self._line)
            self._most = MOST_MET + 2 * len(self._line)
        while self._line and self._line[0][1] not in pending:
            heappop(self._line)
        due = self._line[0][0] if self._line else inf
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
        try:
            while self._line and self._line[0][0] <= now:
                self._rpc.cancel(heappop(self._line)[1], DeadlinePassed())
        finally:
            self._sort_out()
