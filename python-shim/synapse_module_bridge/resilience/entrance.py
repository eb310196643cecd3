"""Lets calls go to the host: once it is up, has a place for them, and is not to be asked one thing alone."""

import time
from math import inf

from twisted.internet.defer import Deferred

from synapse_module_bridge.reactor.deadline import DeadlinePassed
from synapse_module_bridge.reactor.log_context import SentinelContext
from synapse_module_bridge.resilience.backpressure import Backpressure, Overloaded
from synapse_module_bridge.schema.protocol import Reason
from synapse_module_bridge.transport.host_interface import Host
from synapse_module_bridge.transport.unavailable import Unavailable

LOOK_SECONDS = 0.1


class Entrance:
    def __init__(self, host: Host) -> None:
        self._host = host
        self.backpressure = Backpressure()
        # Frees a call's place again.
        self.leave = self.backpressure.leave
        # Who waits for it to be opened; None while it is. And when it opens by itself.
        self._waiting: list[Deferred[None]] | None = None
        self._closed_until = inf

    def close(self) -> None:
        """Nobody enters until it is opened."""
        if self._waiting is None:
            self._waiting = []
        self._closed_until = inf

    def close_no_longer_than(self, seconds: float) -> None:
        """If it is closed."""
        self._closed_until = time.monotonic() + seconds

    def open(self) -> None:
        waiting, self._waiting = self._waiting, None
        with SentinelContext():
            for one in waiting or ():
                if not one.called:
                    one.callback(None)

    @property
    def is_closed(self) -> bool:
        """Nobody has entered since it was closed."""
        return self._waiting is not None

    async def until_open(self, deadline: float) -> None:
        """For what goes to the host without a place of its own. Raises Unavailable."""
        await self._until_ready(deadline)

    def enters(self, local: bool, who: str) -> bool:
        """Whether a call may be sent at once; `leave` frees its place again."""
        return self._waiting is None and self._host.is_up and self.backpressure.enters(local, who)

    async def enter(self, deadline: float, local: bool, who: str) -> None:
        """Returns once a call may be sent; `leave` frees its place again. Raises Unavailable."""
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
            # It may have gone meanwhile.
            await self._until_ready(deadline)
        except BaseException:
            self.leave(local, who)
            raise

    async def _until_ready(self, deadline: float) -> None:
        if not self._host.is_up:
            await self._host.until_up(deadline)
        while self._waiting is not None:
            opened: Deferred[None] = Deferred()
            self._waiting.append(opened)
            # Looked at now and then, since it may be that its time begins only now.
            until = min(deadline, self._closed_until, time.monotonic() + LOOK_SECONDS)
            try:
                await self._host.within(opened, until)
            except DeadlinePassed:
                if time.monotonic() >= self._closed_until:
                    self.open()
                elif time.monotonic() >= deadline:
                    raise Unavailable(Reason.DEADLINE) from None
