"""Shares out something bounded so that nobody can take all of it: whoever already holds much leaves the rest to others.

Each may hold a few times what is free at the moment. So one alone gets nearly all, and where many want some, some is
always left for the next one who comes.
"""

# One alone gets four fifths.
TIMES_WHAT_IS_FREE = 4


class FairShare:
    """By user, or server."""

    def __init__(self) -> None:
        self._held: dict[str, int] = {}

    def admits(self, who: str, free: int) -> bool:
        """Whether one may have more of it while so much is free."""
        return self._held.get(who, 0) < TIMES_WHAT_IS_FREE * free

    def takes_one(self, who: str, free: int) -> bool:
        """As `admits`, and takes it."""
        held = self._held.get(who, 0)
        if held >= TIMES_WHAT_IS_FREE * free:
            return False
        self._held[who] = held + 1
        return True

    def take(self, who: str, amount: int = 1) -> None:
        """One takes so much, or gives it back where that is negative."""
        held = self._held.get(who, 0) + amount
        if held:
            self._held[who] = held
        else:
            self._held.pop(who, None)
