"""Limits the time of a module's transaction, since nothing else in Synapse can use its connection meanwhile."""

import time

from synapse_module_bridge.schema.protocol import LIMITS


class TransactionOver(Exception):
    """Rolls the transaction back. It is no exception of the database's, after which Synapse would retry it."""


class TimeBox:
    """Begins now. `limit` is the name of a limit of the protocol."""

    def __init__(self, limit: str) -> None:
        self._ms: int = LIMITS[limit]
        self._until = time.monotonic() + self.seconds

    @property
    def seconds(self) -> float:
        """The whole time."""
        return self._ms / 1000

    @property
    def left_ms(self) -> int:
        """The rest of the time in milliseconds; 0 once it is up."""
        return max(0, int((self._until - time.monotonic()) * 1000))

    def check(self) -> None:
        """Raises TransactionOver once the time is up."""
        if self.left_ms == 0:
            raise self.over()

    def over(self) -> TransactionOver:
        """The exception for a transaction whose time is up."""
        return TransactionOver(over_text(self._ms))


def over_text(ms: int) -> str:
    """The message of that exception."""
    return f"the transaction was rolled back: it took longer than {ms} ms"
