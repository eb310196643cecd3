"""Requests on one connection, each with a deadline. Nearly all deadlines are met: there is one timer for all, and those
that were met are forgotten when it rings.
"""

from heapq import heapify, heappop, heappush
from math import inf
from typing import Any

from twisted.internet.defer import Deferred

from synapse_module_bridge.reactor.deadline import DeadlinePassed
from synapse_module_bridge.transport.rpc import Asked, OnLate, Rpc

# Those that were met are swept out once they are at least so many.
MOST_MET = 1_000


class TimedRequests:
    """`clock` is what deadlines are told in."""

    def __init__(self, rpc: Rpc, clock: Any) -> None:
        self._rpc = rpc
        self._clock = clock
        # With the request's id; the first is due first.
        self._line: list[tuple[float, int]] = []
        self._most = MOST_MET
        self._alarm: Any = None
        self._alarm_due = inf

    def ask(self, method: str, params: Asked, deadline: float, on_late: OnLate | None = None) -> "Deferred[Any]":
        """As Rpc's request, which fails with DeadlinePassed, too."""
        asking = self._rpc.request(method, params, on_late)
        heappush(self._line, (deadline, self._rpc.last_id))
        if deadline < self._alarm_due or len(self._line) > self._most:
            self._sort_out()
        return asking

    def stop(self) -> None:
        """The connection has ended, and its requests with it."""
        self._line.clear()
        self._sort_out()

    def _sort_out(self) -> None:
        """Sets the alarm for the first one that is still open."""
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
