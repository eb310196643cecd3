"""The suspects that are to be asked again, in order: those whom somebody waits for first, and of them the last that was
asked, since who hangs Node is older than all that have waited for it. Of those whom nobody waits for, each author's
oldest comes first: nobody can hide behind what they asked later.
"""

from collections import Counter
from heapq import heapify, heappop, heappush
from itertools import count

from synapse_module_bridge.quarantine.suspects import Suspect

# Of those that nobody waits for any more.
MOST_UNAWAITED = 200
# Before all others, and after them.
FIRST = -1
UNAWAITED = 4
LONG_TURN = 5


class SuspectLine:
    def __init__(self) -> None:
        # By rank, how many of the same author are before it, and when it was asked.
        self._line: list[tuple[int, int, float, int, Suspect]] = []
        self._numbers = count()
        # Of those whom nobody waits for, by whose they are.
        self._unawaited: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._line)

    def join(self, suspect: Suspect, rank: int | None = None) -> None:
        if rank is None:
            rank = _rank(suspect)
            if not suspect.is_waited_for and len(self._line) >= MOST_UNAWAITED:
                return
        started, before = -suspect.call.started, 0
        if rank == UNAWAITED:
            started, before = -started, self._unawaited[suspect.call.who]
            self._unawaited[suspect.call.who] += 1
        heappush(self._line, (rank, before, started, next(self._numbers), suspect))

    def next(self) -> Suspect:
        return heappop(self._line)[-1]

    def drop_unawaited(self) -> None:
        self._line = [place for place in self._line if place[-1].is_waited_for]
        self._unawaited.clear()
        heapify(self._line)

    def leave_all(self) -> list[Suspect]:
        left, self._line = self._line, []
        self._unawaited.clear()
        return [suspect for *_, suspect in left]


def _rank(suspect: Suspect) -> int:
    if not suspect.is_waited_for:
        return LONG_TURN if suspect.is_slow else UNAWAITED
    if suspect.is_slow:
        return 3
    if suspect.entries[0].shadow:
        return 2
    return 1 if suspect.call.callback.notify else 0
