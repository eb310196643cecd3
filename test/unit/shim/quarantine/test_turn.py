"""How suspects are asked where the thread apart is late, or cannot be had, and for how long."""

import os
import signal
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from asking import Host, answer, calls_over, entry, sample
from killing import (
    DENIED,
    MALLORY,
    all_at_once,
    ask,
    asked,
    bystanders,
    bystanders_at_an_end,
    killer,
    says,
    set_aside,
    until_settled,
)
from outcomes import GOOD, told
from rig import Rig
from synapse.logging.context import (  # type: ignore[attr-defined] # LoggingContext is Rust's now
    SENTINEL_CONTEXT,
    LoggingContext,
    current_context,
    make_deferred_yieldable,
)
from synapse_module_bridge.calls.open_calls import OpenCall
from synapse_module_bridge.quarantine import preparing, settling, turn
from synapse_module_bridge.quarantine.preparing import Preparing
from synapse_module_bridge.quarantine.suspects import Suspect
from synapse_module_bridge.quarantine.turn import Turns
from synapse_module_bridge.reactor.deadline import within
from synapse_module_bridge.routing.entry import bind
from synapse_module_bridge.schema.catalogue import CALLBACKS
from synapse_module_bridge.schema.protocol import Reason
from synapse_module_bridge.transport.framing import TooLarge
from synapse_module_bridge.transport.unavailable import Unavailable
from turning import reactor, settled, turn_until
from twisted.internet.defer import Deferred, ensureDeferred

pytestmark = pytest.mark.usefixtures("faster", "log_contexts_are_kept")


def end(rig: Rig) -> None:
    """Of nobody's asking."""
    os.kill(rig.pid(), signal.SIGABRT)
    turn_until(lambda: rig.starts == 2 and rig.bridge._host.is_up)


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelname == "ERROR" and record.name.endswith("thread_apart")
    ]


WHY = {"no_thread": "there is no thread: EADDRINUSE", "not_begun": "the thread has ended"}


@pytest.mark.parametrize("how", WHY)
def test_nobody_is_blamed_for_a_thread_that_cannot_be_had_and_all_are_judged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    (tmp_path / how).touch()
    with killer(tmp_path, "deny") as rig:
        others = bystanders_at_an_end(rig)
        assert [settled(one) for one in others] == [GOOD] * 10
        until_settled(rig)
        assert (rig.starts, set_aside(rig)) == (2, set())
        assert settled(ask(rig, MALLORY)) is GOOD
    [told_once] = errors(caplog)
    assert f"m cannot run in a thread apart, to find the call that ended Node ({WHY[how]})" in told_once


@pytest.mark.parametrize("how", WHY)
def test_who_ends_node_is_found_without_a_thread_as_well(tmp_path: Path, how: str) -> None:
    (tmp_path / how).touch()
    with killer(tmp_path) as rig:
        with all_at_once(rig):
            others = bystanders(rig, 5)
            crash = ask(rig, MALLORY, "crash")
            others += bystanders(rig, 5)
        assert told(settled(crash)) == DENIED
        assert [settled(one) for one in others] == [GOOD] * 10
        assert set_aside(rig) == {MALLORY}
        assert rig.starts <= 4
        assert settled(ask(rig, "@user1:test")) is GOOD


def test_where_a_slow_thread_would_take_too_long_node_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(turn, "TURN_SECONDS", 7.0)
    (tmp_path / "slow_thread").write_text("60")
    with killer(tmp_path, seconds=8) as rig:
        with all_at_once(rig):
            others = bystanders(rig, 5)
            crash = ask(rig, MALLORY, "crash")
        assert [settled(one) for one in others] == [GOOD] * 5
        assert told(settled(crash)) == DENIED
        assert set_aside(rig) == {MALLORY}
    [told_once] = errors(caplog)
    assert "it was not set up within" in told_once


def test_the_turn_of_a_suspect_begins_once_the_thread_is_set_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "TURN_SECONDS", 0.5)
    (tmp_path / "slow_thread").write_text("1")
    with killer(tmp_path) as rig:
        with all_at_once(rig):
            others = bystanders(rig, 3)
            crash = ask(rig, MALLORY, "crash")
        assert told(settled(crash)) == DENIED
        assert [settled(one) for one in others] == [GOOD] * 3
        assert (rig.starts, set_aside(rig)) == (2, {MALLORY})
        # Each once, but for the one that has ended the thread in which others had run.
        assert len([one for one in asked(rig) if one["apart"]]) <= 5


def test_one_that_was_found_too_late_for_its_answer_is_found_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "slow_thread").write_text("1.2")
    with killer(tmp_path, seconds=1) as rig:
        settled(ask(rig, MALLORY, "crash"))
        until_settled(rig)
        assert (rig.starts, set_aside(rig)) == (2, {MALLORY})
        # Node was not asked again.
        assert [bool(one["apart"]) for one in asked(rig)] == [False, True]


def test_slow_ones_are_asked_alone_only_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "ALONE_SECONDS", 0.3)
    monkeypatch.setattr(turn, "MOST_ALONE_SECONDS", 0.6)
    (tmp_path / "no_thread").touch()
    with killer(tmp_path, "deny", seconds=6) as rig:
        with all_at_once(rig):
            never = [ask(rig, f"@slow{number}:test", "sleeps crash") for number in range(6)]
        began = time.monotonic()
        assert {told(settled(one)) for one in never} == {DENIED}
        assert time.monotonic() - began < 5
        assert settled(ask(rig, "@user1:test")) is GOOD


def test_nobody_is_blamed_for_a_thread_that_ends_of_itself_after_a_while(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "short_lived").touch()
    with killer(tmp_path) as rig:
        assert settled(ask(rig, MALLORY, "late")) is GOOD
        turn_until(lambda: rig.starts == 2)
        until_settled(rig)
        assert set_aside(rig) == set()
    assert len(errors(caplog)) == 1


def test_nobody_is_blamed_where_the_thread_ends_as_soon_while_nobody_is_asked(tmp_path: Path) -> None:
    (tmp_path / "short_lived").touch()
    with killer(tmp_path, seconds=2) as rig:
        settled(ask(rig, MALLORY, "crash"))
        until_settled(rig)
        assert set_aside(rig) == set()


def test_those_that_nobody_waits_for_are_asked_for_a_limited_time_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "UNAWAITED_SECONDS", 0.2)
    monkeypatch.setattr(settling, "MOST_UNAWAITED_SECONDS", 0.5)
    with killer(tmp_path) as rig:
        for number in range(20):
            assert settled(ask(rig, f"@user{number}:test", "dawdles")) is GOOD
        end(rig)
        until_settled(rig)
        apart = [one["text"] for one in asked(rig) if one["apart"]]
        assert 1 <= len(apart) <= 4
        assert len(set(apart)) == len(apart)


def test_one_that_takes_long_to_end_node_is_found_when_nobody_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "UNAWAITED_SECONDS", 0.4)
    monkeypatch.setattr(settling, "UNAWAITED_SECONDS", 0.4)
    with killer(tmp_path, seconds=0.3) as rig:
        slow = [ask(rig, f"@user{number}:test", "sleeps") for number in range(3)]
        for one in [*slow, ask(rig, MALLORY, "fills")]:
            settled(one)
        turn_until(lambda: rig.starts == 2)
        until_settled(rig)
        assert set_aside(rig) == {MALLORY}
        # Everybody had a short turn before anybody had a long one.
        apart = [one["text"] for one in asked(rig) if one["apart"]]
        assert len(set(apart[:4])) == 4
        # The last one once more, in a thread in which nobody else had run.
        assert len(apart) <= 9


def test_the_state_of_a_room_is_looked_up_in_the_log_context_of_who_waits() -> None:
    call = calls_over(Host(None)).rules.begin(
        CALLBACKS["check_event_allowed"], {"event": says(MALLORY, ""), "state_events": {}}
    )
    suspect = Suspect(call=call, entries=[entry("m")], state_room="!room:test")
    state = {("m.room.create", ""): says(MALLORY, "", type="m.room.create", state_key="")}
    # As Synapse's database does, whose answer comes in another turn of the reactor.
    later: Deferred[None] = Deferred()
    contexts = []

    async def state_of(room: str) -> Any:
        await make_deferred_yieldable(later)
        contexts.append(current_context())
        return state

    class Patient(Host):
        def within(self, deferred: Any, deadline: float) -> Any:
            return within(deferred, 5, reactor)

    async def prepared() -> None:
        with LoggingContext(name="suspects", server_name="test") as own:
            contexts.append(own)
            preparing = Preparing(Patient(None))
            preparing.room_state = state_of
            await preparing.prepare(suspect)
            contexts.append(current_context())

    done = ensureDeferred(prepared())
    assert current_context() is SENTINEL_CONTEXT
    later.callback(None)
    settled(done)
    assert suspect.call.params["state_events"] == state
    assert len(contexts) == 3 and len({id(context) for context in contexts}) == 1


def test_the_state_of_a_room_is_looked_up_for_a_limited_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "LOOKUP_SECONDS", 0.1)
    with killer(tmp_path) as rig:
        looked_up = []

        async def never(room: str) -> Any:
            looked_up.append(room)
            await Deferred()

        rig.bridge._round_trip.settling.turns.preparing.room_state = never
        create = says("@user1:test", "hello", type="m.room.create", state_key="")
        rig.answer("check_event_allowed", says("@user1:test", "hello"), {("m.room.create", ""): create})
        end(rig)
        until_settled(rig)
        assert looked_up == ["!room:test"]
        assert len([one for one in asked(rig) if one["apart"]]) == 1


def test_what_is_too_large_is_asked_apart_without_the_rooms_state_too() -> None:
    host = Host(TooLarge("has too many bytes"), answer(True, None))
    calls, callback = calls_over(host), CALLBACKS["check_event_allowed"]
    call = calls.rules.begin(callback, bind(callback, sample(callback)))
    apart = calls.round_trip.ask_apart(call, [entry("m")], time.monotonic() + 1, 0.0)
    assert settled(ensureDeferred(apart)).module is None
    assert [params["params"]["state_events"] for _, params, _ in host.calls] == [
        {"events": []},
        {"events": [], "left_out": True},
    ]
    callback = CALLBACKS["check_event_for_spam"]
    call = calls_over(host).rules.begin(callback, bind(callback, sample(callback)))
    host.outcomes = [TooLarge("has too many bytes")]
    refused = settled(ensureDeferred(calls.round_trip.ask_apart(call, [entry("m")], time.monotonic() + 1, 0.0)))
    assert isinstance(refused, Unavailable) and str(refused) == Reason.TOO_LARGE


@pytest.mark.parametrize(
    ("others", "before", "in_vain", "closed", "known"),
    [
        (False, False, 0, False, True),
        # It may have been what was asked before; but not of a Node that was asked nothing else.
        (False, True, 0, False, False),
        (False, True, 0, True, False),
        (False, True, 1, False, False),
        (False, True, 1, True, True),
        (True, False, 0, False, False),
        (True, True, 1, True, False),
    ],
)
def test_the_end_of_node_says_something_of_one_that_was_asked_with_nothing_else(
    others: bool, before: bool, in_vain: int, closed: bool, known: bool
) -> None:
    entrance: Any = SimpleNamespace(is_closed=closed)
    asker: Any = None
    turns = Turns(asker, entrance, asker)
    asking: Any = SimpleNamespace(in_vain=in_vain)
    turns._suspect, turns._is_asked = asking, True
    assert turns.node_ended("exit code 1", None, under_way=2 if others else 1, before=before) is known
    turns._suspect, turns._is_asked = None, False
    assert not turns.node_ended("exit code 1", None, under_way=0, before=False)


@pytest.mark.parametrize(
    ("cause", "is_apart", "known"),
    [
        ("killed by SIGSEGV", True, True),
        ("exit code 1", True, True),
        # What others do to Node, and what its main thread does, is no doing of a thread's.
        ("killed by SIGKILL", True, False),
        ("it did not answer", True, False),
        ("event loop blocked", True, False),
        ("killed by SIGKILL", False, False),
        ("it did not answer", False, True),
        ("event loop blocked", False, True),
    ],
)
def test_who_is_asked_alone_is_blamed_for_what_that_can_have_done(cause: str, is_apart: bool, known: bool) -> None:
    asker: Any = None
    entrance: Any = SimpleNamespace(is_closed=True)
    turns = Turns(asker, entrance, asker)
    turns._suspect, turns._is_asked, turns._is_apart = cast(Any, SimpleNamespace(in_vain=0)), True, is_apart
    assert turns.node_ended(cause, None, under_way=1, before=False) is known


def test_a_node_that_ends_of_loading_the_thread_is_asked_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "thread_ends_node").touch()
    with killer(tmp_path) as rig:
        with all_at_once(rig):
            others = bystanders(rig, 3)
            crash = ask(rig, MALLORY, "crash")
        assert [settled(one) for one in others] == [GOOD] * 3
        assert told(settled(crash)) == DENIED
        assert set_aside(rig) == {MALLORY}
        assert rig.starts <= 5
    [told_once] = errors(caplog)
    assert "Node has ended of it: exit code 1" in told_once


def test_a_handler_that_never_settles_does_not_keep_the_next_crash_from_being_clear(tmp_path: Path) -> None:
    with killer(tmp_path, seconds=8) as rig:
        crash = ask(rig, MALLORY, "native")
        open_calls, known = rig.bridge._open_calls, 0

        def has_one_in_each_life_of_node() -> bool:
            nonlocal known
            if rig.starts > known:
                known = rig.starts
                open_calls.expire(open_calls.open(OpenCall("slow", ["m"])))
            return crash.called

        turn_until(has_one_in_each_life_of_node)
        assert told(settled(crash)) == DENIED
        assert set_aside(rig) == {MALLORY}
        assert rig.starts <= 4
