"""Gives a Deferred a deadline, without leaving Synapse's log context behind in the reactor."""

from functools import partial
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from synapse_module_bridge.reactor.log_context import SentinelContext

T = TypeVar("T")


class DeadlinePassed(Exception):
    """The Deferred did not fire in time, and was cancelled."""


async def within(deferred: "Deferred[T]", seconds: float, clock: Any) -> T:
    """Waits for the Deferred and returns its result, in the caller's log context.

    Raises DeadlinePassed after `seconds`, or the exception that the Deferred fails with. `clock` is an IReactorTime.
    """
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
    """Cancels the Deferred after `seconds`; callbacks that are added later get DeadlinePassed as its failure.

    Twisted's addTimeout would resume Synapse's code without restoring the reactor's log context.
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
