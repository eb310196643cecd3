"""Makes calls wait until the host is up and has a place for them, and while a suspect is asked alone."""

import time
from math import inf

from twisted.internet.defer import Deferred

from synapse_module_bridge.reactor.deadline import DeadlinePassed
from synapse_module_bridge.reactor.log_context import SentinelContext
from synapse_module_bridge.resilience.backpressure import Backpressure, Overloaded
from synapse_module_bridge.schema.protocol import Reason
from synapse_module_bridge.transport.host_interface import Host
from synapse_module_bridge.transport.unavailable import Unavailable

# How late a call may notice a change of the time at which the entrance opens by itself.
LOOK_SECONDS = 0.1


class Entrance:
    """For the calls of one host. Deadlines are times of the monotonic clock, in seconds."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.backpressure = Backpressure()
        # Gives up a call's place.
        self.leave = self.backpressure.leave
        # The calls that wait while it is closed; None while it is open.
        self._waiting: list[Deferred[None]] | None = None
        # When it opens by itself.
        self._closed_until = inf

    def close(self) -> None:
        """No call enters until `open`."""
        if self._waiting is None:
            self._waiting = []
        self._closed_until = inf

    def close_no_longer_than(self, seconds: float) -> None:
        """If it is closed, it opens by itself after `seconds`."""
        self._closed_until = time.monotonic() + seconds

    def open(self) -> None:
        """Lets all waiting calls go on."""
        waiting, self._waiting = self._waiting, None
        with SentinelContext():
            for one in waiting or ():
                if not one.called:
                    one.callback(None)

    @property
    def is_closed(self) -> bool:
        """Whether calls wait until it is opened."""
        return self._waiting is not None

    async def until_open(self, deadline: float) -> None:
        """As `enter`, for requests that take no place. Raises Unavailable."""
        await self._until_ready(deadline)

    def enters(self, local: bool, who: str) -> bool:
        """Whether a call may be sent at once. It then has a place, and must `leave`."""
        if self._waiting is not None or not self.backpressure.enters(local, who):
            return False
        # Last, since it asks the system: most calls of a burst wait in line.
        if self._host.is_up:
            return True
        self.leave(local, who)
        return False

    async def enter(self, deadline: float, local: bool, who: str) -> None:
        """Waits until a call may be sent that has not entered at once. It then has a place, and must `leave`.

        Raises Unavailable.
        """
        if self._waiting is not None or not self._host.is_up:
            await self._until_ready(deadline)
            if self.backpressure.enters(local, who):
                return
        try:
            await self._host.within(self.backpressure.line_up(local, who), deadline)
        except Overloaded:
            raise Unavailable(Reason.OVERLOAD) from None
        except DeadlinePassed:
            raise Unavailable(Reason.DEADLINE) from None
        try:
            # The host may have ended meanwhile.
            if self._waiting is not None or not self._host.is_up:
                await self._until_ready(deadline)
        except BaseException:
            self.leave(local, who)
            raise

    async def _until_ready(self, deadline: float) -> None:
        while True:
            # It may have gone while the call waited for the entrance, too.
            if not self._host.is_up:
                await self._host.until_up(deadline)
            if self._waiting is None:
                return
            opened: Deferred[None] = Deferred()
            self._waiting.append(opened)
            # It looks again now and then, since `close_no_longer_than` may be called only now.
            until = min(deadline, self._closed_until, time.monotonic() + LOOK_SECONDS)
            try:
                await self._host.within(opened, until)
            except DeadlinePassed:
                if time.monotonic() >= self._closed_until:
                    self.open()
                elif time.monotonic() >= deadline:
                    raise Unavailable(Reason.DEADLINE) from None
