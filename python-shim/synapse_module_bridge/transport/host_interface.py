"""What those who ask the host need of it."""

from collections.abc import Awaitable
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import Deferred

from synapse_module_bridge.transport.rpc import Asked, OnLate

T = TypeVar("T")


class Host(Protocol):
    @property
    def is_up(self) -> bool:
        """Whether a call that is sent now may arrive."""

    async def until_up(self, deadline: float) -> None:
        """Waits a short while for a host that is down. Raises Unavailable."""

    async def until_up_again(self) -> None:
        """Waits for a host that is down, however long. Raises Unavailable once there will be none."""

    def within(self, deferred: "Deferred[T]", deadline: float) -> Awaitable[T]:
        """What the Deferred fires with. Raises DeadlinePassed at a time of the monotonic clock."""

    def call(self, method: str, params: Asked, deadline: float, on_late: OnLate | None = None) -> "Deferred[Any]":
        """Fires with the result of a request; knows nothing of log contexts. Raises ConnectionGone and Unavailable.

        Fails with RpcError, ConnectionGone, DeadlinePassed; ValueError for what is no JSON.
        """
