"""The calls that run now: what the host may ask about while they do, and what was going on when it ended."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import copy
from typing import Any

from synapse_module_bridge.calls.call import Call
from synapse_module_bridge.routing.route import Entry

# More are not named in one line of the log.
MOST_NAMED = 5
# Calls that Node never finishes are forgotten once so many are known.
MOST_EXPIRED = 5_000


class OpenCall:
    # The call, and whom it was asked of; None for what is no call of a callback.
    asked: tuple[Call, Sequence[Entry]] | None = None
    # The room's state; None where the call has none, or where it was let go while the call waited in line.
    state: Mapping[tuple[str, str], Any] | None = None
    # The room whose current state is looked up where the state was let go.
    state_room: str | None = None
    web_request: Any = None
    # The room whose memberships Synapse lets nobody change until this call is answered.
    locked_room: str | None = None
    # Of the monotonic clock; only where it has one that the host's requests must know.
    deadline: float = math.inf
    # When Synapse stopped waiting for it.
    ended_at: float = math.inf

    def __init__(self, name: str, modules: Sequence[str], since: float | None = None) -> None:
        """The callback, or whatever else runs, and the modules that it runs in."""
        self.name = name
        self.modules = modules
        self.since = time.monotonic() if since is None else since

    @property
    def what(self) -> str:
        """What runs, for the log."""
        return f"{self.name} of {', '.join(self.modules)}"

    @property
    def seconds_left(self) -> float:
        return max(0.0, self.deadline - time.monotonic())


class OpenCalls:
    """By handle."""

    def __init__(self) -> None:
        self._calls: dict[int, OpenCall | Callable[[], OpenCall]] = {}
        # Synapse has been answered by policy, but Node has not finished.
        self._expired: dict[int, OpenCall] = {}
        self._last_handle = 0

    def open(self, call: OpenCall | Callable[[], OpenCall]) -> int:
        """Gives its handle. `call` may be a function that makes it: of most, nobody asks for anything."""
        self._last_handle += 1
        self._calls[self._last_handle] = call
        return self._last_handle

    def close(self, handle: int) -> None:
        """Synapse waits for it no more."""
        self._calls.pop(handle, None)

    def expire(self, handle: int) -> OpenCall:
        """Synapse waits no more: the call may ask for nothing, and is a suspect until Node has finished it."""
        # A copy: who looks something up for it at this moment may still put it into the other.
        call = copy(self._made(handle))
        self.close(handle)
        call.state = call.web_request = None
        call.ended_at = time.monotonic()
        if call.asked is not None:
            # Nor is the room's state kept with the question.
            asked, entries = call.asked
            asked = copy(asked)
            asked.params, room = asked.without_state()
            call.asked, call.state_room = (asked, entries), call.state_room or room
        if len(self._expired) >= MOST_EXPIRED:
            del self._expired[next(iter(self._expired))]
        self._expired[handle] = call
        return call

    def finished_late(self, handle: int) -> OpenCall | None:
        """The call, if it has expired; it is not known any more."""
        return self._expired.pop(handle, None)

    def forget_expired(self) -> None:
        self._expired.clear()

    def get(self, handle: Any) -> OpenCall | None:
        """The call, while Synapse waits for it."""
        return self._made(handle) if isinstance(handle, int) and handle in self._calls else None

    def _made(self, handle: int) -> OpenCall:
        call = self._calls[handle]
        if not isinstance(call, OpenCall):
            call = self._calls[handle] = call()
        return call

    @property
    def under_way(self) -> bool:
        """Whether Synapse waits for one."""
        return bool(self._calls)

    def _known(self) -> list[OpenCall]:
        known = [*self._expired.values()]
        for handle in [*self._calls]:
            # One that cannot be made must not keep the end of a host from being dealt with.
            with suppress(Exception):
                known.append(self._made(handle))
        return known

    def unfinished(self) -> list[OpenCall]:
        """Those that nobody waits for any more, and that Node may still be working on."""
        return [*self._expired.values()]

    def __len__(self) -> int:
        return len(self._calls) + len(self._expired)

    def describe(self) -> str:
        """What runs, the longest first, for a line of the log."""
        calls = sorted(self._known(), key=lambda call: call.since)
        if not calls:
            return "nothing was running"
        now = time.monotonic()
        named = ", ".join(f"{call.what} for {now - call.since:.1f} s" for call in calls[:MOST_NAMED])
        more = f" and {len(calls) - MOST_NAMED} more" if len(calls) > MOST_NAMED else ""
        return f"running: {named}{more}"
