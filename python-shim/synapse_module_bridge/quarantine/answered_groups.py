"""Keeps the suspects that had been answered before Node, or a thread, ended, in groups by the age of their answers.

A group is watched for about as long as its oldest answer preceded the end. The group with the youngest answers comes
first, since it takes the least time.
"""

from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from itertools import count

from synapse_module_bridge.quarantine.suspects import RECENT_SECONDS, Suspect

# The upper ends of the groups' ages, in seconds before the end.
AGES = (0.1, 0.5, RECENT_SECONDS)
MOST_GROUPS = 30
# The suspects of one end, failed calls of a thread and answered ones, become known within this time.
SAME_END_SECONDS = 0.25
# An age that comes before all others.
FIRST = 0.0


class AnsweredGroups:
    """A priority queue of groups."""

    def __init__(self) -> None:
        # A heap of ages, numbers that keep the order, and groups.
        self._groups: list[tuple[float, int, list[Suspect]]] = []
        self._numbers = count()

    def __len__(self) -> int:
        return len(self._groups)

    def add(self, answered: Sequence[Suspect]) -> None:
        """Adds the suspects of one end."""
        younger = 0.0
        for oldest in AGES:
            group = [suspect for suspect in answered if younger <= suspect.age < oldest]
            if group and len(self._groups) < MOST_GROUPS:
                heappush(self._groups, (oldest, next(self._numbers), group))
            younger = oldest

    def next(self) -> list[Suspect]:
        """Removes the first group, and returns it."""
        return heappop(self._groups)[-1]

    def put_first(self, *groups: list[Suspect]) -> None:
        """Puts groups before all others. The last of these comes first."""
        for group in filter(None, groups):
            heappush(self._groups, (FIRST, -next(self._numbers), group))

    def found(self, suspect: Suspect) -> None:
        """Drops the suspects of the end that this one has caused. Those of other ends stay."""
        self._groups = [
            (age, number, others)
            for age, number, group in self._groups
            if (others := [one for one in group if abs(one.since - suspect.since) >= SAME_END_SECONDS])
        ]
        heapify(self._groups)

    def clear(self) -> None:
        """Drops all groups."""
        self._groups.clear()
