"""Reads and shows moments, which admins give in milliseconds since the epoch, or as a duration from now or back."""

import time

from synapse.config._base import Config as SynapseConfig

# For the end of a mode: ten years.
MOST_AHEAD_MS = 10 * 365 * 24 * 60 * 60 * 1000
# JavaScript's largest exact integer, and beyond any time.
MOST_NUMBER = 2**53 - 1
# The end of the year 9999. Databases hold later moments, and what shows them does not.
LAST_TS = 253_402_300_799_999


def read_until(value: int | str, now: int) -> int:
    """The moment at which something ends by itself. All are in milliseconds since the epoch. Raises ValueError."""
    duration = _duration(value) if isinstance(value, str) else None
    until = now + duration if duration is not None else read_number(str(value))
    if until is None or not now < until <= now + MOST_AHEAD_MS:
        raise ValueError(
            "until must be in the future, and within ten years: milliseconds since the epoch, or a duration from now, "
            "such as 2h"
        )
    return until


def read_since(text: str, now: int) -> int:
    """The moment from which on something is asked for, in milliseconds since the epoch, as `now`. Raises ValueError."""
    duration = _duration(text)
    since = max(0, now - duration) if duration is not None else read_number(text)
    if since is None:
        raise ValueError("since must be milliseconds since the epoch, or a duration back from now, such as 24h")
    return since


def read_number(text: str) -> int | None:
    """A whole number that JSON can have; None for all else."""
    # Other scripts have digits, too.
    is_one = text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= MOST_NUMBER
    return int(text) if is_one else None


def local_time(ms: int) -> str:
    """The moment for people, in this machine's time zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(ms / 1000))


def _duration(text: str) -> int | None:
    """In milliseconds. None without a unit: a number alone is a moment."""
    if not (text[:-1].isascii() and text[:-1].isdigit() and text[-1].isalpha() and len(text) <= 15):
        return None
    try:
        return int(SynapseConfig.parse_duration(text))
    except (TypeError, ValueError):
        return None
