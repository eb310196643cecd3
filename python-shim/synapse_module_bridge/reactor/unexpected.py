"""Logs an exception of the shim's own code, so that whatever comes after it is still done."""

import logging
import traceback
from collections.abc import Callable
from typing import TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")

# Of the stack, from the place where the exception was raised: enough to find it.
MOST_FRAMES = 4


def contained(what: str, do: Callable[[], T], otherwise: T) -> T:
    """Calls `do` and returns its result. Where it raises, logs that, and returns `otherwise`.

    `what` names the work in the log, as in "reading the host's log".
    """
    try:
        return do()
    except Exception as e:
        log_unexpected(what, e)
        return otherwise


def log_unexpected(what: str, error: BaseException) -> None:
    """Logs where the exception was raised, but not its text, which may contain what users write."""
    frames = traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]
    places = ", ".join(f"{frame.name} in {frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames)
    logger.error("%s failed: %s (%s); this is a fault of the bridge", what, type(error).__name__, places)
