"""Lets calls wait for a host that is down, during the first seconds of an outage. Later calls do not wait."""

from typing import Any

from synapse.logging.context import PreserveLoggingContext, make_deferred_yieldable
from twisted.internet.defer import Deferred

from synapse_module_bridge.reactor.deadline import DeadlinePassed, within
from synapse_module_bridge.schema.protocol import Reason
from synapse_module_bridge.transport.unavailable import Unavailable

# Counted from the start of the outage. A restart usually takes less than a second.
HOLD_SECONDS = 2.0


class GracePeriod:
    """`clock` is an IReactorTime."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self._waiting: set[Deferred[None]] = set()
        # Whether no host will be started any more.
        self._over = False
        self.is_up = False
        # When the outage began, in the clock's seconds.
        self.down_since = 0.0

    def up(self) -> None:
        """The host takes calls: all waiting calls go on."""
        self.is_up = True
        waiting, self._waiting = self._waiting, set()
        for deferred in waiting:
            with PreserveLoggingContext():
                deferred.callback(None)

    def down(self) -> None:
        """The host takes no calls: an outage begins."""
        if self.is_up:
            self.is_up, self.down_since = False, self._clock.seconds()

    def stopping(self) -> None:
        """No host will be started any more. One that is up still takes calls."""
        self._over = True

    def over(self) -> None:
        """The last host has ended: all waiting calls fail with Unavailable."""
        self._over = True
        waiting, self._waiting = self._waiting, set()
        for deferred in waiting:
            with PreserveLoggingContext():
                deferred.errback(Unavailable(Reason.DOWN))

    async def until_up(self, deadline: float) -> None:
        """Waits until the host takes calls. Raises Unavailable at the deadline, and HOLD_SECONDS into the outage."""
        # `is_up`: the caller knows of the host's end before the reactor has noticed, so the outage begins now.
        until = min(deadline, (self._clock.seconds() if self.is_up else self.down_since) + HOLD_SECONDS)
        if until <= self._clock.seconds() or self._over:
            raise Unavailable(Reason.DOWN)
        try:
            await self._wait(until)
        except DeadlinePassed:
            raise Unavailable(Reason.DOWN) from None

    async def until_up_again(self) -> None:
        """Waits until the host takes calls, without a deadline. Raises Unavailable where there will be none."""
        if self._over and not self.is_up:
            raise Unavailable(Reason.DOWN)
        await self._wait(None)

    async def _wait(self, until: float | None) -> None:
        waiting: Deferred[None] = Deferred()
        self._waiting.add(waiting)
        try:
            if until is None:
                await make_deferred_yieldable(waiting)
            else:
                await within(waiting, until - self._clock.seconds(), self._clock)
        finally:
            self._waiting.discard(waiting)
