"""A Deferred that must fire within a time."""

from typing import Any

from synapse.logging.context import PreserveLoggingContext
from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure


class DeadlinePassed(Exception):
    """The Deferred did not fire in time; it was cancelled."""


def add_deadline(deferred: "Deferred[Any]", seconds: float, clock: Any) -> None:
    """Cancels the Deferred after some seconds; what waits for it then sees DeadlinePassed.

    Twisted's addTimeout would resume Synapse's code without putting the reactor's log context back.
    """
    passed = False

    def expire() -> None:
        nonlocal passed
        passed = True
        with PreserveLoggingContext():
            deferred.cancel()

    timer = clock.callLater(max(0.0, seconds), expire)

    def fired(result: Any) -> Any:
        if timer.active():
            timer.cancel()
        if passed and isinstance(result, Failure) and result.check(CancelledError):
            raise DeadlinePassed
        return result

    deferred.addBoth(fired)
