"""Faults of the pipe and of the process, under each policy, with the real bridge over a fake host."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import attr
import pytest
from counted import count
from observed import observed
from outcomes import GOOD, INVITE, POLICIES, ask_three, by_policy, config, in_words, policy_count, recovers, told
from rig import Rig, running
from synapse.module_api import NOT_SPAM
from synapse.module_api.errors import Codes
from synapse_module_bridge.resilience.policy import Policies
from synapse_module_bridge.schema.on_failure import OnFailure
from synapse_module_bridge.supervision import backoff, grace_period, watchdog
from turning import settled, turn_until

pytestmark = pytest.mark.usefixtures("faster", "log_contexts_are_kept")

# Row of the table of faults, misbehaviour, reason, seconds until the deadline, and whether another host is started.
ROWS = [
    (6, "exits", "down", 2, True),
    (7, "is_killed", "down", 2, True),
    (9, "aborts", "down", 2, True),
    (10, "out_of_memory", "down", 2, True),
    (12, "hangs", "down", 2, True),
    (15, "stops", "down", 2, True),
    (16, "closes_its_input", "down", 2, True),
    (20, "closes_its_output", "down", 2, True),
    (20, "leaves_a_child_behind", "down", 2, True),
    (20, "stray_line", "down", 2, True),
    (20, "stray_flood", "down", 2, True),
    (20, "stray_crlf", "down", 2, True),
    (21, "truncated_frame", "down", 2, True),
    (21, "truncated_header", "down", 2, True),
    (21, "huge_length", "down", 2, True),
    (22, "negative_length", "down", 2, True),
    (22, "nan_length", "down", 2, True),
    (22, "no_length", "down", 2, True),
    (22, "two_lengths", "down", 2, True),
    (22, "zero_length", "down", 2, True),
    (23, "no_json", "host_error", 10, False),
    (23, "bom", "host_error", 10, False),
    (23, "wrong_utf8", "host_error", 10, False),
    (23, "nan", "host_error", 10, False),
    (23, "infinite", "reply", 10, False),
    (23, "too_deep", "reply", 10, False),
    (23, "unreadable_for_ever", "down", 2, True),
    (24, "batch", "host_error", 10, False),
    (24, "null", "deadline", 0.2, False),
    (11, "answers_late", "deadline", 0.2, False),
    (24, "id_as_text", "deadline", 0.2, False),
    (24, "id_as_list", "deadline", 0.2, False),
    (24, "id_as_float", "deadline", 0.2, False),
    (24, "id_as_true", "deadline", 0.2, False),
    (24, "id_null", "deadline", 0.2, False),
    (24, "no_id", "deadline", 0.2, False),
    (24, "both", "host_error", 10, False),
    (24, "neither", "host_error", 10, False),
    (24, "null_error", "host_error", 10, False),
    (24, "text_error", "host_error", 10, False),
    (24, "error_unknown", "host_error", 10, False),
    (24, "error_without_code", "host_error", 10, False),
    (24, "error_of_a_stranger", "host_error", 10, False),
    (24, "fault_without_data", "host_error", 10, False),
    (25, "reply_null", "reply", 10, False),
    (25, "reply_text", "reply", 10, False),
    (25, "reply_without_answer", "reply", 10, False),
    (25, "reply_refused_by_nobody", "reply", 10, False),
    (25, "reply_passed_by_somebody", "reply", 10, False),
    (25, "reply_of_a_stranger", "reply", 10, False),
    (25, "reply_of_a_list", "reply", 10, False),
    (5, "setup_failed", "setup", 2, False),
    (9, "fault", "fault", 2, False),
    (26, "synapse_error_without_code", "fault", 10, False),
    (26, "synapse_error_of_200", "fault", 10, False),
    (26, "synapse_error_of_true", "fault", 10, False),
    (26, "synapse_error_without_msg", "fault", 10, False),
    (26, "synapse_error_without_errcode", "fault", 10, False),
    (26, "synapse_error_without_fields", "fault", 10, False),
]


def with_policy(rig: Rig, policy: str) -> None:
    same = OnFailure(local=policy, federated=policy)
    policies = Policies(OnFailure(), {"check_event_for_spam": same, "user_may_invite": same})
    rig.bridge._pipeline.rules = attr.evolve(rig.bridge._pipeline.rules, policies=policies)


@pytest.mark.parametrize(
    ("row", "misbehaviour", "reason", "seconds", "restarts"),
    [pytest.param(*row, id=f"{row[0]}-{row[1]}") for row in ROWS],
)
def test_each_call_is_answered_once_by_policy_or_once_node_is_back(
    tmp_path: Path, row: int, misbehaviour: str, reason: str, seconds: float, restarts: bool
) -> None:
    with running(tmp_path, misbehaviour, config(None, seconds)) as rig:
        for policy in POLICIES:
            before, starts = policy_count(reason), rig.starts
            expected = [GOOD] * 3 if restarts else by_policy(policy)
            with_policy(rig, policy)
            rig.misbehave(True)
            rig.forget_pauses()
            outcomes = [told(settled(asked)) for asked in ask_three(rig)]
            assert outcomes == expected
            assert policy_count(reason) == before + (0 if restarts else 3)
            recovers(rig)
            # The first of the three leaves at once. One that finds the process dead then waits for the next, and ends
            # it as well: at most one end for each.
            assert rig.starts - starts in ((1, 2, 3) if restarts else (0,))
            tried = f"{misbehaviour.replace('_', ' ')}: a local event, a remote one, an invite"
            observed(row, in_words(outcomes), policy=policy, tried=tried, pause=rig.longest_pause)
            if misbehaviour == "leaves_a_child_behind":
                for file in (tmp_path / "grandchildren").iterdir():
                    os.kill(int(file.name), signal.SIGKILL)
                    file.unlink()


@pytest.mark.parametrize(
    ("row", "misbehaviour", "metric", "least"),
    [
        (24, "unknown_ids", "spurious_answers_total", 6),
        (24, "answers_twice", "spurious_answers_total", 3),
        (23, "unreadable_frames", "spurious_answers_total", 60),
        (24, "floods_the_wire", "spurious_answers_total", 3_000),
        (17, "floods_the_log", "log_lines_dropped_total", 100_000),
        (24, "request_without_params", None, 0),
        (24, "method_that_is_no_text", None, 0),
        (24, "unknown_method", None, 0),
    ],
)
def test_what_harms_no_call_is_counted_and_changes_no_answer(
    tmp_path: Path, row: int, misbehaviour: str, metric: str | None, least: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # While it floods, the fake host gives no sign of life.
    monkeypatch.setattr(watchdog, "LOOK_SECONDS", 10.0)
    before = count(metric) if metric else 0
    with running(tmp_path, misbehaviour, config("deny", 30)) as rig:
        # A flood takes its time on a busy machine.
        assert [told(settled(asked, 40)) for asked in ask_three(rig)] == [GOOD] * 3
        if metric:
            turn_until(lambda: count(metric) >= before + least)
        recovers(rig)
        assert rig.starts == 1
        observed(row, in_words([GOOD] * 3), tried=misbehaviour.replace("_", " "), pause=rig.longest_pause)


def test_a_host_that_is_killed_while_idle_is_restarted_and_no_call_notices(tmp_path: Path) -> None:
    before, ends = policy_count("down"), count("host_ends_total", cause="killed by SIGKILL")
    with running(tmp_path, "good", config("deny")) as rig:
        assert rig.answer("user_may_invite", *INVITE) is GOOD
        os.kill(rig.pid(), signal.SIGKILL)
        time.sleep(0.02)
        # Its death is not noticed yet, and no call is sent to it.
        assert [settled(asked) for asked in ask_three(rig)] == [GOOD] * 3
        assert (rig.starts, policy_count("down")) == (2, before)
        assert count("host_ends_total", cause="killed by SIGKILL") == ends + 1
        observed(6, in_words([GOOD] * 3))


@pytest.mark.parametrize(
    ("row", "misbehaviour", "words"),
    [
        (8, "crash_loop", "the module host ended (exit code 6)"),
        (5, "never_greets_again", "has said nothing within 1.5 s"),
        (5, "greets_with_faults", "cannot be restarted: config: broken"),
        (5, "greets_oddly", "does not declare its modules"),
    ],
)
def test_a_host_that_cannot_be_restarted_is_tried_again_and_again(
    tmp_path: Path, row: int, misbehaviour: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    with running(tmp_path, misbehaviour, {**config("deny"), "start_timeout": 1_500}) as rig:
        assert rig.answer("user_may_invite", *INVITE) is GOOD
        turn_until(lambda: rig.starts >= 2)
        # Policy answers meanwhile: after the hold, at once.
        turn_until(lambda: told(rig.answer("user_may_invite", *INVITE)) in ((403, Codes.FORBIDDEN), GOOD))
        recovers(rig)
        assert words in caplog.text
        outcome = f"policy, then by the module; the log says: {words}"
        observed(row, outcome, policy="deny", tried=misbehaviour.replace("_", " "))


def test_an_outage_is_waited_for_once_and_then_policy_answers_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "FIRST_PAUSE_SECONDS", 20)
    with running(tmp_path, "crash_loop", config("deny", 5)) as rig:
        assert rig.answer("user_may_invite", *INVITE) is GOOD
        turn_until(lambda: rig.starts == 2)
        first = [rig.ask("user_may_invite", *INVITE) for _ in range(50)]
        assert {told(settled(asked)) for asked in first} == {(403, Codes.FORBIDDEN)}
        started = time.monotonic()
        for _ in range(50):
            assert told(rig.answer("user_may_invite", *INVITE)) == (403, Codes.FORBIDDEN)
        assert time.monotonic() - started < 0.5
        observed(8, in_words([(403, Codes.FORBIDDEN)]), policy="deny")


@pytest.mark.parametrize("policy", POLICIES)
def test_all_calls_in_flight_and_in_line_settle_once_when_the_host_is_killed(
    tmp_path: Path, policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A busy machine takes its time to start another.
    monkeypatch.setattr(grace_period, "HOLD_SECONDS", 5.0)
    with running(tmp_path, "hangs", config(policy, 8)) as rig:
        asked = [rig.ask("user_may_invite", f"@user{number}:test", *INVITE[1:]) for number in range(2_000)]
        fired: list[Any] = []
        for one in asked:
            one.addBoth(lambda outcome: fired.append(told(getattr(outcome, "value", outcome))))
        host = rig.bridge._host
        turn_until(lambda: host._running[host._child]._watchdog._silent_looks >= 3)
        rig.misbehave(False)
        ended = time.monotonic()
        turn_until(lambda: len(fired) == 2_000)
        # Those in line wait for the next one; those that were in flight are asked again apart.
        assert fired == [GOOD] * 2_000
        took = time.monotonic() - ended
        observed(7, f"256 in flight, 1,744 in line: {in_words([GOOD])}; settled after {took:.1f} s", policy=policy)


def test_thousands_of_calls_in_line_settle_when_the_host_dies_and_does_not_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "FIRST_PAUSE_SECONDS", 20)
    with running(tmp_path, "crash_loop", config("allow", 10)) as rig:
        asked = [rig.ask("user_may_invite", *INVITE) for _ in range(3_000)]
        outcomes = [settled(one, 20) for one in asked]
        assert set(outcomes) <= {NOT_SPAM, GOOD}
        assert outcomes.count(NOT_SPAM) > 2_000
        observed(8, f"{in_words([NOT_SPAM])} for {outcomes.count(NOT_SPAM)} of 3,000", policy="allow")
