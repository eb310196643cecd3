"""For what must go on whatever goes wrong: an exception of our own code is logged, and nothing else is kept from being
done.
"""

import logging
import traceback
from collections.abc import Callable
from typing import TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")

MOST_FRAMES = 4


def contained(what: str, do: Callable[[], T], otherwise: T) -> T:
    """What `do` gives, or `otherwise` where it raises."""
    try:
        return do()
    except Exception as e:
        log_unexpected(what, e)
        return otherwise


def log_unexpected(what: str, error: BaseException) -> None:
    """Tells where it was raised, and not its text, which may hold what users write."""
    frames = traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]
    places = ", ".join(f"{frame.name} in {frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames)
    logger.error("%s failed: %s (%s); this is a fault of the bridge", what, type(error).__name__, places)
