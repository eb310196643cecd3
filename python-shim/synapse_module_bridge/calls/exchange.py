"""The one way to the host: a request is admitted, registered, sent, told apart when it fails, and released."""

import logging
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from twisted.internet.defer import CancelledError, Deferred

from synapse_module_bridge.calls.again import AskAgain
from synapse_module_bridge.calls.open_calls import OpenCall, OpenCalls
from synapse_module_bridge.reactor.deadline import DeadlinePassed
from synapse_module_bridge.reactor.log_context import SentinelContext
from synapse_module_bridge.resilience.entrance import Entrance
from synapse_module_bridge.schema.protocol import Reason
from synapse_module_bridge.transport.framing import TooLarge
from synapse_module_bridge.transport.host_interface import Host
from synapse_module_bridge.transport.unavailable import Unavailable

logger = logging.getLogger("synapse_module_bridge.exchange")


class HostRequest:
    """What is asked of the host. Each kind of request is a subclass."""

    # For the log.
    name: str
    method: str
    # Of the monotonic clock: until when it is waited for, and since when the host has it.
    deadline: float
    since: float
    # Whether the caller is local, and who it is: the request takes one of their places. None: it takes no place.
    place: tuple[bool, str] | None = None
    # Whether it goes ahead of everything, since it finds out what has ended Node.
    goes_ahead = False
    # Whether it is known until Node has finished it, also when nobody waits for it any more.
    outlives_its_caller = False

    def opened(self) -> OpenCall:
        """What the host may ask about while the request runs. Made only if it is needed."""
        raise NotImplementedError

    def params(self, handle: int) -> Mapping[str, Any]:
        """What is sent. Raises ValueError for what is no JSON."""
        raise NotImplementedError

    def held_back(self) -> "Deferred[None] | None":
        """What the request must wait for although it has a place; then the caller decides anew whom to ask."""
        return None

    def expired(self) -> None:
        """The deadline has passed while the host was working on it."""

    def answered_late(self, handle: int, answer: Any) -> None:
        """The host has answered when nobody waited for it any more: the result, or the error."""


class Exchange:
    """All requests of one bridge."""

    def __init__(self, host: Host, open_calls: OpenCalls) -> None:
        self.host = host
        self.open_calls = open_calls
        self.entrance = Entrance(host)

    async def send(self, request: HostRequest) -> Any:
        """The host's answer, unchecked.

        Raises RpcError for the host's own error, ConnectionGone where the host has ended meanwhile, TooLarge for a
        request that no frame holds, AskAgain for one that was held back, and Unavailable for all else.
        """
        place = request.place
        if place is not None:
            if not self.entrance.enters(*place):
                await self.entrance.enter(request.deadline, *place)
        elif not request.goes_ahead:
            await self.entrance.until_open(request.deadline)
        handle = 0
        try:
            held_back = request.held_back()
            if held_back is None:
                request.since = time.monotonic()
                handle = self.open_calls.open(request.opened)
                late = partial(request.answered_late, handle) if request.outlives_its_caller else None
                with SentinelContext():
                    return await self.host.call(request.method, partial(request.params, handle), request.deadline, late)
        except DeadlinePassed:
            if request.outlives_its_caller:
                self.open_calls.expire(handle)
                request.expired()
            raise Unavailable(Reason.DEADLINE) from None
        except CancelledError:
            # Nobody waits for it any more, but it may still end Node: who goes away is no less a suspect.
            if request.outlives_its_caller:
                self.open_calls.expire(handle)
            raise
        except TooLarge:
            raise
        except ValueError as e:
            logger.error("%s: a parameter cannot be sent: %s", request.name, e)
            raise Unavailable(Reason.PARAMS) from e
        finally:
            self.open_calls.close(handle)
            if place is not None:
                self.entrance.leave(*place)
        await self._wait(held_back, request.deadline)
        raise AskAgain

    async def _wait(self, waits: "Deferred[None]", deadline: float) -> None:
        try:
            await self.host.within(waits, deadline)
        except DeadlinePassed:
            raise Unavailable(Reason.DEADLINE) from None
