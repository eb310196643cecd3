"""The suspects that had been answered when Node, or a thread, ended: in groups, since a group is watched for about as
long as it is older than the end. Those that were answered last come first, of whichever end: they take the least time.
"""

from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from itertools import count

from synapse_module_bridge.quarantine.suspects import RECENT_SECONDS, Suspect

# What was answered up to so long before the end makes a group.
AGES = (0.1, 0.5, RECENT_SECONDS)
MOST_GROUPS = 30
# Which calls a thread has failed, and that it has ended, becomes known within this.
SAME_END_SECONDS = 0.25
# Before all others.
FIRST = 0.0


class AnsweredGroups:
    def __init__(self) -> None:
        # By age, and then in order.
        self._groups: list[tuple[float, int, list[Suspect]]] = []
        self._numbers = count()

    def __len__(self) -> int:
        return len(self._groups)

    def add(self, answered: Sequence[Suspect]) -> None:
        """Those of one end."""
        younger = 0.0
        for oldest in AGES:
            group = [suspect for suspect in answered if younger <= suspect.age < oldest]
            if group and len(self._groups) < MOST_GROUPS:
                heappush(self._groups, (oldest, next(self._numbers), group))
            younger = oldest

    def next(self) -> list[Suspect]:
        return heappop(self._groups)[-1]

    def put_first(self, *groups: list[Suspect]) -> None:
        """The last of these comes next."""
        for group in filter(None, groups):
            heappush(self._groups, (FIRST, -next(self._numbers), group))

    def found(self, suspect: Suspect) -> None:
        """Of one end it is known who it was. That covers nobody who has done it before, or after."""
        self._groups = [
            (age, number, others)
            for age, number, group in self._groups
            if (others := [one for one in group if abs(one.since - suspect.since) >= SAME_END_SECONDS])
        ]
        heapify(self._groups)

    def clear(self) -> None:
        self._groups.clear()
