"""Who is found to have ended Node, and what becomes of the others; with the real bridge over a fake host."""

import hashlib
import json
import os
import signal
import time
from pathlib import Path

import pytest
from counted import count
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
from observed import observed
from outcomes import GOOD, config, recovers, told
from rig import running
from synapse.module_api import NOT_SPAM
from synapse.module_api.errors import Codes
from synapse_module_bridge.quarantine import answered_groups, turn
from synapse_module_bridge.quarantine.suspects import Suspect
from synapse_module_bridge.schema.catalogue import CALLBACKS
from turning import settled, turn_until
from twisted.internet.defer import ensureDeferred

pytestmark = pytest.mark.usefixtures("faster", "log_contexts_are_kept")


@pytest.mark.parametrize("policy", ["allow", "deny"])
def test_only_who_ends_node_is_blamed_and_those_in_flight_with_it_are_judged(tmp_path: Path, policy: str) -> None:
    with killer(tmp_path, policy) as rig:
        before, active = count("calls_total", reason="quarantine"), count("quarantines")
        with all_at_once(rig):
            others = bystanders(rig, 5)
            crash = ask(rig, MALLORY, "crash")
            others += bystanders(rig, 5)
        assert [settled(one) for one in others] == [GOOD] * 10
        # Also where policy would allow: what it says must be no way past the module.
        assert told(settled(crash)) == DENIED
        assert (rig.starts, set_aside(rig)) == (2, {MALLORY})
        assert count("quarantines") == active + 1
        # What the author says later is not asked, be it as harmless as it may; all others are.
        number = len(asked(rig))
        assert told(settled(ask(rig, MALLORY))) == DENIED
        assert len(asked(rig)) == number
        assert settled(ask(rig, "@user1:test")) is GOOD
        assert count("calls_total", reason="quarantine") == before + 2
        assert rig.starts == 2
        observed(
            9, "ten others: by the module; its author: 403 M_FORBIDDEN", policy=policy, tried="a message ends Node"
        )


def test_256_in_flight_are_settled_within_their_deadlines(tmp_path: Path) -> None:
    with killer(tmp_path) as rig:
        with all_at_once(rig):
            others = bystanders(rig, 200)
            crash = ask(rig, MALLORY, "crash")
            others += bystanders(rig, 55)
        ended = time.monotonic()
        turn_until(lambda: rig.starts == 2 and rig.bridge._host.is_up)
        back = time.monotonic()
        assert [settled(one) for one in others] == [GOOD] * 255
        took = time.monotonic() - back
        assert told(settled(crash)) == DENIED
        assert (rig.starts, set_aside(rig)) == (2, {MALLORY})
        observed(
            7, f"255 others: by the module, {took:.1f} s after Node was back ({back - ended:.1f} s)", policy="allow"
        )


def test_who_crashes_after_the_answer_is_found_and_no_bystander_is(tmp_path: Path) -> None:
    with killer(tmp_path) as rig:
        for number in range(6):
            assert settled(ask(rig, f"@user{number}:test")) is GOOD
        assert settled(ask(rig, MALLORY, "late")) is GOOD
        # They go on talking, are in flight at the end, and were answered before.
        while rig.starts == 1 or rig.bridge._round_trip.settling.busy:
            assert settled(ask(rig, "@user1:test")) is GOOD
        assert set_aside(rig) == {MALLORY}
        assert rig.starts == 2
        assert told(settled(ask(rig, MALLORY))) == DENIED


def test_who_is_found_is_no_cover_for_another_who_has_ended_node_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The fake host starts at once.
    monkeypatch.setattr(answered_groups, "SAME_END_SECONDS", 0.02)
    with killer(tmp_path) as rig:
        assert settled(ask(rig, MALLORY, "late")) is GOOD
        turn_until(lambda: not rig.bridge._host.is_up)
        # It goes to the next Node before anybody is asked apart.
        assert told(settled(ask(rig, "@accomplice:test", "crash"))) == DENIED
        until_settled(rig)
        assert set_aside(rig) == {MALLORY, "@accomplice:test"}
        assert told(settled(ask(rig, MALLORY))) == DENIED


def test_an_end_that_nobody_repeats_blames_nobody(tmp_path: Path) -> None:
    with killer(tmp_path) as rig:
        for _ in range(3):
            others = bystanders_at_an_end(rig)
            assert [settled(one) for one in others] == [GOOD] * 10
            until_settled(rig)
        assert set_aside(rig) == set()
        # Each was asked apart.
        assert len([one for one in asked(rig) if one["apart"]]) == 30


def test_who_ends_node_and_not_only_a_thread_is_found_with_nothing_else_under_way(tmp_path: Path) -> None:
    with killer(tmp_path) as rig:
        with all_at_once(rig):
            others = bystanders(rig)
            crash = ask(rig, MALLORY, "native")
        # One who talks all the time, and is in flight at every end.
        while rig.bridge._round_trip.settling.busy or not crash.called:
            assert settled(ask(rig, "@busy:test"), 20) is GOOD
        assert [settled(one) for one in others] == [GOOD] * 10
        assert told(settled(crash)) == DENIED
        assert set_aside(rig) == {MALLORY}
        assert rig.starts <= 4


def test_further_messages_of_a_suspect_wait_and_do_not_end_the_next_node(tmp_path: Path) -> None:
    with killer(tmp_path) as rig:
        first = ask(rig, MALLORY, "crash")
        turn_until(lambda: not rig.bridge._host.is_up)
        more = [ask(rig, MALLORY, "crash") for _ in range(10)]
        innocent = ask(rig, "@user1:test")
        assert {told(settled(one)) for one in [first, *more]} == {DENIED}
        assert settled(innocent) is GOOD
        assert rig.starts == 2


def test_an_attacker_with_many_accounts_ends_node_no_more_often_than_it_has_accounts(tmp_path: Path) -> None:
    with killer(tmp_path) as rig:
        with all_at_once(rig):
            crashes = [ask(rig, f"@mallory{number}:test", "crash") for number in range(8)]
            others = bystanders(rig)
        assert {told(settled(one)) for one in crashes} == {DENIED}
        assert [settled(one) for one in others] == [GOOD] * 10
        # All were in flight at the one end.
        assert rig.starts == 2
        assert len(set_aside(rig)) == 8


def test_one_that_takes_long_does_not_keep_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "TURN_SECONDS", 0.2)
    with killer(tmp_path, seconds=4) as rig:
        slow = ask(rig, "@slow:test", "sleeps crash")
        others = bystanders(rig)
        assert [settled(one) for one in others] == [GOOD] * 10
        turn_until(lambda: slow.called)


def test_an_author_is_kept_back_no_longer_than_somebody_waits_for_the_suspect(tmp_path: Path) -> None:
    with killer(tmp_path, seconds=2) as rig:
        with all_at_once(rig):
            never = [ask(rig, MALLORY, "sleeps crash") for _ in range(5)]
        for one in never:
            settled(one)
        # They are still being looked into, which nobody has to wait for.
        assert rig.bridge._round_trip.settling.busy
        assert settled(ask(rig, MALLORY)) is GOOD


def test_an_author_waits_while_the_suspect_has_its_turn_though_nobody_waits_for_that_any_more(tmp_path: Path) -> None:
    with killer(tmp_path, seconds=1) as rig:
        assert settled(ask(rig, MALLORY, "crash hangs")) == NOT_SPAM
        assert [bool(one["apart"]) for one in asked(rig)] == [False, True]
        assert told(settled(ask(rig, MALLORY))) == DENIED
        assert (rig.starts, set_aside(rig)) == (2, {MALLORY})


def test_calls_wait_for_a_closed_entrance_which_opens_by_itself_in_the_end(tmp_path: Path) -> None:
    with killer(tmp_path) as rig:
        entrance = rig.bridge._exchange.entrance
        entrance.close()
        waiting = bystanders(rig)
        assert not (rig.folder / "asked").exists()
        entrance.close_no_longer_than(0.1)
        assert [settled(one) for one in waiting] == [GOOD] * 10
        assert settled(ask(rig, MALLORY)) is GOOD
        entrance.close()
        waiting = bystanders(rig)
        entrance.open()
        assert [settled(one) for one in waiting] == [GOOD] * 10


def test_a_call_waits_for_a_closed_entrance_no_longer_than_its_deadline(tmp_path: Path) -> None:
    with killer(tmp_path, "deny", seconds=0.3) as rig:
        rig.bridge._exchange.entrance.close()
        assert told(settled(ask(rig, MALLORY))) == DENIED
        rig.bridge._exchange.entrance.open()


def test_a_remote_message_is_soft_failed_and_a_server_of_many_is_set_aside(tmp_path: Path) -> None:
    with killer(tmp_path) as rig:
        for number in range(3):
            assert settled(ask(rig, f"@mallory{number}:evil", "crash")) is Codes.FORBIDDEN
            recovers(rig)
        assert "evil" in set_aside(rig)
        assert settled(ask(rig, "@other:evil")) is Codes.FORBIDDEN
        assert settled(ask(rig, "@other:good")) is GOOD


def test_notifications_that_end_node_are_set_aside_as_well(tmp_path: Path) -> None:
    with killer(tmp_path) as rig:
        dropped = count("notifications_dropped_total", reason="quarantine")
        settled(rig.ask("on_new_event", says(MALLORY, "crash"), {}))
        settled(rig.ask("on_new_event", says("@user1:test", "hello", "!other:test"), {}))
        turn_until(lambda: rig.bridge._notifications.queued == 0)
        assert count("notifications_dropped_total", reason="quarantine") == dropped + 1
        assert (set_aside(rig), rig.starts) == ({MALLORY}, 2)
        # In another room its author is told of.
        settled(rig.ask("on_new_event", says(MALLORY, "hello", "!other:test"), {}))
        settled(rig.ask("on_new_event", says(MALLORY, "hello"), {}))
        turn_until(lambda: rig.bridge._notifications.queued == 0)
        assert count("notifications_dropped_total", reason="quarantine") == dropped + 2


def test_calls_of_a_thread_that_has_ended_are_asked_again_apart(tmp_path: Path) -> None:
    with running(tmp_path, "ends_a_thread", config("deny", 5)) as rig:
        # They fail with it, whoever has done it.
        assert [settled(one) for one in bystanders(rig)] == [GOOD] * 10
        assert (rig.starts, set_aside(rig)) == (1, set())


def test_the_end_of_a_thread_is_counted_and_lets_recent_calls_be_suspected(tmp_path: Path) -> None:
    with killer(tmp_path) as rig:
        assert settled(ask(rig, "@user1:test")) is GOOD
        labels = {"module": "m", "cause": "exit code 1"}
        before = count("thread_ends_total", **labels)
        rig.bridge._handle({"modules": []}, "thread_ended", {"modules": ["m"], **labels}, None, None)
        rig.bridge._handle(
            {"modules": []}, "thread_ended", {"modules": ["stranger"], "module": 5, "cause": []}, None, None
        )
        until_settled(rig)
        assert count("thread_ends_total", **labels) == before + 1
        assert [bool(one["apart"]) for one in asked(rig)] == [False, True]
        assert set_aside(rig) == set()


def test_the_host_is_told_how_much_time_is_left(tmp_path: Path) -> None:
    with killer(tmp_path, seconds=3) as rig:
        settled(ask(rig, "@user1:test"))
        [told_host] = asked(rig)
        assert 1_000 < told_host["time_left_ms"] <= 3_000


def test_a_module_that_ends_node_twice_is_isolated_until_it_is_reloaded(tmp_path: Path) -> None:
    file = tmp_path / "m.ts"
    file.write_text("1")
    with killer(tmp_path) as rig:

        def declare() -> None:
            declared = json.loads((tmp_path / "declares.json").read_text())
            declared["modules"][0]["files"] = {str(file): hashlib.sha256(file.read_bytes()).hexdigest()}
            (tmp_path / "declares.json").write_text(json.dumps(declared))

        declare()
        assert settled(ensureDeferred(rig.bridge._host.replace(lambda _: None))) is None

        def is_isolated() -> bool:
            [module] = json.loads((tmp_path / "initialize").read_text())["modules"]
            return bool(module.get("isolated", False))

        for number in range(2):
            settled(ask(rig, f"@mallory{number}:test", "crash"))
            assert not is_isolated()
        os.kill(rig.pid(), signal.SIGKILL)
        recovers(rig)
        assert is_isolated() and set_aside(rig) == {"@mallory0:test", "@mallory1:test"}
        # A reload that does not change it changes nothing,
        assert settled(ensureDeferred(rig.bridge._host.replace(lambda _: None))) is None
        assert is_isolated() and len(set_aside(rig)) == 2
        # nor does a restart while its file has changed; a reload then does.
        file.write_text("2")
        os.kill(rig.pid(), signal.SIGKILL)
        recovers(rig)
        assert is_isolated() and len(set_aside(rig)) == 2
        declare()
        assert settled(ensureDeferred(rig.bridge._host.replace(lambda _: None))) is None
        assert not is_isolated() and set_aside(rig) == set()
        recovers(rig)


def test_restarts_with_a_known_cause_come_without_pauses(tmp_path: Path) -> None:
    with killer(tmp_path) as rig:
        for number in range(8):
            settled(ask(rig, f"@mallory{number}:test", "crash"))
            until_settled(rig)
            assert rig.bridge._host._backoff.pause() == 0
            rig.bridge._host._backoff.reset()
        assert rig.starts == 9


def test_suspects_are_let_go_when_synapse_stops(tmp_path: Path) -> None:
    with killer(tmp_path, "deny") as rig:
        os.kill(rig.pid(), signal.SIGSTOP)
        others = bystanders(rig)
        turn_until(lambda: rig.bridge._host._child.writer.unsent_bytes == 0)
        stopped = rig.bridge._host.stop()
        os.kill(rig.pid(), signal.SIGKILL)
        assert {told(settled(one)) for one in others} == {DENIED}
        assert settled(stopped) is None
        assert not rig.bridge._round_trip.settling.busy


def test_suspects_that_are_dropped_while_node_is_awaited_end_the_search_in_order(tmp_path: Path) -> None:
    with killer(tmp_path, "deny") as rig:
        settling = rig.bridge._round_trip.settling
        call = rig.bridge._pipeline.rules.begin(CALLBACKS["check_event_for_spam"], {"event": says(MALLORY, "hello")})
        os.kill(rig.pid(), signal.SIGKILL)
        turn_until(lambda: not rig.bridge._host.is_up)
        settling.suspect([Suspect(call=call, entries=rig.bridge._pipeline.entries["check_event_for_spam"])], [])
        assert settling.busy
        # As at another end of Node.
        settling._line.drop_unawaited()
        until_settled(rig)
        recovers(rig)
