"""Registers the calls that the host is working on, for the host's questions about them, and for when the host ends.

The host names them by handles, which are not trusted.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import copy
from typing import Any

from synapse_module_bridge.calls.call import Call
from synapse_module_bridge.routing.entry import Entry

# A line of the log names so many.
MOST_NAMED = 5
# Of calls that Node never finishes, the oldest are forgotten.
MOST_EXPIRED = 5_000


class OpenCall:
    """One request that the host is working on. Times are of the monotonic clock, in seconds."""

    # The call, and the entries that it was sent to; None where the request is no call of a callback.
    asked: tuple[Call, Sequence[Entry]] | None = None
    # The room's state; None where the call has none, or where it was dropped while the call waited in line.
    state: Mapping[tuple[str, str], Any] | None = None
    # The room whose current state is looked up in place of a dropped one.
    state_room: str | None = None
    # Synapse's object of the HTTP request that the call is about.
    web_request: Any = None
    # The room whose memberships Synapse has locked until this call is answered.
    locked_room: str | None = None
    # Infinite where the host's requests need not know it.
    deadline: float = math.inf
    # When Synapse stopped waiting for it.
    ended_at: float = math.inf

    def __init__(self, name: str, modules: Sequence[str], since: float | None = None) -> None:
        """`name` is that of the callback, or of what else runs; `modules` are those that it runs in."""
        self.name = name
        self.modules = modules
        self.since = time.monotonic() if since is None else since

    @property
    def what(self) -> str:
        """What runs, for the log."""
        return f"{self.name} of {', '.join(self.modules)}"

    @property
    def seconds_left(self) -> float:
        """The time until the deadline."""
        return max(0.0, self.deadline - time.monotonic())


class OpenCalls:
    """All open calls of one bridge, by handle."""

    def __init__(self) -> None:
        self._calls: dict[int, OpenCall | Callable[[], OpenCall]] = {}
        # Those that Synapse does not wait for any more, but that Node has not finished.
        self._expired: dict[int, OpenCall] = {}
        self._last_handle = 0

    def open(self, call: OpenCall | Callable[[], OpenCall]) -> int:
        """Registers a call, and returns its handle. `call` may be a function that makes it, since few are looked up."""
        handle = self._last_handle = self._last_handle + 1
        self._calls[handle] = call
        return handle

    def close(self, handle: int) -> None:
        """Forgets the call, if it is known."""
        self._calls.pop(handle, None)

    def expire(self, handle: int) -> OpenCall:
        """Synapse waits no more: modules can ask for nothing, but the call is a suspect until Node finishes it."""
        # A copy, since a lookup that is under way may still write to the original.
        call = copy(self._made(handle))
        self.close(handle)
        call.state = call.web_request = None
        call.ended_at = time.monotonic()
        if call.asked is not None:
            # The call must not keep the room's state either.
            asked, entries = call.asked
            asked = copy(asked)
            asked.params, room = asked.without_state()
            call.asked, call.state_room = (asked, entries), call.state_room or room
        if len(self._expired) >= MOST_EXPIRED:
            del self._expired[next(iter(self._expired))]
        self._expired[handle] = call
        return call

    def finished_late(self, handle: int) -> OpenCall | None:
        """Forgets an expired call, and returns it; None where it is not known."""
        return self._expired.pop(handle, None)

    def forget_expired(self) -> None:
        """Forgets all expired calls."""
        self._expired.clear()

    def get(self, handle: Any) -> OpenCall | None:
        """The call of a handle, while Synapse waits for it; else None."""
        return self._made(handle) if isinstance(handle, int) and handle in self._calls else None

    def _made(self, handle: int) -> OpenCall:
        call = self._calls[handle]
        if not isinstance(call, OpenCall):
            call = self._calls[handle] = call()
        return call

    @property
    def under_way(self) -> bool:
        """Whether Synapse waits for any."""
        return bool(self._calls)

    def _known(self) -> list[OpenCall]:
        known = [*self._expired.values()]
        for handle in [*self._calls]:
            # The end of a host has to be handled even where a function fails here.
            with suppress(Exception):
                known.append(self._made(handle))
        return known

    def unfinished(self) -> list[OpenCall]:
        """The expired calls, which Node may still be working on."""
        return [*self._expired.values()]

    def __len__(self) -> int:
        return len(self._calls) + len(self._expired)

    def describe(self) -> str:
        """What is running, the longest first, for a line of the log."""
        calls = sorted(self._known(), key=lambda call: call.since)
        if not calls:
            return "nothing was running"
        now = time.monotonic()
        named = ", ".join(f"{call.what} for {now - call.since:.1f} s" for call in calls[:MOST_NAMED])
        more = f" and {len(calls) - MOST_NAMED} more" if len(calls) > MOST_NAMED else ""
        return f"running: {named}{more}"
