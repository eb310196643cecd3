"""A Deferred that must fire within a time."""

from functools import partial
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from synapse_module_bridge.reactor.log_context import SentinelContext

T = TypeVar("T")


class DeadlinePassed(Exception):
    """The Deferred did not fire in time; it was cancelled."""


async def within(deferred: "Deferred[T]", seconds: float, clock: Any) -> T:
    """What the Deferred fires with, in the log context of who waits. Raises DeadlinePassed, and what it fails with."""
    timer = clock.callLater(max(0.0, seconds), partial(_cancel, deferred))
    try:
        with SentinelContext():
            return await deferred
    except CancelledError:
        if timer.active():
            raise
        raise DeadlinePassed from None
    finally:
        if timer.active():
            timer.cancel()


def add_deadline(deferred: "Deferred[Any]", seconds: float, clock: Any) -> None:
    """Cancels the Deferred after some seconds; what waits for it then sees DeadlinePassed.

    Twisted's addTimeout would resume Synapse's code without putting the reactor's log context back.
    """
    passed = False

    def expire() -> None:
        nonlocal passed
        passed = True
        _cancel(deferred)

    timer = clock.callLater(max(0.0, seconds), expire)

    def fired(result: Any) -> Any:
        if timer.active():
            timer.cancel()
        if passed and isinstance(result, Failure) and result.check(CancelledError):
            raise DeadlinePassed
        return result

    deferred.addBoth(fired)


def _cancel(deferred: "Deferred[Any]") -> None:
    with SentinelContext():
        deferred.cancel()
