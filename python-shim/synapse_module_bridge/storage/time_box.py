"""How long a transaction of a module may take, which holds a connection that nobody else can use meanwhile."""

import time

from synapse_module_bridge.schema.protocol import LIMITS


class TransactionOver(Exception):
    """Rolls the transaction back. Not an exception of the database's: Synapse would run the transaction again."""


class TimeBox:
    def __init__(self, limit: str) -> None:
        self._ms: int = LIMITS[limit]
        self._until = time.monotonic() + self.seconds

    @property
    def seconds(self) -> float:
        return self._ms / 1000

    @property
    def left_ms(self) -> int:
        """Is 0 once the time is up."""
        return max(0, int((self._until - time.monotonic()) * 1000))

    def check(self) -> None:
        """Raises TransactionOver once the time is up."""
        if self.left_ms == 0:
            raise self.over()

    def over(self) -> TransactionOver:
        return TransactionOver(over_text(self._ms))


def over_text(ms: int) -> str:
    return f"the transaction was rolled back: it took longer than {ms} ms"
