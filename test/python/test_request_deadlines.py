"""The deadlines of requests: each at its time, and nothing kept of those that were met."""

from typing import Any

from synapse_module_bridge.request_deadlines import MOST_MET, RequestDeadlines
from synapse_module_bridge.rpc import Rpc
from synapse_module_bridge.wire import encode
from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock


class Rig:
    def __init__(self) -> None:
        self.clock = Clock()
        self.rpc = Rpc(lambda _: None, lambda *_: None)
        self.deadlines = RequestDeadlines(self.rpc, self.clock)
        self.cancelled: list[str] = []

    def request(self, name: str, seconds: float) -> int:
        asking = self.rpc.request("m", {})
        asking.addErrback(self._failed, name)
        self.deadlines.add(self.clock.seconds() + seconds, self.rpc.last_id)
        return self.rpc.last_id

    def _failed(self, failure: Any, name: str) -> None:
        if failure.check(CancelledError):
            self.cancelled.append(name)

    def answer(self, request_id: int) -> None:
        self.rpc.data_received(encode({"jsonrpc": "2.0", "id": request_id, "result": None}))


def test_each_is_cancelled_at_its_own_time_unless_it_was_answered() -> None:
    rig = Rig()
    for name, seconds in [("third", 3.0), ("first", 1.0), ("second", 2.0)]:
        rig.request(name, seconds)
    rig.answer(rig.request("answered", 0.5))
    for expected in [[], ["first"], ["first", "second"], ["first", "second", "third"]]:
        assert rig.cancelled == expected
        rig.clock.advance(1.0)


def test_one_that_a_cancelled_one_brings_about_has_its_own() -> None:
    rig = Rig()
    asking = rig.rpc.request("m", {})
    asking.addErrback(lambda _: rig.request("next", 1.0))
    rig.deadlines.add(1.0, rig.rpc.last_id)
    rig.clock.advance(1.5)
    assert rig.cancelled == []
    rig.clock.advance(1.0)
    assert rig.cancelled == ["next"]


def test_of_those_that_were_met_few_are_kept_and_no_timer() -> None:
    rig = Rig()
    rig.request("hangs", 5.0)
    for _ in range(10 * MOST_MET):
        rig.answer(rig.request("met", 5.0))
        assert len(rig.deadlines._line) <= MOST_MET + 10
        assert len(rig.clock.getDelayedCalls()) == 1
    rig.clock.advance(5.0)
    assert (rig.cancelled, rig.clock.getDelayedCalls()) == (["hangs"], [])


def test_with_the_connection_they_end() -> None:
    rig = Rig()
    rig.request("open", 5.0)
    rig.rpc.close("it ended")
    rig.deadlines.stop()
    assert rig.clock.getDelayedCalls() == []
