"""More than the host can take: calls, bytes, lines, time; with the real bridge over a fake host."""

import json
import logging
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from counted import count
from objects import event
from observed import observed
from outcomes import (
    GOOD,
    INVITE,
    POLICIES,
    ask_three,
    by_policy,
    config,
    depths,
    in_words,
    policy_count,
    recovers,
    told,
)
from rig import running
from synapse.module_api.errors import Codes
from synapse_module_bridge.resilience import backpressure
from synapse_module_bridge.supervision import supervisor, watchdog
from synapse_module_bridge.transport import framing
from turning import settled, turn_until
from twisted.internet.defer import CancelledError

pytestmark = pytest.mark.usefixtures("faster", "log_contexts_are_kept")


def test_ten_thousand_federated_calls_do_not_keep_a_local_one_waiting(tmp_path: Path) -> None:
    order: list[str] = []

    def noted(who: str) -> Callable[[Any], Any]:
        def note(answer: Any) -> Any:
            order.append(who)
            return answer

        return note

    with running(tmp_path, "good", config("deny", 30)) as rig:
        federated = [
            rig.ask("user_may_invite", "@bob:remote", "@alice:test", f"!{number}:test") for number in range(10_000)
        ]
        for one in federated:
            one.addCallback(noted("federated"))
        local = rig.ask("user_may_invite", *INVITE)
        local.addCallback(noted("local"))
        assert {settled(one, 30) for one in [local, *federated]} == {GOOD}
        # Those ahead of it are in flight already.
        assert order.index("local") <= 192
        assert order.count("federated") == 10_000
        observed(29, f"10,001 by the module; the local one as the {order.index('local')}th", pause=rig.longest_pause)


def test_a_line_that_is_full_is_answered_by_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synapse_module_bridge.resilience.backpressure.MOST_WAITING", 100)
    before = policy_count("overload")
    with running(tmp_path, "good", config("deny", 10)) as rig:
        asked = [rig.ask("user_may_invite", f"@user{number}:test", *INVITE[1:]) for number in range(400)]
        outcomes = [told(settled(one)) for one in asked]
        assert outcomes.count((403, Codes.FORBIDDEN)) == 400 - 256 - 100
        assert policy_count("overload") == before + 44
        recovers(rig)
        observed(29, f"356 by the module, 44 {in_words([(403, Codes.FORBIDDEN)])}", policy="deny")


def test_calls_that_waited_in_line_for_most_of_their_time_tell_nothing_against_the_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backpressure, "MOST_IN_FLIGHT", 12)
    monkeypatch.setattr(watchdog, "LOOK_SECONDS", 10.0)
    (tmp_path / "seconds").write_text("0.05")
    deadlines, late = policy_count("deadline"), count("late_answers_total")
    with running(tmp_path, "slow", config("deny", 1)) as rig:
        outcomes = [told(settled(asked)) for asked in [rig.ask("user_may_invite", *INVITE) for _ in range(60)]]
        assert policy_count("deadline") == deadlines + outcomes.count((403, Codes.FORBIDDEN)) > deadlines
        assert count("breakers_open") == 0
        turn_until(lambda: count("late_answers_total") > late)
        recovers(rig)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_host_that_stops_reading_neither_blocks_the_reactor_nor_fills_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str
) -> None:
    monkeypatch.setattr(supervisor, "MOST_UNSENT_BYTES", 1_000_000)
    before = policy_count("overload")
    with running(tmp_path, "hangs", config(policy, 5)) as rig:
        started = time.monotonic()
        asked = [
            rig.ask("check_event_for_spam", event(depth=next(depths), content={"body": "x" * 100_000}))
            for _ in range(40)
        ]
        assert rig.bridge._host._child.writer.unsent_bytes < 2_000_000
        assert time.monotonic() - started < 1
        outcomes = [told(settled(one)) for one in asked]
        # What had been written before it was ended is asked of the next one.
        assert outcomes.count(by_policy(policy)[0]) == policy_count("overload") - before > 20
        assert outcomes.count(GOOD) == 40 - outcomes.count(by_policy(policy)[0])
        recovers(rig)
        observed(16, in_words(by_policy(policy)[:1]), policy=policy, pause=rig.longest_pause)


def test_answers_of_a_host_that_was_stopped_and_goes_on_are_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "LOOK_SECONDS", 10.0)
    late = count("late_answers_total")
    with running(tmp_path, "good", config("deny", 0.2)) as rig:
        os.kill(rig.pid(), signal.SIGSTOP)
        assert [told(settled(asked)) for asked in ask_three(rig)] == by_policy("deny")
        os.kill(rig.pid(), signal.SIGCONT)
        turn_until(lambda: count("late_answers_total") == late + 3)
        recovers(rig)
        assert rig.starts == 1
        observed(15, in_words(by_policy("deny")), policy="deny", pause=rig.longest_pause)


@pytest.mark.parametrize("milliseconds", [180, 200, 220])
def test_an_answer_at_the_very_deadline_is_the_modules_or_policys_never_both(tmp_path: Path, milliseconds: int) -> None:
    before = count("calls_total", callback="user_may_invite")
    (tmp_path / "seconds").write_text(str(milliseconds / 1000))
    with running(tmp_path, "slow", config("deny", 0.2)) as rig:
        outcome = told(rig.answer("user_may_invite", *INVITE))
        assert outcome in (GOOD, (403, Codes.FORBIDDEN))
        assert count("calls_total", callback="user_may_invite") == before + 1
        observed(13, in_words([outcome]), policy="deny")


def test_a_call_that_is_cancelled_ends_and_its_answer_is_dropped(tmp_path: Path) -> None:
    late = count("late_answers_total")
    with running(tmp_path, "answers_late", config("deny", 5)) as rig:
        asked = ask_three(rig)
        for one in asked:
            one.cancel()
        assert all(isinstance(settled(one), CancelledError) for one in asked)
        turn_until(lambda: count("late_answers_total") == late + 3)
        recovers(rig)
        observed(30, "cancelled; late answers dropped")


def test_a_call_that_is_cancelled_in_line_leaves_it(tmp_path: Path) -> None:
    with running(tmp_path, "good", config("deny", 5)) as rig:
        asked = [rig.ask("user_may_invite", *INVITE) for _ in range(300)]
        asked[299].cancel()
        assert isinstance(settled(asked[299]), CancelledError)
        assert [settled(one) for one in asked[:299]] == [GOOD] * 299
        observed(30, "cancelled; the others by the module")


def test_any_output_beside_the_wire_becomes_records_of_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    odd = [
        b"\xff\xfe\x00\x80binary",
        b"\x1b[2J\x1b]0;title\x07 \x9b31m",
        b"x" * 2_000_000,
        json.dumps({"level": 30, "msg": "a\n2026 forged\r\x1b[31m\u2028\u202e\ud800"}).encode(),
        json.dumps({"level": 50, "module": "a\nb", "msg": "x", "err": {"stack": "E\n at\r\n forged"}}).encode(),
        b"[" * 60_000,
        b'{"level":' + b"9" * 5_000 + b"}",
        b'{"level":30,"msg":' + b'{"a":' * 20_000,
        b'{"log":{"level":30,"msg":' + b"[" * 981 + b"]" * 981 + b"}}",
        json.dumps({"printed": {"module": "a\x1b[2J", "text": "a\n2026 forged\r\x1b[31m\u2028\u202e\ud800"}}).encode(),
        json.dumps({"log": {"level": 50, "module": "a\nb", "msg": "x", "err": {"stack": "E\r\n forged"}}}).encode(),
        b"last",
    ]
    (tmp_path / "log").write_bytes(b"\n".join(odd) + b"\n")
    with running(tmp_path, "logs_oddly", config("deny")) as rig, caplog.at_level(logging.INFO):
        assert [settled(asked) for asked in ask_three(rig)] == [GOOD] * 3
        turn_until(lambda: [r for r in caplog.records if r.getMessage() == "last"])
        for record in caplog.records:
            first, *more = record.getMessage().split("\n")
            assert first.isprintable() or first.replace("\t", "").isprintable()
            assert all(line.startswith("  | ") and line.isprintable() for line in more)
            record.getMessage().encode("utf-8")
        observed(18, "by the module; a record for each line", pause=rig.longest_pause)


def test_a_payload_of_megabytes_passes_and_one_over_the_limit_fails_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = policy_count("too_large")
    with running(tmp_path, "good", config("deny", 10)) as rig:
        big = event(depth=next(depths), content={"body": "x" * 5_000_000})
        assert rig.answer("check_event_for_spam", big) is GOOD
        monkeypatch.setattr(framing, "MAX_FRAME_BYTES", 1_000_000)
        asked = [rig.ask("user_may_invite", *INVITE), rig.ask("check_event_for_spam", big)]
        assert [told(settled(one)) for one in asked] == [GOOD, (403, Codes.FORBIDDEN)]
        assert policy_count("too_large") == before + 1
        recovers(rig)
        assert rig.starts == 1
        observed(28, f"over the limit {in_words([(403, Codes.FORBIDDEN)])}, else by the module", policy="deny")


@pytest.mark.parametrize("content", [{"n": float("nan")}, {"n": {1: object()}}])
def test_what_is_no_json_fails_alone(tmp_path: Path, content: Any) -> None:
    before = policy_count("params")
    with running(tmp_path, "good", config("deny")) as rig:
        outcome = rig.answer("user_may_create_room", "@alice:test", content)
        assert told(outcome) == (503, Codes.UNKNOWN)
        assert policy_count("params") == before + 1
        recovers(rig)
        observed(23, in_words([(503, Codes.UNKNOWN)]), policy="defer")
