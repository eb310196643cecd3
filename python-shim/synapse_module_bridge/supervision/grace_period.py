"""Where calls wait for a host that is down: a short while of each outage, after which there is no waiting."""

from typing import Any

from synapse.logging.context import PreserveLoggingContext, make_deferred_yieldable
from twisted.internet.defer import Deferred

from synapse_module_bridge.reactor.deadline import DeadlinePassed, within
from synapse_module_bridge.schema.protocol import Reason
from synapse_module_bridge.transport.unavailable import Unavailable

# How long calls wait for a host that is down, counted from the start of the outage.
HOLD_SECONDS = 2.0


class GracePeriod:
    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self._waiting: set[Deferred[None]] = set()
        self._over = False
        self.is_up = False
        self.down_since = 0.0

    def up(self) -> None:
        """The host takes calls."""
        self.is_up = True
        waiting, self._waiting = self._waiting, set()
        for deferred in waiting:
            with PreserveLoggingContext():
                deferred.callback(None)

    def down(self) -> None:
        if self.is_up:
            self.is_up, self.down_since = False, self._clock.seconds()

    def stopping(self) -> None:
        """A host that is down does not come back."""
        self._over = True

    def over(self) -> None:
        """There will be no host any more."""
        self._over = True
        waiting, self._waiting = self._waiting, set()
        for deferred in waiting:
            with PreserveLoggingContext():
                deferred.errback(Unavailable(Reason.DOWN))

    async def until_up(self, deadline: float) -> None:
        """Waits at most HOLD_SECONDS of an outage. Raises Unavailable."""
        # Its end may be known before it was noticed: then the outage begins now.
        until = min(deadline, (self._clock.seconds() if self.is_up else self.down_since) + HOLD_SECONDS)
        if until <= self._clock.seconds() or self._over:
            raise Unavailable(Reason.DOWN)
        try:
            await self._wait(until)
        except DeadlinePassed:
            raise Unavailable(Reason.DOWN) from None

    async def until_up_again(self) -> None:
        """Waits however long. Raises Unavailable once there will be no host any more."""
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
