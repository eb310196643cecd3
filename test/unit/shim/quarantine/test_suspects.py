"""Which calls are suspected of an end of Node, or of a thread; and what is kept of them."""

from collections.abc import Sequence
from typing import Any

import pytest
from asking import Host, calls_over, entry
from fake_time import Time
from objects import event
from synapse_module_bridge.calls.call import Call
from synapse_module_bridge.pipeline.pipeline import Pipeline
from synapse_module_bridge.quarantine.suspect_line import SuspectLine
from synapse_module_bridge.quarantine.suspects import RECENT_SECONDS, Recent, Suspect
from synapse_module_bridge.schema.catalogue import CALLBACKS
from twisted.internet.defer import Deferred, ensureDeferred

SPAM, ALLOWED = CALLBACKS["check_event_for_spam"], CALLBACKS["check_event_allowed"]


@pytest.fixture
def calls() -> Pipeline:
    return calls_over(Host(None))


def said(calls: Pipeline, recent: Recent, sender: str, body: str = "", modules: Sequence[str] = ("m",)) -> Call:
    """One message that these modules have answered about."""
    call = calls.rules.begin(SPAM, {"event": event(sender=sender, content={"body": body})})
    recent.add(call, [entry(module) for module in modules])
    return call


def bodies(taken: Sequence[Suspect]) -> list[str]:
    return [suspect.call.params["event"].content["body"] for suspect in taken]


def test_what_was_answered_within_two_seconds_is_suspected_once_the_last_first(calls: Pipeline, time: Time) -> None:
    recent = Recent()
    for body in ("old", "first", "last"):
        said(calls, recent, "@a:test", body)
        time.now += RECENT_SECONDS / 2
    taken = recent.take(calls.rules.again)
    assert bodies(taken) == ["last", "first"]
    assert [suspect.age for suspect in taken] == [1.0, 2.0]
    assert recent.take(calls.rules.again) == []


def test_the_end_of_a_thread_takes_only_what_its_modules_were_asked(calls: Pipeline, time: Time) -> None:
    recent = Recent()
    said(calls, recent, "@a:test", "both", ["main", "s1"])
    said(calls, recent, "@b:test", "other", ["s2"])
    said(calls, recent, "@a:test", "main only", ["main"])
    threads = recent.take(calls.rules.again, ["s1"])
    assert [(bodies([one]), one.modules) for one in threads] == [(["both"], {"s1"})]
    # Nothing that the next end may be about is lost with it.
    assert bodies(recent.take(calls.rules.again, ["s2", "s3"])) == ["other"]
    rest = recent.take(calls.rules.again, None)
    assert {(*bodies([one]), *one.modules) for one in rest} == {("both", "main"), ("main only", "main")}


def test_nobody_is_forgotten_for_what_another_says_nor_for_a_flood_of_their_own(calls: Pipeline, time: Time) -> None:
    recent = Recent()
    said(calls, recent, "@killer:evil", "killer")
    said(calls, recent, "@killer:test", "local killer")
    for number in range(200):
        time.now += 1.5 / 200
        said(calls, recent, f"@other{number}:evil", "flood")
        said(calls, recent, "@user:test", "flood")
    taken = bodies(recent.take(calls.rules.again))
    assert {"killer", "local killer"} <= {*taken} and len(taken) == 402


def test_who_is_asked_again_is_who_they_were(calls: Pipeline, time: Time) -> None:
    recent = Recent()
    # An event of our own user that came back from another server.
    call = said(calls, recent, "@a:test")
    call.local, call.who, call.request, call.uploader = False, "remote", "GET-7", "@a:test"
    recent = Recent()
    recent.add(call, [entry("m")])
    [suspect] = recent.take(calls.rules.again)
    again = suspect.call
    assert (again.local, again.who, again.request, again.uploader) == (False, "remote", "GET-7", "@a:test")
    assert suspect.call.deadline - suspect.call.since == pytest.approx(2.0)


def test_a_rooms_state_is_not_kept_with_a_suspect_but_the_room_is(calls: Pipeline, time: Time) -> None:
    state = {("m.room.create", ""): event(type="m.room.create", state_key="", room_id="!big:test")}
    params: dict[str, Any] = {"event": event(), "state_events": state}
    recent = Recent()
    call = calls.rules.begin(ALLOWED, params)
    recent.add(call, [entry("m")])
    [suspect] = recent.take(calls.rules.again)
    assert (suspect.call.params["state_events"], suspect.state_room) == ({}, "!big:test")


def test_what_had_its_share_of_the_time_in_a_thread_is_suspected_until_that_would_have_been_ended(
    calls: Pipeline, time: Time
) -> None:
    recent = Recent()
    call = calls.rules.begin(SPAM, {"event": event(content={"body": "hangs"})})
    recent.add(call, [entry("own")], is_overdue=True)
    for number in range(5):
        time.now += 0.7
        said(calls, recent, "@alice:test", f"later {number}", ["own"])
    taken = recent.take(calls.rules.again, ["own"])
    # Before those that were answered.
    assert bodies(taken) == ["hangs", "later 4", "later 3", "later 2"]
    assert taken[0].age == 0.0


def test_of_those_whom_nobody_waits_for_the_oldest_of_each_author_come_first(calls: Pipeline) -> None:
    line = SuspectLine()
    for number, (sender, body) in enumerate([("@a:evil", "hangs"), ("@b:test", "slow"), *[("@c:evil", "decoy")] * 25]):
        call = calls.rules.begin(SPAM, {"event": event(sender=sender, content={"body": body})})
        call.started = float(number)
        line.join(Suspect(call=call, entries=[entry("m")]))
    first, second, *decoys = [line.next() for _ in range(27)]
    assert bodies([first, second]) == ["hangs", "slow"]
    assert [suspect.call.started for suspect in decoys] == [float(number) for number in range(2, 27)]


class Waits(Host):
    """Never answers; what is cancelled is cancelled."""

    async def within(self, deferred: Any, deadline: float) -> Any:
        return await deferred

    def call(self, method: str, params: Any, deadline: float, on_late: Any = None) -> "Deferred[Any]":
        self.late = on_late
        params()
        return Deferred()


def test_a_call_that_synapse_cancels_is_a_suspect_until_node_has_answered_it_and_keeps_no_state() -> None:
    host = Waits(None)
    calls = calls_over(host)
    state = {("m.room.create", ""): event(type="m.room.create", state_key="", room_id="!big:test")}
    open_calls = calls.round_trip.exchange.open_calls
    modules = [entry("m"), entry("n")]
    asking = ensureDeferred(
        calls.ask(calls.rules.begin(ALLOWED, {"event": event(), "state_events": state}), [*modules])
    )
    asking.addErrback(lambda _: None)
    assert open_calls.unfinished() == []
    asking.cancel()
    [expired] = open_calls.unfinished()
    assert expired.asked is not None and expired.state is None
    assert expired.asked[0].params["state_events"] == {} and expired.state_room == "!big:test"
    # Its time was not up: that it was answered late is no fault of the module.
    for _ in range(5):
        host.late({"data": {"module": "m"}})
    assert open_calls.unfinished() == [] and not modules[0].breaker.is_open
