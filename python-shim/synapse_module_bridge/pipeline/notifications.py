"""Queues notifications: calls that Synapse does not wait for. They also wait while Node is down.

Notifications of one room (or one user) are delivered in order, one at a time. Different rooms do not wait for each
other, and take turns. The queue is bounded, and no user or server can fill it. Notifications that do not fit, or that
were lost with a host, are counted.
"""

import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import attr

from synapse_module_bridge.calls.call import Call
from synapse_module_bridge.reactor.background import Run
from synapse_module_bridge.resilience.fair_share import FairShare
from synapse_module_bridge.routing.entry import Entry, encode_params, select_state
from synapse_module_bridge.schema.protocol import Reason
from synapse_module_bridge.telemetry import metrics
from synapse_module_bridge.transport.framing import encode

logger = logging.getLogger("synapse_module_bridge.notifications")

# Enough for some minutes of a busy server's events, while Node restarts.
MOST_QUEUED = 10_000
MOST_QUEUED_BYTES = 64 * 1024 * 1024
# For so many lines, notifications are delivered at the same time.
MOST_AT_ONCE = 32
# How long a line goes on while others wait.
LINE_SECONDS = 0.5


@attr.s(slots=True, auto_attribs=True, kw_only=True)
class Notification:
    """A notification, and the entries that get it."""

    call: Call
    entries: Sequence[Entry]
    # In bytes, once it is in the queue.
    size: int = 0

    @property
    def line(self) -> str:
        """The room's id, the user's, or the like: notifications with the same line are delivered in order."""
        params, callback = self.call.params, self.call.callback
        event, room = callback.event_param, callback.param_of_type("RoomId")
        key = params[event].room_id if event else params[room] if room else None
        if key is None:
            key = params[callback.params[0].name]
        # All deliveries of events to other servers share one line.
        return key if isinstance(key, str) else callback.name


class Notifications:
    """`deliver` delivers one notification. `run` runs something in the background."""

    def __init__(
        self,
        deliver: Callable[[Notification], Awaitable[None]],
        run: Run,
        server_name: str,
    ) -> None:
        self._deliver = deliver
        self._run = run
        self._server_name = server_name
        self._lines: dict[str, deque[Notification]] = {}
        # Lines with waiting notifications of which none is being delivered.
        self._idle: deque[str] = deque()
        # How many lines are being worked on.
        self._at_once = 0
        # Places and bytes of the queue, shared out among users and servers.
        self._places, self._kept_bytes = FairShare(), FairShare()
        self._starting = False
        self._bytes = 0
        # Whether the log says that the queue is full.
        self._dropping = False
        # How many notifications there are, those included that are being delivered.
        self.queued = 0

    def add(self, notification: Notification) -> None:
        """Delivers a notification soon, or queues it, or drops it where the queue is full. Never raises."""
        line = self._lines.get(notification.line)
        if line is None and self._at_once < MOST_AT_ONCE:
            self._lines[notification.line] = deque([notification])
            self._count(notification, 1)
            self._work(notification.line)
            return
        # It has to wait, and must not keep a room's whole state meanwhile.
        _let_go_of_state(notification)
        try:
            notification.size = _size(notification)
        except ValueError as e:
            logger.error("%s: a parameter cannot be sent: %s", notification.call.callback.name, e)
            self._count_dropped(notification, Reason.PARAMS)
            return
        who = notification.call.who
        free_bytes = MOST_QUEUED_BYTES - self._bytes - notification.size
        if not (self._places.admits(who, MOST_QUEUED - self.queued) and self._kept_bytes.admits(who, free_bytes)):
            self._drop(notification)
            return
        self._count(notification, 1)
        if line is None:
            self._lines[notification.line] = deque([notification])
            self._idle.append(notification.line)
        else:
            line.append(notification)

    def _count(self, notification: Notification, more: int) -> None:
        """Counts a notification that has come (1) or gone (-1)."""
        who, size = notification.call.who, notification.size
        self.queued += more
        self._bytes += more * size
        self._places.take(who, more)
        self._kept_bytes.take(who, more * size)

    def _count_dropped(self, notification: Notification, reason: Reason) -> None:
        metrics.DROPPED.labels(notification.call.callback.name, reason, self._server_name).inc()

    def _drop(self, notification: Notification) -> None:
        self._count_dropped(notification, Reason.QUEUE_FULL)
        if not self._dropping:
            self._dropping = True
            logger.error("the queue of notifications is full (%d): new ones are dropped", self.queued)

    def _work(self, line: str) -> None:
        self._at_once += 1
        self._run(lambda: self._work_off(line))

    async def _work_off(self, name: str) -> None:
        line = self._lines[name]
        try:
            until = time.monotonic() + LINE_SECONDS
            await self._tell(line)
            while line and (time.monotonic() < until or not self._idle):
                await self._tell(line)
        finally:
            if line:
                self._idle.append(name)
            else:
                del self._lines[name]
            self._at_once -= 1
            self._next()

    async def _tell(self, line: "deque[Notification]") -> None:
        try:
            await self._deliver(line[0])
        except Exception:
            # A bug of the shim must not stop the notifications after this one.
            logger.exception("a notification could not be delivered")
            self._count_dropped(line[0], Reason.ERROR)
        self._count(line.popleft(), -1)
        self._tell_if_there_is_room()

    def _next(self) -> None:
        if not self._starting:
            # Work that ends at once calls this again: the loop below goes on then, without recursion.
            self._starting = True
            while self._idle and self._at_once < MOST_AT_ONCE:
                self._work(self._idle.popleft())
            self._starting = False

    def _tell_if_there_is_room(self) -> None:
        # Well below the bounds, so that a queue that stays nearly full is not logged again and again.
        if self._dropping and self.queued < MOST_QUEUED // 2 and self._bytes < MOST_QUEUED_BYTES // 2:
            self._dropping = False
            logger.warning("the queue of notifications has room again")


def _let_go_of_state(notification: Notification) -> None:
    call = notification.call
    state = call.callback.state_param
    if state is None:
        return
    declared = [key for entry in notification.entries for key in entry.room_state]
    kept = {(event.type, event.state_key): event for event in select_state(call.params[state], declared)}
    call.params = {**call.params, state: kept}
    call.state_let_go = True


def _size(notification: Notification) -> int:
    """About the number of bytes that the notification keeps alive. Raises ValueError where it has no form in JSON."""
    return len(encode(encode_params(notification.call.callback, notification.call.params, notification.entries)))
