"""Remembers the events that were being judged when Node died, so that one of them cannot kill it again and again.

An event that was alone in flight when Node died, or that was in flight at two deaths, is not asked about again for
a while.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection

MOST_REMEMBERED = 1_000
FORGET_AFTER_SECONDS = 3_600.0
# One death may have had another cause than any one of many events.
DEATHS_TO_CONVICT = 2


class Suspects:
    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        # Per event id: how many deaths count against it, and when the last was.
        self._deaths: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def died(self, in_flight: Collection[str]) -> None:
        """Node has died while these events were being judged."""
        weight = DEATHS_TO_CONVICT if len(in_flight) == 1 else 1
        for event_id in in_flight:
            deaths, _ = self._deaths.pop(event_id, (0, 0.0))
            self._deaths[event_id] = (deaths + weight, self._now())
        while len(self._deaths) > MOST_REMEMBERED:
            self._deaths.popitem(last=False)

    def is_convicted(self, event_id: str) -> bool:
        known = self._deaths.get(event_id)
        if known is None:
            return False
        deaths, last = known
        if self._now() - last > FORGET_AFTER_SECONDS:
            del self._deaths[event_id]
            return False
        return deaths >= DEATHS_TO_CONVICT
