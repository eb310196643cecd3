"""Notifications: calls that Synapse never waits for. A bounded queue hands them to the modules in order.

What concerns one room (or one user) is told in its order, one at a time; different rooms do not wait for each
other. While the host is down the queue waits for the next one; what cannot be kept, or was lost with a host, is
counted.
"""

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import attr

from synapse_module_bridge import metrics
from synapse_module_bridge.call import Call
from synapse_module_bridge.questions import Entry, encode_params, select_state
from synapse_module_bridge.wire import encode

logger = logging.getLogger(__name__)

# Enough for minutes of a busy server's events while Node restarts.
MOST_QUEUED = 10_000
MOST_QUEUED_BYTES = 64 * 1024 * 1024
# Rooms that are told about at the same time.
MOST_AT_ONCE = 32


@attr.s(slots=True, auto_attribs=True, kw_only=True)
class Notification:
    call: Call
    entries: Sequence[Entry]
    size: int = 0

    @property
    def line(self) -> str:
        """What shares this has an order."""
        params, callback = self.call.params, self.call.callback
        event, room = callback.event_param, callback.param_of_type("RoomId")
        key = params[event].room_id if event else params[room] if room else None
        if key is None:
            key = params[callback.params[0].name]
        # Deliveries to other servers are all told in one line.
        return key if isinstance(key, str) else callback.name


class Notifications:
    """`deliver` tells the modules; `run` starts a background process."""

    def __init__(
        self,
        deliver: Callable[[Notification], Awaitable[None]],
        run: Callable[[Callable[[], Awaitable[None]]], object],
        server_name: str,
    ) -> None:
        self._deliver = deliver
        self._run = run
        self._server_name = server_name
        self._lines: dict[str, deque[Notification]] = {}
        # Lines that have somebody waiting, and that nobody works on.
        self._idle: deque[str] = deque()
        self._at_once = 0
        self._starting = False
        self._bytes = 0
        self._dropping = False
        self.queued = 0

    def add(self, notification: Notification) -> None:
        line = self._lines.get(notification.line)
        if line is None and self._at_once < MOST_AT_ONCE:
            self._lines[notification.line] = deque([notification])
            self.queued += 1
            self._work(notification.line)
            return
        # It waits: a room's whole state must not wait with it.
        _let_go_of_state(notification)
        try:
            notification.size = _size(notification)
        except ValueError as e:
            logger.error("%s: a parameter cannot be sent: %s", notification.call.callback.name, e)
            self._count_dropped(notification, "params")
            return
        if self.queued >= MOST_QUEUED or self._bytes + notification.size > MOST_QUEUED_BYTES:
            self._drop(notification)
            return
        self.queued += 1
        self._bytes += notification.size
        if line is None:
            self._lines[notification.line] = deque([notification])
            self._idle.append(notification.line)
        else:
            line.append(notification)

    def _count_dropped(self, notification: Notification, reason: str) -> None:
        metrics.DROPPED.labels(notification.call.callback.name, reason, self._server_name).inc()

    def _drop(self, notification: Notification) -> None:
        self._count_dropped(notification, "queue full")
        if not self._dropping:
            self._dropping = True
            logger.error("the queue of notifications is full (%d): new ones are dropped", self.queued)

    def _work(self, line: str) -> None:
        self._at_once += 1
        self._run(lambda: self._work_off(line))

    async def _work_off(self, name: str) -> None:
        line = self._lines[name]
        try:
            while line:
                try:
                    await self._deliver(line[0])
                except Exception:
                    # A fault of our own: those after it must not be lost with it.
                    logger.exception("a notification could not be delivered")
                    self._count_dropped(line[0], "error")
                done = line.popleft()
                self.queued -= 1
                self._bytes -= done.size
                self._tell_if_there_is_room()
        finally:
            del self._lines[name]
            self._at_once -= 1
            self._next()

    def _next(self) -> None:
        if not self._starting:
            # One that ends at once calls this again: the loop goes on, instead of one within it.
            self._starting = True
            while self._idle and self._at_once < MOST_AT_ONCE:
                self._work(self._idle.popleft())
            self._starting = False

    def _tell_if_there_is_room(self) -> None:
        # Well below the bounds: one that goes a little up and down must not be told again and again.
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
    """About how many bytes the notification keeps alive."""
    return len(encode(encode_params(notification.call.callback, notification.call.params, notification.entries)))
