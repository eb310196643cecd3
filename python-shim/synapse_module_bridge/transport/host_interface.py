"""Describes the host as its callers see it; `supervision/supervisor.py` implements it."""

from collections.abc import Awaitable
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import Deferred

from synapse_module_bridge.transport.rpc import OnLate, ToSend

T = TypeVar("T")


class Host(Protocol):
    """Deadlines are times of the monotonic clock, in seconds."""

    @property
    def is_up(self) -> bool:
        """Whether a call that is sent now may reach it."""

    async def until_up(self, deadline: float) -> None:
        """Waits for a host that is down, during the grace period of the outage. Raises Unavailable."""

    async def until_up_again(self) -> None:
        """Waits for a host that is down, without a deadline. Raises Unavailable where no host will be started."""

    def within(self, deferred: "Deferred[T]", deadline: float) -> Awaitable[T]:
        """The Deferred's result, in the caller's log context. Raises DeadlinePassed, and the Deferred's exception."""

    def call(self, method: str, params: ToSend, deadline: float, on_late: OnLate | None = None) -> "Deferred[Any]":
        """Sends a request. The Deferred fires with its result, outside of the caller's log context.

        Raises ConnectionGone and Unavailable. The Deferred fails with RpcError, ConnectionGone, DeadlinePassed, or with
        ValueError where the parameters have no form in JSON.
        """
