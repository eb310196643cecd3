"""Orders the suspects that are to be asked again.

Suspects that Synapse waits for come first, the youngest of them first, since a call that has hung Node is older than
the calls that have waited for it. Of the others, the oldest of each user or server comes first, so that a user cannot
hide a call behind later ones.
"""

from collections import Counter
from enum import IntEnum, auto
from heapq import heapify, heappop, heappush
from itertools import count

from synapse_module_bridge.quarantine.suspects import Suspect

# A line of this length takes no more suspects that Synapse does not wait for.
MOST_UNAWAITED = 200


class Rank(IntEnum):
    """Which suspects come first."""

    # Asked in vain, since Node has ended of something else meanwhile.
    AGAIN = auto()
    WAITED_FOR = auto()
    NOTIFICATION = auto()
    SHADOW = auto()
    # Synapse waits, but it has not answered in its turn.
    SLOW = auto()
    UNAWAITED = auto()
    # Synapse does not wait, and it has not answered in its turn.
    LONG_TURN = auto()


class SuspectLine:
    """A priority queue of suspects."""

    def __init__(self) -> None:
        # A heap: rank, number of earlier suspects of the same user or server, age, a number that keeps the order.
        self._line: list[tuple[int, int, float, int, Suspect]] = []
        self._numbers = count()
        # How many with the rank UNAWAITED have joined, by user or server.
        self._unawaited: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._line)

    def join(self, suspect: Suspect, rank: Rank | None = None) -> None:
        """Adds a suspect, by default with its own rank. It is dropped where the line is full."""
        if rank is None:
            rank = _rank(suspect)
            if not suspect.is_waited_for and len(self._line) >= MOST_UNAWAITED:
                return
        started, before = -suspect.call.started, 0
        if rank is Rank.UNAWAITED:
            started, before = -started, self._unawaited[suspect.call.who]
            self._unawaited[suspect.call.who] += 1
        heappush(self._line, (rank, before, started, next(self._numbers), suspect))

    def next(self) -> Suspect:
        """Removes the first suspect, and returns it."""
        return heappop(self._line)[-1]

    def drop_unawaited(self) -> None:
        """Drops all suspects that Synapse does not wait for."""
        self._line = [place for place in self._line if place[-1].is_waited_for]
        self._unawaited.clear()
        heapify(self._line)

    def leave_all(self) -> list[Suspect]:
        """Empties the line, and returns all suspects."""
        left, self._line = self._line, []
        self._unawaited.clear()
        return [suspect for *_, suspect in left]


def _rank(suspect: Suspect) -> Rank:
    if not suspect.is_waited_for:
        return Rank.LONG_TURN if suspect.is_slow else Rank.UNAWAITED
    if suspect.is_slow:
        return Rank.SLOW
    if suspect.entries[0].shadow:
        return Rank.SHADOW
    return Rank.NOTIFICATION if suspect.call.callback.notify else Rank.WAITED_FOR
