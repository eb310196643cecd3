"""What bounds calls and notifications: admission, breakers, suspects, the queue of notifications."""

from typing import Any

import pytest
from objects import event
from rig import count
from synapse_module_bridge import notifications as subject
from synapse_module_bridge.admission import MOST_FEDERATED, MOST_IN_FLIGHT, Admission, Overloaded
from synapse_module_bridge.breaker import FIRST_PROBE_SECONDS, LONGEST_PROBE_SECONDS, MISSES_TO_OPEN, Breaker, Breakers
from synapse_module_bridge.calls import Call
from synapse_module_bridge.catalogue import CALLBACKS
from synapse_module_bridge.decision import Recorder
from synapse_module_bridge.notifications import Notification, Notifications
from synapse_module_bridge.questions import Entry
from synapse_module_bridge.suspects import FORGET_AFTER_SECONDS, MOST_REMEMBERED, Suspects
from twisted.internet.defer import Deferred, ensureDeferred


class Time:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


# --- admission


def enter(admission: Admission, *, local: bool) -> tuple[list[Any], list["Deferred[None]"]]:
    waits: list[Deferred[None]] = []
    entered: list[Any] = []
    ensureDeferred(admission.enter(local=local, on_wait=waits.append)).addBoth(entered.append)
    return entered, waits


def test_places_are_kept_for_local_calls_and_their_line_goes_first() -> None:
    admission = Admission()
    for _ in range(MOST_FEDERATED):
        assert enter(admission, local=False)[0] == [None]
    federated, _ = enter(admission, local=False)
    assert federated == []
    for _ in range(MOST_IN_FLIGHT - MOST_FEDERATED):
        assert enter(admission, local=True)[0] == [None]
    local, _ = enter(admission, local=True)
    assert (local, admission.in_flight, admission.waiting) == ([], MOST_IN_FLIGHT, 2)
    admission.leave(local=False)
    assert (local, federated) == ([None], [])
    admission.leave(local=False)
    assert federated == [None]


def test_each_line_is_in_order_and_one_who_gives_up_leaves_it() -> None:
    admission = Admission()
    for _ in range(MOST_IN_FLIGHT):
        enter(admission, local=True)
    first, second, third = (enter(admission, local=True) for _ in range(3))
    second[1][0].cancel()
    assert len(second[0]) == 1
    admission.leave(local=True)
    assert (first[0], third[0]) == ([None], [])
    admission.leave(local=True)
    assert (third[0], admission.waiting) == ([None], 0)


def test_a_full_line_takes_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synapse_module_bridge.admission.MOST_WAITING", 1)
    admission = Admission()
    for _ in range(MOST_IN_FLIGHT + 1):
        enter(admission, local=True)
    [failure] = enter(admission, local=True)[0]
    assert failure.check(Overloaded)


def test_thousands_that_leave_as_soon_as_they_enter_need_no_deep_stack() -> None:
    admission = Admission()
    for _ in range(MOST_IN_FLIGHT):
        enter(admission, local=True)
    left = []

    async def pass_through() -> None:
        await admission.enter(local=True, on_wait=lambda _: None)
        admission.leave(local=True)
        left.append(1)

    for _ in range(5_000):
        ensureDeferred(pass_through())
    admission.leave(local=True)
    assert (len(left), admission.waiting, admission.in_flight) == (5_000, 0, MOST_IN_FLIGHT - 1)


# --- breaker


def test_a_breaker_opens_after_misses_in_a_row_and_lets_a_probe_pass_now_and_then() -> None:
    time = Time()
    breaker = Breaker("x", time)
    for _ in range(MISSES_TO_OPEN - 1):
        breaker.missed()
    breaker.answered()
    for _ in range(MISSES_TO_OPEN):
        assert breaker.admits()
        breaker.missed()
    assert breaker.is_open
    assert not breaker.admits()
    time.now += FIRST_PROBE_SECONDS
    assert [breaker.admits(), breaker.admits()] == [True, False]
    breaker.answered()
    assert [breaker.is_open, breaker.admits()] == [False, True]


def test_pauses_between_probes_grow_to_a_bound_and_begin_anew_once_closed() -> None:
    time = Time()
    breaker = Breaker("x", time)
    for _ in range(MISSES_TO_OPEN):
        breaker.missed()
    pauses = []
    for _ in range(10):
        since = time.now
        while not breaker.admits():
            time.now += 0.5
        pauses.append(time.now - since)
        breaker.missed()
    assert pauses[0] == FIRST_PROBE_SECONDS
    assert pauses == sorted(pauses) and pauses[-1] == LONGEST_PROBE_SECONDS
    time.now += LONGEST_PROBE_SECONDS
    assert breaker.admits()
    breaker.answered()
    for _ in range(MISSES_TO_OPEN):
        breaker.missed()
    time.now += FIRST_PROBE_SECONDS
    assert breaker.admits()


def test_a_probe_that_tells_nothing_is_followed_by_another() -> None:
    time = Time()
    breaker = Breaker("x", time)
    for _ in range(MISSES_TO_OPEN):
        breaker.missed()
    for _ in range(3):
        time.now += FIRST_PROBE_SECONDS
        assert breaker.admits()


def test_breakers_are_apart_by_module_and_callback_and_forget_old_code() -> None:
    breakers = Breakers(Time())
    for _ in range(MISSES_TO_OPEN):
        breakers.of("m", "a").missed()
    assert breakers.of("m", "b").admits() and breakers.of("n", "a").admits() and not breakers.of("m", "a").admits()
    assert breakers.open_count() == 1
    breakers.reset()
    assert breakers.open_count() == 0


# --- suspects


def test_an_event_is_convicted_when_alone_at_one_death_or_at_two_deaths() -> None:
    suspects = Suspects(Time())
    suspects.died({"$alone"})
    suspects.died({"$a", "$b"})
    assert [suspects.is_convicted(name) for name in ("$alone", "$a", "$b", "$c")] == [True, False, False, False]
    suspects.died({"$b", "$c"})
    assert [suspects.is_convicted(name) for name in ("$a", "$b", "$c")] == [False, True, False]
    suspects.died(set())


def test_a_conviction_ends_and_the_list_is_bounded() -> None:
    time = Time()
    suspects = Suspects(time)
    suspects.died({"$old"})
    time.now += FORGET_AFTER_SECONDS + 1
    assert not suspects.is_convicted("$old")
    suspects.died({"$first"})
    for number in range(MOST_REMEMBERED):
        suspects.died({f"${number}"})
    assert not suspects.is_convicted("$first") and suspects.is_convicted(f"${MOST_REMEMBERED - 1}")


# --- notifications

STATE = {("m.room.name", ""): event(type="m.room.name", state_key="")}
ENTRY = Entry(module="m", matches=lambda _: True, room_state=[])


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

    def add(self, depth: int, room: str = "!a:test", **fields: Any) -> Notification:
        callback = CALLBACKS["on_new_event"]
        params = {"event": event(depth=depth, room_id=room, **fields), "state_events": STATE}
        call = Call(
            callback=callback, params=params, local=True, deadline=0.0, recorder=Recorder(callback, params, "test")
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
