"""Breaks a deadlock: a module awaits a membership change, which waits for the lock that Synapse holds for the module's
call.

Synapse changes the memberships of a room one after the other, under a lock (`RoomMemberHandler.member_linearizer`), and
calls callbacks while it holds it. A change in the same room that a module awaits within such a callback could only get
the lock after the module has answered. Such a change is cancelled while it still waits for the lock, so it has no
effect after the module was told that it failed. A change that is not awaited keeps its place, and takes effect after
the callback, as it would for a Python module.
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

# How long a change may take before it is looked at: enough for one that does not wait, even where Synapse is busy.
PATIENCE_SECONDS = 1.0
SHORTEST_PAUSE_SECONDS = 0.05


def locked_room(callback: Callback, params: Mapping[str, Any], *, local: bool) -> str | None:
    """The room whose memberships Synapse has locked until this call is answered, or None."""
    lock = callback.membership_lock
    # Synapse asks about changes of other servers without the lock, and does not wait for shadow modules.
    if lock is None or not local:
        return None
    if any(lookup(params, path) != value for path, value in lock.where.items()):
        return None
    room = lookup(params, lock.room)
    return room if isinstance(room, str) else None


class MembershipChanges:
    """Runs membership changes for modules. `clock` is an IReactorTime."""

    def __init__(self, api: ModuleApi, clock: Any) -> None:
        self._api = api
        self._clock = clock
        # By the handle of the call and the module that started a change: the timers that will look at it.
        self._timers: dict[tuple[int, str], list[Any]] = {}

    async def run(
        self,
        start: Callable[[], Awaitable[Any]],
        room_id: str,
        origin: tuple[int, str],
        call: Callable[[], OpenCall | None],
    ) -> Any:
        """Starts a change in a room, and returns its result. Raises RpcError where it waits for its own call.

        `origin` has the handle of the call from which it was started, and the module. `call` returns that call while
        Synapse waits for its answer, and None afterwards.
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
        """The module's handler has answered without awaiting its changes: they go on."""
        for timer in self._timers.get((handle, module), ()):
            if timer.active():
                timer.cancel()

    def _is_in_line(self, room_id: str) -> bool:
        """Whether changes wait for the room's lock. A change that has the lock must not be cancelled."""
        members: Any = self._api._hs.get_room_member_handler()
        return bool(members.member_linearizer.is_queued((room_id,)))
