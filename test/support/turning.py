"""Turns Twisted's reactor until something holds."""

import gc
import threading
import time
from collections.abc import Callable
from typing import Any

from twisted.internet import reactor as installed_reactor
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

reactor: Any = installed_reactor
IDLE_SECONDS = 0.005


def turn_until(done: Callable[[], object], seconds: float = 8.0) -> None:
    """Turns the reactor until something holds; fails after a while."""
    if not reactor.running:
        reactor.startRunning(installSignalHandlers=False)
        # What Synapse has loaded needs no look at each collection.
        gc.freeze()
        # Its threads would keep the test run from ending.
        threading._register_atexit(reactor.getThreadPool().stop)  # type: ignore[attr-defined]
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until, "it did not happen in time"
        _turn()


# How long the longest turn of the reactor has taken.
_longest_turn = 0.0


def _turn() -> None:
    global _longest_turn
    # Its idle wait is no pause.
    began = time.monotonic()
    reactor.iterate(IDLE_SECONDS)
    _longest_turn = max(_longest_turn, time.monotonic() - began - IDLE_SECONDS)


def settled(deferred: "Deferred[Any]", seconds: float = 8.0) -> Any:
    """What a Deferred fires with; an exception is returned."""
    results: list[Any] = []
    deferred.addBoth(results.append)
    turn_until(lambda: results, seconds)
    assert len(results) == 1
    return results[0].value if isinstance(results[0], Failure) else results[0]


def outcome(deferred: "Deferred[Any]") -> Any:
    """What a Deferred has fired with already; an exception is returned."""
    results: list[Any] = []
    deferred.addBoth(results.append)
    assert len(results) == 1, "the Deferred has not fired"
    return results[0].value if isinstance(results[0], Failure) else results[0]


def forget_pauses() -> None:
    global _longest_turn
    _longest_turn = 0.0


def longest_pause() -> float:
    """In seconds, since they were forgotten."""
    return _longest_turn
