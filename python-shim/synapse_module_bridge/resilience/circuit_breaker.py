"""Stops asking a module that keeps missing its deadline, and tries it again now and then.

Each callback of each module has a breaker. While it is closed, all calls pass. After some misses in a row it opens:
policy answers at once, except for a probe now and then. The first probe that is answered closes it.

No user and no server can switch a module off for others by what they send. So it opens only for the local users and
remote servers whose calls have missed, until they are several, and calls that ran at the same time count as one miss.
Answers to others do not close it for a user or server whose own calls all miss.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable
from math import inf

from synapse_module_bridge.telemetry.log_text import one_line

logger = logging.getLogger("synapse_module_bridge.circuit_breaker")

# A single slow call is no pattern; five in a row at the default deadline are 25 s of waiting clients.
MISSES_TO_OPEN = 5
# If the misses are of so many users or servers, the breaker opens for all.
WHO_ARE_ALL = 3
# The pause before a probe doubles from the first to the longest.
FIRST_PROBE_SECONDS = 2.0
LONGEST_PROBE_SECONDS = 60.0
# So many users and servers are remembered; the one that missed longest ago is forgotten first.
MOST_WHO = 1_000


class _Row:
    """Counts misses in a row, and times the probes once there are too many."""

    def __init__(self) -> None:
        self.misses = 0
        self.is_open = False
        # When the last miss that counts became known.
        self._missed_at = -inf
        self._pause = FIRST_PROBE_SECONDS
        self._probe_at = 0.0

    def missed(self, began: float, now: float) -> bool:
        """Counts a miss of a call that began at `began`. Returns whether it counts: not if it overlaps the last one."""
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
        # For the next probe, if this one is neither answered nor missed.
        self._probe_at = now + self._pause
        return True


class CircuitBreaker:
    """`name` stands in the log. `now` is a clock in seconds.

    In its methods, `who` is the local user, or the remote server, that a call counts for; empty where there is none.
    """

    def __init__(self, name: str, now: Callable[[], float]) -> None:
        self._name = name
        self._now = now
        # The misses since any call was answered, and the users and servers that the missed calls count for.
        self._row = _Row()
        self._who: set[str] = set()
        # By user or server, the misses since one of its own calls was answered.
        self._own: OrderedDict[str, _Row] = OrderedDict()
        # Whether it is open for any user or server, and whether a miss is counted. Each call reads these.
        self.is_open = False
        self.has_missed = False
        # When it opened.
        self._since = 0.0

    def admits(self, who: str) -> bool:
        """Whether a call may pass now. While the breaker is open, a call that passes is the probe."""
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
        """A call was answered in time."""
        if not self.has_missed:
            return
        self._own.pop(who, None)
        if self._row.misses:
            self._row = _Row()
            self._who.clear()
        self.has_missed = bool(self._own)
        if self.is_open and not self._looked_open():
            logger.warning("%s answers again; it was not asked for %.0f s", self._name, self._now() - self._since)

    def missed(self, began: float, who: str) -> None:
        """A call's deadline has passed while this module was running, which was asked at `began`."""
        now, before, self.has_missed = self._now(), self._open_for(who), True
        was_for_all = self._row.is_open and self._is_for_all
        if who:
            own = self._own.setdefault(who, _Row())
            self._own.move_to_end(who)
            own.missed(began, now)
            if len(self._own) > MOST_WHO:
                self._own.popitem(last=False)
        if self._row.missed(began, now) and not self._is_for_all:
            # Where no user or server is known, each miss counts as another one's.
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
