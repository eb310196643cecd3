"""Waits until a host that is going to be stopped has no work left."""

from collections.abc import Callable
from typing import Any

from synapse.logging.context import PreserveLoggingContext
from twisted.internet.defer import Deferred

# Short beside the pause below.
LOOK_SECONDS = 0.02
# Between one answer of a module and the next question of the same request, Synapse may store an event.
PAUSE_SECONDS = 0.5


def drained(clock: Any, is_busy: Callable[[], bool]) -> "Deferred[None]":
    """Fires at once where the host is not busy, else once it has not been busy for PAUSE_SECONDS."""
    done: Deferred[None] = Deferred()
    last_busy: float | None = None

    def look() -> None:
        nonlocal last_busy
        now = clock.seconds()
        if is_busy():
            last_busy = now
        if last_busy is not None and now - last_busy < PAUSE_SECONDS:
            clock.callLater(LOOK_SECONDS, look)
        elif not done.called:
            with PreserveLoggingContext():
                done.callback(None)

    look()
    return done
