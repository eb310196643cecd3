"""Keeps a module from waiting for a membership change that waits for the module.

Synapse changes the memberships of a room one after the other, and asks callbacks while it does. A module that awaits a
change in the same room inside one of them waits for a lock that is only released once it has answered. The change is
then still in line: it is taken out of it, so that nothing happens later that the module was told has failed. One that
is not awaited stays in line, and goes through after the callback as in Python.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from synapse.logging.context import PreserveLoggingContext, make_deferred_yieldable, run_in_background
from synapse.module_api import ModuleApi
from twisted.internet.defer import CancelledError, Deferred

from synapse_module_bridge.calls.open_calls import OpenCall
from synapse_module_bridge.codec.match import lookup
from synapse_module_bridge.schema.catalogue import Callback
from synapse_module_bridge.schema.protocol import ERROR_CODES
from synapse_module_bridge.transport.rpc import RpcError

# Long enough for a change that is not in line at all, though Synapse is busy.
PATIENCE_SECONDS = 1.0
SHORTEST_PAUSE_SECONDS = 0.05


def locked_room(callback: Callback, params: Mapping[str, Any], *, local: bool) -> str | None:
    """The room whose memberships Synapse lets nobody change until this call is answered."""
    lock = callback.membership_lock
    # Of another server's changes Synapse asks without the lock; for shadow modules it does not wait.
    if lock is None or not local:
        return None
    if any(lookup(params, path) != value for path, value in lock.where.items()):
        return None
    room = lookup(params, lock.room)
    return room if isinstance(room, str) else None


class MembershipChanges:
    def __init__(self, api: ModuleApi, clock: Any) -> None:
        self._api = api
        self._clock = clock
        # By the call they were started from and the module that did: timers that are still to look at them.
        self._timers: dict[tuple[int, str], list[Any]] = {}

    async def run(
        self,
        start: Callable[[], Awaitable[Any]],
        room_id: str,
        origin: tuple[int, str],
        call: Callable[[], OpenCall | None],
    ) -> Any:
        """The result of a change in a room. Raises RpcError if it waits for the very call it was started from.

        `origin` is that call's handle, and the module; `call` gives the call while Synapse waits for its answer.
        """
        opened = call()
        change: Deferred[Any] = run_in_background(start)
        if opened is None or opened.locked_room != room_id:
            return await make_deferred_yieldable(change)
        given_up = False
        timers = self._timers.setdefault(origin, [])
        timer: Any = None

        def look_later() -> None:
            nonlocal timer
            pause = max(SHORTEST_PAUSE_SECONDS, min(PATIENCE_SECONDS, opened.seconds_left / 2))
            timer = self._clock.callLater(pause, look)
            timers.append(timer)

        def look() -> None:
            nonlocal given_up
            timers.remove(timer)
            if change.called or call() is None:
                return
            if not self._is_in_line(room_id):
                look_later()
                return
            given_up = True
            with PreserveLoggingContext():
                change.cancel()

        look_later()
        try:
            return await make_deferred_yieldable(change)
        except CancelledError:
            if not given_up:
                raise
            raise RpcError(
                ERROR_CODES["membership_locked"],
                f"{opened.what} decides about a membership of {room_id}, and until it has answered, Synapse lets no "
                "other membership of that room change: start update_room_membership there without awaiting it",
                {"room_id": room_id},
            ) from None
        finally:
            if timer.active():
                timer.cancel()
            if timer in timers:
                timers.remove(timer)
            if not timers:
                self._timers.pop(origin, None)

    def not_awaited(self, handle: int, module: str) -> None:
        """The module's handler has answered: what it started goes on."""
        for timer in self._timers.get((handle, module), ()):
            if timer.active():
                timer.cancel()

    def _is_in_line(self, room_id: str) -> bool:
        """Whether changes wait for the room's lock: what has begun must not be cut off."""
        members: Any = self._api._hs.get_room_member_handler()
        return bool(members.member_linearizer.is_queued((room_id,)))
