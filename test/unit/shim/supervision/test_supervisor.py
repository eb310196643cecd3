"""The supervisor of the host process against its model, and by example."""

from typing import Any

import pytest
from hypothesis import settings
from observed import observed
from supervised import MANIFEST, SupervisorMachine
from synapse_module_bridge.supervision.backoff import FIRST_AT_ONCE, FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS
from synapse_module_bridge.supervision.supervisor import STEADY_SECONDS

TestSupervisor = SupervisorMachine.TestCase
TestSupervisor.settings = settings(max_examples=120, stateful_step_count=30, deadline=None)


def a_host() -> SupervisorMachine:
    return SupervisorMachine()


def test_pauses_grow_within_bounds_and_begin_anew_after_a_steady_time() -> None:
    machine = a_host()

    def next_pause() -> float:
        machine.current.end("exit code 1")
        pause = machine.host._restart_timer.getTime() - machine.clock.seconds()
        machine.clock.advance(pause)
        machine.current.take("initialize", MANIFEST)
        return float(pause)

    pauses = [next_pause() for _ in range(12)]
    assert pauses[:FIRST_AT_ONCE] == [0] * FIRST_AT_ONCE
    for number, pause in enumerate(pauses[FIRST_AT_ONCE:], 1):
        longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**number)
        assert longest / 2 <= pause <= longest
    machine.time_passes(STEADY_SECONDS + 1)
    assert next_pause() == 0
    while next_pause() == 0:
        pass
    machine.host.cause_is_known()
    assert next_pause() == 0
    machine.teardown()


def test_a_process_that_cannot_be_started_is_tried_again_until_it_can_be() -> None:
    machine = a_host()
    machine.cannot_spawn = OSError(11, "no more processes")
    machine.current.end("exit code 1")
    machine.somebody_asks(60.0)
    machine.time_passes(40.0)
    [(_, [outcome])] = machine.waiting
    assert "down" in str(outcome)
    machine.cannot_spawn = None
    machine.clock.advance(machine.host._restart_timer.getTime() - machine.clock.seconds())
    machine.current.take("initialize", MANIFEST)
    machine.somebody_asks(5.0)
    machine.current.take("callback/x", "by the module")
    assert machine.waiting[-1][1] == ["by the module"]
    observed(41, "policy, then by the module", on="fake clock")
    machine.teardown()


def test_a_reload_hands_calls_over_and_the_old_process_finishes_its_own() -> None:
    machine = a_host()
    old = machine.current
    machine.somebody_asks(5.0)
    machine.somebody_reloads(None)
    new = machine.processes[-1]
    new.take("initialize", MANIFEST)
    assert machine.current is old
    new.take("set_up", {"failed": {}})
    assert machine.current is new and not old.stopping and machine.replaced == [[None]]
    machine.somebody_asks(5.0)
    old.take("callback/x", "old")
    new.take("callback/x", "new")
    assert [fired for _, fired in machine.waiting] == [["old"], ["new"]]
    machine.time_passes(1.0)
    assert old.stopping
    machine.time_passes(40.0)
    assert old.has_ended and not new.has_ended
    machine.teardown()


def test_all_processes_are_told_whose_modules_may_have_read_already_what_it_is_about() -> None:
    machine = a_host()
    old = machine.current
    answers: list[Any] = []

    def tell() -> list[bool]:
        """Who has been told."""
        answer = machine.host.tell_all("set_up_apart", {})
        if answer is not None:
            answer.addBoth(answers.append)
        return [process.take("set_up_apart", number) for number, process in enumerate(machine.processes)]

    assert (tell(), answers) == ([True], [0])
    machine.somebody_reloads(None)
    new = machine.processes[-1]
    assert (tell(), answers) == ([True, False], [0, 0])
    new.take("initialize", MANIFEST)
    # It sets up its modules now. The answer that counts is that of the one that takes the calls.
    assert (tell(), answers) == ([True, True], [0, 0, 0])
    new.take("set_up", {"failed": {}})
    assert (tell(), answers) == ([True, True], [0, 0, 0, 1])
    new.end("it crashed")
    old.end("it crashed")
    assert machine.host.tell_all("set_up_apart", {}) is None
    machine.teardown()


@pytest.mark.parametrize(
    ("manifest", "refusal", "failed", "reason"),
    [
        ({"faults": [{"path": [], "message": "broken"}]}, None, {}, "config: broken"),
        (None, None, {}, "is not an object"),
        (MANIFEST, "a new callback", {}, "a new callback"),
        (MANIFEST, None, {"m": "no list"}, "m: setup failed: no list"),
    ],
)
def test_a_bad_reload_keeps_the_old_process_and_leaves_none(
    manifest: Any, refusal: str | None, failed: Any, reason: str
) -> None:
    machine = a_host()
    old = machine.current
    machine.somebody_reloads(refusal)
    new = machine.processes[-1]
    new.take("initialize", manifest)
    new.take("set_up", {"failed": failed})
    [[said]] = machine.replaced
    assert reason in said
    assert machine.current is old and new.has_ended and not old.stopping
    machine.teardown()


def test_a_watcher_that_cannot_take_the_new_declarations_keeps_the_old_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine = a_host()
    old = machine.current

    def manifest(*_: Any) -> None:
        raise ValueError("odd")

    monkeypatch.setattr(machine.host._events, "manifest", manifest)
    machine.somebody_reloads(None)
    machine.processes[-1].take("initialize", MANIFEST)
    machine.processes[-1].take("set_up", {"failed": {}})
    assert machine.replaced == [["ValueError"]]
    assert machine.current is old and machine.host._grace_period.is_up
    machine.teardown()
