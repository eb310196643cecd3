"""The queue of notifications: order, bounds, and what it lets go of."""

import gc
import weakref
from typing import Any

import pytest
from asking import entry
from objects import event
from rig import count
from synapse_module_bridge import notifications as subject
from synapse_module_bridge.call import Call
from synapse_module_bridge.catalogue import CALLBACKS
from synapse_module_bridge.notifications import Notification, Notifications
from twisted.internet.defer import Deferred, ensureDeferred

STATE = {("m.room.name", ""): event(type="m.room.name", state_key="")}


class State(dict[tuple[str, str], Any]):
    """One that can be seen to go."""


ENTRY = entry("m")


class Desk:
    """Delivers when the test says so."""

    def __init__(self) -> None:
        self.begun: list[Notification] = []
        self.open: dict[int, Deferred[None]] = {}
        self.queue = Notifications(self.deliver, lambda func: ensureDeferred(func()), "test")  # type: ignore[arg-type]

    async def deliver(self, notification: Notification) -> None:
        self.begun.append(notification)
        self.open[notification.call.params["event"].depth] = Deferred()
        await self.open[notification.call.params["event"].depth]

    def add(self, depth: int, room: str = "!a:test", state: Any = STATE, **fields: Any) -> Notification:
        callback = CALLBACKS["on_new_event"]
        params = {"event": event(depth=depth, room_id=room, **fields), "state_events": state}
        call = Call(
            callback=callback,
            params=params,
            server_name="test",
            started=0.0,
            since=0.0,
            deadline=1.0,
            local=True,
            event_id=params["event"].event_id,
        )
        notification = Notification(call=call, entries=[ENTRY])
        self.queue.add(notification)
        return notification

    def finish(self, depth: int) -> None:
        self.open.pop(depth).callback(None)

    @property
    def depths(self) -> list[int]:
        return [notification.call.params["event"].depth for notification in self.begun]


def test_a_rooms_notifications_are_in_order_and_rooms_do_not_wait_for_each_other() -> None:
    desk = Desk()
    desk.add(1)
    desk.add(2)
    desk.add(3, "!b:test")
    assert desk.depths == [1, 3]
    desk.finish(1)
    assert desk.depths == [1, 3, 2]
    assert desk.queue.queued == 2


def test_so_many_rooms_are_told_at_once_and_the_others_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "MOST_AT_ONCE", 2)
    desk = Desk()
    for number in range(5):
        desk.add(number, f"!{number}:test")
    assert desk.depths == [0, 1]
    desk.finish(1)
    desk.finish(0)
    assert desk.depths == [0, 1, 2, 3]
    desk.finish(2)
    desk.finish(3)
    desk.finish(4)
    assert desk.queue.queued == 0


def test_what_waits_holds_no_room_state_beyond_what_was_declared() -> None:
    desk = Desk()
    first, second = desk.add(1), desk.add(2)
    assert first.call.params["state_events"] is STATE and not first.call.state_let_go
    assert second.call.params["state_events"] == {} and second.call.state_let_go
    state = State(STATE)
    desk.add(3, state=state)
    kept = weakref.ref(state)
    del state
    gc.collect()
    assert kept() is None


@pytest.mark.parametrize(("limit", "value"), [("MOST_QUEUED", 3), ("MOST_QUEUED_BYTES", 1_500)])
def test_a_full_queue_drops_and_counts_what_comes(limit: str, value: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, limit, value)
    before = count("notifications_dropped_total", reason="queue full")
    desk = Desk()
    for depth in range(10):
        desk.add(depth)
    dropped = int(count("notifications_dropped_total", reason="queue full") - before)
    assert desk.queue.queued == 10 - dropped and 0 < desk.queue.queued < 5
    for depth in range(10 - dropped):
        desk.finish(depth)
    assert (desk.queue.queued, desk.queue._bytes) == (0, 0)
    desk.add(11)
    assert desk.depths[-1] == 11


def test_a_delivery_that_fails_loses_no_other(caplog: pytest.LogCaptureFixture) -> None:
    before = count("notifications_dropped_total", reason="error")
    desk = Desk()
    desk.add(1)
    desk.add(2)
    desk.open.pop(1).errback(RuntimeError("a bug"))
    assert desk.depths == [1, 2]
    desk.finish(2)
    assert desk.queue.queued == 0
    assert count("notifications_dropped_total", reason="error") == before + 1


def test_what_cannot_be_sent_is_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    before = count("notifications_dropped_total", reason="params")
    desk = Desk()
    desk.add(1)
    monkeypatch.setattr("synapse_module_bridge.wire.MAX_FRAME_BYTES", 10)
    desk.add(2)
    assert desk.queue.queued == 1
    assert count("notifications_dropped_total", reason="params") == before + 1


def test_thousands_that_are_delivered_at_once_need_no_deep_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "MOST_AT_ONCE", 1)
    desk = Desk()
    desk.add(0, "!first:test")
    told = []

    async def at_once(notification: Notification) -> None:
        told.append(notification)

    desk.queue._deliver = at_once
    for number in range(1, 2_000):
        desk.add(number, f"!{number}:test")
    desk.finish(0)
    assert (len(told), desk.queue.queued) == (1_999, 0)
