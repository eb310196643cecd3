"""Sends the host what Synapse asks. This is the only way for that: it waits for a place, registers the request, sends
it, converts failures, and frees the place.
"""

import logging
import time
from collections.abc import Mapping
from typing import Any

from synapse.logging.context import SENTINEL_CONTEXT, set_current_context
from twisted.internet.defer import CancelledError, Deferred

from synapse_module_bridge.calls.again import AskAgain
from synapse_module_bridge.calls.open_calls import OpenCall, OpenCalls
from synapse_module_bridge.reactor.deadline import DeadlinePassed
from synapse_module_bridge.resilience.entrance import Entrance
from synapse_module_bridge.schema.protocol import Reason
from synapse_module_bridge.transport.framing import TooLarge
from synapse_module_bridge.transport.host_interface import Host
from synapse_module_bridge.transport.rpc import ConnectionGone, RpcError
from synapse_module_bridge.transport.unavailable import Unavailable

logger = logging.getLogger("synapse_module_bridge.exchange")


class HostRequest:
    """One request to the host. Each kind of request is a subclass. Times are of the monotonic clock, in seconds."""

    # For the log.
    name: str
    method: str
    deadline: float
    # When it was sent, and the number by which the host names it; 0 before.
    since: float
    handle = 0
    # The place that it takes: whether it is local, and the user or server that it counts for. None if it takes none.
    place: tuple[bool, str] | None = None
    # Whether it is sent even while the entrance is closed, since it is about a suspect.
    goes_ahead = False
    # Whether it stays registered until Node has finished it, even after its caller has given up.
    outlives_its_caller = False

    def opened(self) -> OpenCall:
        """What is registered, for requests of the host about it. Called only if it is needed."""
        raise NotImplementedError

    def params(self) -> Mapping[str, Any]:
        """The parameters to send. Raises ValueError where they have no form in JSON."""
        raise NotImplementedError

    def held_back(self) -> "Deferred[None] | None":
        """What the request has to wait for, although it has a place. `Exchange.send` then raises AskAgain."""
        return None

    def read(self, answer: Any) -> Any:
        """What the host's answer means to the caller."""
        return answer

    async def failed(self, e: Exception) -> Any:
        """What the caller gets where the host has failed: its RpcError, ConnectionGone or TooLarge. Raises it."""
        raise e

    def expired(self) -> None:
        """The deadline has passed while the host was working on the request."""

    def answered_late(self, answer: Any) -> None:
        """The host has answered after the caller has given up. `answer` is the result or the error."""


class Exchange:
    """Sends all requests of one bridge to its host."""

    def __init__(self, host: Host, open_calls: OpenCalls) -> None:
        self.host = host
        self.open_calls = open_calls
        self.entrance = Entrance(host)

    async def send(self, request: HostRequest) -> Any:
        """What the request reads from the host's answer, or does where the host has failed.

        If it does nothing about that, raises RpcError for the host's error; ConnectionGone where the host has ended
        meanwhile; and TooLarge where the request does not fit into a frame. Raises AskAgain after it was held back, and
        Unavailable for everything else.
        """
        failure: Exception | None = None
        place = request.place
        if place is not None:
            local, who = place
            if not self.entrance.enters(local, who):
                await self.entrance.enter(request.deadline, local, who)
        elif not request.goes_ahead:
            await self.entrance.until_open(request.deadline)
        try:
            held_back = request.held_back()
            if held_back is None:
                request.since = time.monotonic()
                request.handle = self.open_calls.open(request.opened)
                late = request.answered_late if request.outlives_its_caller else None
                # As `SentinelContext`, without a call for each end of the block.
                context = set_current_context(SENTINEL_CONTEXT)
                try:
                    answer = await self.host.call(request.method, request.params, request.deadline, late)
                finally:
                    set_current_context(context)
        except DeadlinePassed:
            if request.outlives_its_caller:
                self.open_calls.expire(request.handle)
                request.expired()
            raise Unavailable(Reason.DEADLINE) from None
        except CancelledError:
            # Synapse has cancelled the call, but Node may still work on it, and end because of it.
            if request.outlives_its_caller:
                self.open_calls.expire(request.handle)
            raise
        except (RpcError, ConnectionGone, TooLarge) as e:
            # What is done about it may take long, and needs no place.
            failure = e
        except ValueError as e:
            logger.error("%s: a parameter cannot be sent: %s", request.name, e)
            raise Unavailable(Reason.PARAMS) from e
        finally:
            self.open_calls.close(request.handle)
            if place is not None:
                self.entrance.leave(local, who)
        if failure is not None:
            return await request.failed(failure)
        if held_back is not None:
            await self._wait(held_back, request.deadline)
            raise AskAgain
        return request.read(answer)

    async def _wait(self, waits: "Deferred[None]", deadline: float) -> None:
        try:
            await self.host.within(waits, deadline)
        except DeadlinePassed:
            raise Unavailable(Reason.DEADLINE) from None
