"""Bounds the web requests that Node works on at once, and their bodies. No visitor and no module can take all."""

from collections.abc import Iterator
from contextlib import contextmanager

from synapse_module_bridge.resilience.fair_share import FairShare
from synapse_module_bridge.schema.protocol import LIMITS, Reason
from synapse_module_bridge.transport.unavailable import Unavailable

# Bounds for the requests that Node works on at once: anybody who can reach a path could otherwise fill its memory.
MOST_BYTES_AT_ONCE = 32 * 1024 * 1024
MOST_AT_ONCE = 256


class _Shares:
    """Shares `most` of something out to modules, and each module's share to visitors. One may have `most_of_one`."""

    def __init__(self, most: int, most_of_one: int) -> None:
        self._free = most
        self._most_of_one = most_of_one
        self._modules = FairShare()
        self._visitors = FairShare()

    def admits(self, module: str, visitor: str, amount: int) -> bool:
        """Whether this visitor may take so much of this module's share."""
        left = self._visitors.left(visitor, self._modules.left(module, self._free))
        return amount <= min(left, self._most_of_one - self._visitors.held_by(visitor))

    def take(self, module: str, visitor: str, amount: int) -> None:
        """Counts what this visitor takes; a negative amount is given back."""
        self._free -= amount
        self._modules.take(module, amount)
        self._visitors.take(visitor, amount)


class WebLoad:
    """Counts the requests that Node works on, for all paths of a bridge. No visitor and no module can take all."""

    def __init__(self) -> None:
        self._requests = _Shares(MOST_AT_ONCE, MOST_AT_ONCE)
        # One visitor has one of the largest bodies at once, so that another's still fits.
        self._bytes = _Shares(MOST_BYTES_AT_ONCE, LIMITS["body_bytes"])

    @contextmanager
    def of(self, module: str, visitor: str, size: int) -> Iterator[None]:
        """Counts a request with a body of `size` bytes within the block. Raises Unavailable if there are too many."""
        taken = ((self._requests, 1), (self._bytes, size))
        if not all(shares.admits(module, visitor, amount) for shares, amount in taken):
            raise Unavailable(Reason.OVERLOAD)
        for shares, amount in taken:
            shares.take(module, visitor, amount)
        try:
            yield
        finally:
            for shares, amount in taken:
                shares.take(module, visitor, -amount)
