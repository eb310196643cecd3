"""Stops asking a module that keeps missing its deadline, and tries it again now and then.

One breaker belongs to one callback of one module. Closed, every call passes. After some misses in a row it opens:
calls are answered by policy at once, but for one probe now and then; the first probe that is answered closes it. It
opens for those alone whose calls have missed, a user of ours or another server, until they are several; and calls that
ran at the same time miss as one: what one of them sends must not switch a policy off for others. Nor do others' good
answers keep it closed for one whose own calls all miss.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable
from math import inf

from synapse_module_bridge.telemetry.log_text import one_line

logger = logging.getLogger("synapse_module_bridge.breaker")

# A single slow call is no pattern; five in a row at the default deadline are 25 s of waiting clients.
MISSES_TO_OPEN = 5
# So many are everybody.
WHO_ARE_ALL = 3
FIRST_PROBE_SECONDS = 2.0
LONGEST_PROBE_SECONDS = 60.0
# Whose misses in a row are known; whoever missed longest ago is forgotten first.
MOST_WHO = 1_000


class _Row:
    """Misses in a row, and the probes once they are too many."""

    def __init__(self) -> None:
        self.misses = 0
        self.is_open = False
        # When the last miss that counts became known.
        self._missed_at = -inf
        self._pause = FIRST_PROBE_SECONDS
        self._probe_at = 0.0

    def missed(self, began: float, now: float) -> bool:
        """Tells whether it counts: not where it ran at the same time as the last."""
        if began < self._missed_at:
            return False
        self._missed_at = now
        self.misses += 1
        if self.is_open:
            self._pause = min(self._pause * 2, LONGEST_PROBE_SECONDS)
        elif self.misses >= MISSES_TO_OPEN:
            self.is_open = True
        self._probe_at = now + self._pause
        return True

    def admits(self, now: float) -> bool:
        if now < self._probe_at:
            return False
        # The next probe, should this one tell nothing.
        self._probe_at = now + self._pause
        return True


class CircuitBreaker:
    def __init__(self, name: str, now: Callable[[], float]) -> None:
        self._name = name
        self._now = now
        # Of all since anybody was answered, and whose they were.
        self._row = _Row()
        self._who: set[str] = set()
        # Of each since they themselves were answered.
        self._own: OrderedDict[str, _Row] = OrderedDict()
        # Whether it is open for anybody. Each call looks at this.
        self.is_open = False
        self._since = 0.0

    def admits(self, who: str) -> bool:
        """Whether a call of theirs may pass now. While open, the one call that it lets pass is the probe."""
        if not self.is_open:
            return True
        row = self._open_for(who)
        return row is None or row.admits(self._now())

    def _open_for(self, who: str) -> _Row | None:
        if self._row.is_open and (who in self._who or self._is_for_all):
            return self._row
        own = self._own.get(who)
        return own if own is not None and own.is_open else None

    @property
    def _is_for_all(self) -> bool:
        return len(self._who) >= WHO_ARE_ALL

    def answered(self, who: str) -> None:
        """A call of theirs was answered in time."""
        if not self._row.misses and not self._own:
            return
        self._own.pop(who, None)
        if self._row.misses:
            self._row = _Row()
            self._who.clear()
        if self.is_open and not self._looked_open():
            logger.warning("%s answers again; it was not asked for %.0f s", self._name, self._now() - self._since)

    def missed(self, began: float, who: str) -> None:
        """A deadline has passed while this module was running; it was asked at `began`."""
        now, before = self._now(), self._open_for(who)
        was_for_all = self._row.is_open and self._is_for_all
        if who:
            own = self._own.setdefault(who, _Row())
            self._own.move_to_end(who)
            own.missed(began, now)
            if len(self._own) > MOST_WHO:
                self._own.popitem(last=False)
        if self._row.missed(began, now) and not self._is_for_all:
            # Where it is about nobody, each miss is somebody else's.
            self._who.add(who or f"{self._row.misses}.")
        self._looked_open()
        is_for_all = self._row.is_open and self._is_for_all
        row = self._open_for(who)
        if row is not None and (before is None or is_for_all is not was_for_all):
            self._tell(row, "" if is_for_all else f" about {_named(self._who if row is self._row else {who})}")

    def _looked_open(self) -> bool:
        was_open = self.is_open
        self.is_open = self._row.is_open or any(own.is_open for own in self._own.values())
        if not was_open:
            self._since = self._now()
        return self.is_open

    def _tell(self, row: _Row, about: str) -> None:
        logger.error(
            "%s has missed %d deadlines in a row: it is not asked%s, but for a probe now and then",
            *(self._name, row.misses, about),
        )


def _named(who: set[str]) -> str:
    return one_line(" and ".join(sorted(who)))
