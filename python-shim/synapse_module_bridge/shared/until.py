"""Reads when an override ends by itself: a time, or a duration from now."""

from synapse.config._base import Config as SynapseConfig

# Ten years.
MOST_MS = 10 * 365 * 24 * 60 * 60 * 1000
_REMEDY = "give milliseconds since the epoch, or a duration from now, such as 2h"


def read_until(value: int | str, now: int) -> int:
    """The time in milliseconds since the epoch. `now` is one, too. Raises ValueError with the remedy."""
    if isinstance(value, bool):
        raise ValueError(_REMEDY)
    if isinstance(value, str) and not value.isdecimal():
        try:
            until = now + SynapseConfig.parse_duration(value)
        except (TypeError, ValueError):
            raise ValueError(_REMEDY) from None
    else:
        until = int(value)
    if not now < until <= now + MOST_MS:
        raise ValueError(f"it must lie ahead, and within ten years: {_REMEDY}")
    return until
