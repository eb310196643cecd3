"""Shares out a bounded resource, so that no user or server can take all of it.

Each may hold a few times of what is free at the moment. So a single one gets most of it, and however many want some,
something is left for the next one. (In switches for networks, this is known as a dynamic threshold.)
"""

# A single user or server gets up to four fifths of the resource.
TIMES_WHAT_IS_FREE = 4


class FairShare:
    """Counts what each user or server holds. Its owner keeps what is free."""

    def __init__(self) -> None:
        # By user or server. Nobody is in it who holds nothing.
        self.held: dict[str, int] = {}

    def admits(self, who: str, free: int) -> bool:
        """Whether this user or server may take more, while `free` is left."""
        return self.held.get(who, 0) < TIMES_WHAT_IS_FREE * free

    def left(self, who: str, free: int) -> int:
        """How much this user or server may take at once, while `free` is left: what it then holds is its share."""
        return max(0, (TIMES_WHAT_IS_FREE * free - self.held.get(who, 0)) // (TIMES_WHAT_IS_FREE + 1))

    def held_by(self, who: str) -> int:
        """What this user or server holds."""
        return self.held.get(who, 0)

    def take(self, who: str, amount: int = 1) -> None:
        """Counts what this user or server takes; a negative amount is given back."""
        held = self.held.get(who, 0) + amount
        if held:
            self.held[who] = held
        else:
            self.held.pop(who, None)
