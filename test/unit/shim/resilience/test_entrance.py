"""Where a call waits before it may be sent."""

import time
from typing import Any

from synapse_module_bridge.resilience.entrance import Entrance
from synapse_module_bridge.schema.protocol import Reason
from synapse_module_bridge.transport.unavailable import Unavailable
from twisted.internet.defer import Deferred, ensureDeferred


class Host:
    """One that goes and comes."""

    def __init__(self) -> None:
        self.is_up = True
        self.back: Deferred[None] = Deferred()

    async def until_up(self, deadline: float) -> None:
        await self.back

    async def within(self, deferred: "Deferred[None]", deadline: float) -> None:
        await deferred


def entering(entrance: Entrance) -> list[Any]:
    results: list[Any] = []
    ensureDeferred(entrance.enter(time.monotonic() + 60, True, "@a:test")).addBoth(results.append)
    return results


def entered_without_a_host() -> tuple[Any, Entrance, list[Any]]:
    """A host that has gone while a call waited for the entrance, the entrance, and what becomes of the call."""
    host: Any = Host()
    entrance = Entrance(host)
    entrance.close()
    entered = entering(entrance)
    host.is_up = False
    entrance.open()
    return host, entrance, entered


def test_a_call_that_waited_for_the_entrance_waits_for_a_host_that_has_gone_meanwhile() -> None:
    host, entrance, entered = entered_without_a_host()
    assert entered == []
    host.is_up = True
    host.back.callback(None)
    assert entered == [None]
    assert entrance.backpressure.in_flight == 1


def test_a_call_whose_host_does_not_come_back_takes_no_place() -> None:
    host, entrance, entered = entered_without_a_host()
    host.back.errback(Unavailable(Reason.DOWN))
    assert [failure.type for failure in entered] == [Unavailable]
    assert entrance.backpressure.in_flight == 0
