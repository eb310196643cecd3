"""Limits how many requests one admin may send in a minute, so that a script cannot keep Synapse's database busy."""

import math
from collections import OrderedDict
from collections.abc import Callable

from synapse.api.errors import Codes

from synapse_module_bridge.admin.refused import Refused

MINUTE = 60.0
# More admins than any homeserver has.
MOST_ADMINS = 1_000


class RateLimit:
    """`a_minute` requests of each admin at once, and then as many within each minute. `now` is a clock in seconds."""

    def __init__(self, a_minute: int, now: Callable[[], float]) -> None:
        self._a_minute = a_minute
        self._now = now
        # By admin: how many requests are left, and as of when.
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def count(self, admin: str) -> None:
        """Counts one request. Raises Refused where it is one too many."""
        now = self._now()
        left, since = self._left.pop(admin, (float(self._a_minute), now))
        left = min(self._a_minute, left + (now - since) * self._a_minute / MINUTE)
        if left >= 1:
            self._left[admin] = left - 1, now
            if len(self._left) > MOST_ADMINS:
                self._left.popitem(last=False)
            return
        self._left[admin] = left, now
        raise too_many((1 - left) * MINUTE / self._a_minute)


def too_many(seconds: float) -> Refused:
    """The refusal of one request too many, which may be sent again after so many seconds."""
    after = max(1, math.ceil(seconds))
    return Refused(
        429,
        Codes.LIMIT_EXCEEDED,
        f"too many requests: try again in {after} s",
        {"Retry-After": str(after)},
        {"retry_after_ms": after * 1000},
    )
