"""Waits until a host that is to end has answered what it was asked."""

from collections.abc import Callable
from typing import Any

from synapse.logging.context import PreserveLoggingContext
from twisted.internet.defer import Deferred

LOOK_SECONDS = 0.02
# What Synapse needs from one answer of a module to its next question, or to its response: it stores the event first.
PAUSE_SECONDS = 0.5


def drained(clock: Any, is_busy: Callable[[], bool]) -> "Deferred[None]":
    """Fires at once where nothing is under way, else when nothing has been for a moment."""
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
