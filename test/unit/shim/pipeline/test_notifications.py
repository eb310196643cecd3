"""The queue of notifications: order, bounds, and what it lets go of."""

import gc
import weakref
from typing import Any

import pytest
from asking import Host, calls_over, entry, sample
from counted import count
from objects import event
from synapse.events import EventBase
from synapse_module_bridge.calls.call import Call
from synapse_module_bridge.pipeline import notifications as subject
from synapse_module_bridge.pipeline.notifications import Notification, Notifications
from synapse_module_bridge.routing.entry import bind
from synapse_module_bridge.schema.catalogue import CALLBACKS
from twisted.internet.defer import Deferred, ensureDeferred

STATE = {("m.room.name", ""): event(type="m.room.name", state_key="")}


RULES = calls_over(Host(None)).rules
OF_A_USER = [
    name
    for name, callback in CALLBACKS.items()
    if callback.notify and callback.params[0].type == "UserId" and callback.param_of_type("RoomId") is None
]


class State(dict[tuple[str, str], Any]):
    """One that can be seen to go."""


def call_of(name: str, params: dict[str, Any], who: str = "@alice:test") -> Call:
    return RULES.again(CALLBACKS[name], params, True, who, None, None)


class Desk:
    """Delivers when the test says so."""

    def __init__(self) -> None:
        self.begun: list[Notification] = []
        # By the depth of the event, or the name of a callback without one.
        self.open: dict[Any, Deferred[None]] = {}
        self.queue = Notifications(self.deliver, lambda func: ensureDeferred(func()), "test")  # type: ignore[arg-type]

    async def deliver(self, notification: Notification) -> None:
        self.begun.append(notification)
        told = notification.call.params.get("event")
        which = told.depth if isinstance(told, EventBase) else notification.call.callback.name
        self.open[which] = Deferred()
        await self.open[which]

    def add(
        self, depth: int, room: str = "!a:test", state: Any = STATE, who: str = "@alice:test", **fields: Any
    ) -> Notification:
        params = {"event": event(depth=depth, room_id=room, **fields), "state_events": state}
        return self.tell("on_new_event", params, who)

    def tell(self, name: str, params: dict[str, Any], who: str = "@alice:test", room_state: Any = ()) -> Notification:
        notification = Notification(call=call_of(name, params, who), entries=[entry("m", room_state=room_state)])
        self.queue.add(notification)
        return notification

    def finish(self, which: Any) -> None:
        self.open.pop(which).callback(None)

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


def params_of(name: str, **changed: Any) -> dict[str, Any]:
    return {**bind(CALLBACKS[name], sample(CALLBACKS[name])), **changed}


@pytest.mark.parametrize(
    ("name", "changed", "line"),
    [
        ("on_new_event", {}, "!room:test"),
        ("on_account_data_updated", {"room_id": "!other:test"}, "!other:test"),
        # Of the user, not of a room.
        ("on_account_data_updated", {"room_id": None}, "@alice:test"),
        ("on_event_delivered_over_federation", {}, "on_event_delivered_over_federation"),
        *((name, {}, "@alice:test") for name in OF_A_USER),
    ],
)
def test_what_concerns_one_room_or_else_one_user_has_an_order(name: str, changed: dict[str, Any], line: str) -> None:
    assert Notification(call=call_of(name, params_of(name, **changed)), entries=[]).line == line


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


def test_a_room_that_never_ends_takes_turns_with_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(subject, "LINE_SECONDS", 0.0)
    desk = Desk()
    for depth, room in enumerate(["!busy:test", "!busy:test", "!busy:test", "!a:test", "!b:test"]):
        desk.add(depth, room)
    for depth in (0, 3, 4, 1):
        desk.finish(depth)
    assert desk.depths == [0, 3, 4, 1, 2]
    desk.finish(2)
    assert desk.queue.queued == 0


def size_of_one() -> int:
    """So many bytes one that waits takes."""
    desk = Desk()
    desk.add(0)
    return desk.add(0).size


def test_a_room_keeps_its_place_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(subject, "LINE_SECONDS", 3_600.0)
    desk = Desk()
    for depth, room in enumerate(["!busy:test", "!busy:test", "!busy:test", "!a:test"]):
        desk.add(depth, room)
    for depth in range(4):
        desk.finish(depth)
    assert desk.depths == [0, 1, 2, 3]


# One whom somebody works on counts as a place, and takes no bytes.
@pytest.mark.parametrize(("limit", "bound", "kept"), [("MOST_QUEUED", 10, 8), ("MOST_QUEUED_BYTES", 10, 9)])
def test_one_user_or_server_cannot_fill_the_queue(
    limit: str, bound: int, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, limit, bound * (size_of_one() if limit.endswith("BYTES") else 1))
    desk = Desk()
    for _ in range(2):
        for depth in range(20):
            desk.add(depth % 10, who="greedy.test")
        assert desk.queue.queued == kept
        desk.add(0)
        assert desk.queue.queued == kept + 1
        # All of it is given back.
        while desk.open:
            desk.finish(next(iter(desk.open)))
        assert desk.queue.queued == 0


def test_the_last_place_and_the_last_byte_can_be_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "MOST_QUEUED", 2)
    monkeypatch.setattr(subject, "MOST_QUEUED_BYTES", size_of_one() + 1)
    desk = Desk()
    for who in ("@a:test", "@b:test", "@c:test"):
        desk.add(0, who=who)
    assert desk.queue.queued == 2


def test_that_the_queue_is_full_is_told_once_until_there_is_much_room_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(subject, "MOST_QUEUED", 10)
    desk = Desk()
    for _ in range(2):
        for depth in range(20):
            desk.add(depth % 10, who=f"@{depth}:test")
        assert caplog.messages == ["the queue of notifications is full (10): new ones are dropped"]
        for left in range(9, 4, -1):
            desk.finish(next(iter(desk.open)))
            assert (desk.queue.queued, len(caplog.messages)) == (left, 1)
        desk.finish(next(iter(desk.open)))
        assert caplog.messages[1:] == ["the queue of notifications has room again"]
        while desk.open:
            desk.finish(next(iter(desk.open)))
        assert len(caplog.messages) == 2
        caplog.clear()


def test_there_is_room_again_when_half_of_the_bytes_are_free(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(subject, "MOST_QUEUED_BYTES", 8 * size_of_one() + 1)
    desk = Desk()
    for depth in range(10):
        desk.add(depth, who=f"@{depth}:test")
    assert (desk.queue.queued, len(caplog.messages)) == (9, 1)
    # The first takes no bytes.
    for depth in range(4):
        desk.finish(depth)
        assert len(caplog.messages) == 1
    monkeypatch.setattr(subject, "MOST_QUEUED_BYTES", 8 * size_of_one())
    desk.finish(4)
    assert len(caplog.messages) == 1
    desk.finish(5)
    assert len(caplog.messages) == 2


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


def test_what_waits_keeps_the_room_state_that_was_declared() -> None:
    desk = Desk()
    desk.add(1)
    name, topic = (event(type=type, state_key="") for type in ("m.room.name", "m.room.topic"))
    params = {"event": event(), "state_events": {("m.room.name", ""): name, ("m.room.topic", ""): topic}}
    kept = desk.tell("on_new_event", {**params, "event": event(room_id="!a:test")}, room_state=[["m.room.name", ""]])
    assert kept.call.params["state_events"] == {("m.room.name", ""): name}


def test_what_has_no_room_state_waits_as_it_is() -> None:
    desk = Desk()
    first, second = (desk.tell("on_logged_out", params_of("on_logged_out")) for _ in range(2))
    assert desk.begun == [first] and not second.call.state_let_go


@pytest.mark.parametrize(("limit", "value"), [("MOST_QUEUED", 3), ("MOST_QUEUED_BYTES", 1_500)])
def test_a_full_queue_drops_and_counts_what_comes(limit: str, value: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, limit, value)
    before = count("notifications_dropped_total", reason="queue_full")
    desk = Desk()
    for depth in range(10):
        desk.add(depth)
    dropped = int(count("notifications_dropped_total", reason="queue_full") - before)
    assert desk.queue.queued == 10 - dropped and 0 < desk.queue.queued < 5
    for depth in range(10 - dropped):
        desk.finish(depth)
    assert (desk.queue.queued, desk.queue._bytes) == (0, 0)
    desk.add(11)
    assert desk.depths[-1] == 11


def test_a_delivery_that_fails_loses_no_other(caplog: pytest.LogCaptureFixture) -> None:
    labels = {"reason": "error", "callback": "on_new_event", "server_name": "test"}
    before = count("notifications_dropped_total", **labels)
    desk = Desk()
    desk.add(1)
    desk.add(2)
    desk.open.pop(1).errback(RuntimeError("a bug"))
    assert desk.depths == [1, 2]
    desk.open.pop(2).errback(RuntimeError("another"))
    assert desk.queue.queued == 0
    assert count("notifications_dropped_total", **labels) == before + 2
    told = [(record.message, str(record.exc_info and record.exc_info[1])) for record in caplog.records]
    assert told == [("a notification could not be delivered", cause) for cause in ("a bug", "another")]


def test_what_cannot_be_sent_is_dropped_and_counted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    before = count("notifications_dropped_total", reason="params")
    desk = Desk()
    desk.add(1)
    monkeypatch.setattr("synapse_module_bridge.transport.framing.MAX_FRAME_BYTES", 10)
    desk.add(2)
    assert desk.queue.queued == 1
    assert count("notifications_dropped_total", reason="params") == before + 1
    [line] = caplog.messages
    assert line.startswith("on_new_event: a parameter cannot be sent: ") and "at most 10 are sent" in line


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
