"""A host that gives no sign of life is interrupted, and then killed."""

from typing import Any

import pytest
from observed import observed
from supervised import Process
from synapse_module_bridge.supervision.watchdog import (
    EARLY_SECONDS,
    LOOK_SECONDS,
    LOOKS_TO_INTERRUPT,
    LOOKS_TO_INTERRUPT_EARLY,
    LOOKS_TO_KILL,
    Watchdog,
)
from twisted.internet.task import Clock


def nobody_waits(seconds: float) -> bool:
    return False


class Beaten(Process):
    def __init__(self) -> None:
        super().__init__()
        self.ends: list[str] = []
        self.interrupts: list[float] = []
        self.attach(None, None, self.ends.append)

    def interrupt(self, silent_seconds: float) -> None:
        self.interrupts.append(silent_seconds)


def test_a_host_that_gives_signs_of_life_lives_and_tells_of_itself() -> None:
    clock, process = Clock(), Beaten()
    pulses: list[Any] = []
    watchdog = Watchdog(clock, process, pulses.append, nobody_waits)  # type: ignore[arg-type]
    for _ in range(20):
        clock.advance(LOOK_SECONDS)
        process.pulse()
    assert (process.ends, process.interrupts, pulses) == ([], [], [{}] * 20)
    watchdog.stop()
    assert clock.getDelayedCalls() == []


def test_a_silent_host_is_interrupted_once_and_then_killed_after_so_many_looks_and_not_before() -> None:
    clock, process = Clock(), Beaten()
    Watchdog(clock, process, lambda _: None, nobody_waits)  # type: ignore[arg-type]
    clock.pump([LOOK_SECONDS] * (LOOKS_TO_INTERRUPT - 1))
    assert process.interrupts == []
    clock.pump([LOOK_SECONDS] * LOOKS_TO_KILL)
    assert process.interrupts == [pytest.approx(3.0)]
    assert process.ends == []
    clock.advance(LOOK_SECONDS)
    assert process.ends == ["it did not answer"]
    assert clock.getDelayedCalls() == []


@pytest.mark.parametrize(
    ("has_waited", "not_set_up", "looks"),
    [
        (True, [], LOOKS_TO_INTERRUPT_EARLY),
        (True, ["m"], LOOKS_TO_INTERRUPT),
        (True, None, LOOKS_TO_INTERRUPT),
        (False, [], LOOKS_TO_INTERRUPT),
    ],
    ids=["a call waits", "but a module is being set up", "but it has not sent a pulse yet", "no call waits"],
)
def test_a_silent_host_is_interrupted_early_only_where_a_call_waits_and_all_is_set_up(
    has_waited: bool, not_set_up: Any, looks: int
) -> None:
    clock, process = Clock(), Beaten()
    asked: list[float] = []
    Watchdog(clock, process, lambda _: None, lambda seconds: asked.append(seconds) or has_waited)  # type: ignore
    if not_set_up is not None:
        process.on_pulse({"not_set_up": not_set_up})
    clock.pump([LOOK_SECONDS] * (looks - 1))
    assert process.interrupts == []
    clock.advance(LOOK_SECONDS)
    assert process.interrupts == [pytest.approx(looks * LOOK_SECONDS)]
    assert set(asked) <= {EARLY_SECONDS}
    # A host that is in native code does not end of it.
    clock.pump([LOOK_SECONDS] * (LOOKS_TO_KILL - 1))
    assert process.ends == []
    clock.advance(LOOK_SECONDS)
    assert process.ends == ["it did not answer"]


def test_a_host_is_silent_for_as_long_as_a_call_may_have_to_wait() -> None:
    clock, process = Clock(), Beaten()
    waited: list[bool] = []
    Watchdog(clock, process, lambda _: None, lambda _: bool(waited))  # type: ignore[arg-type]
    process.on_pulse({})
    clock.pump([LOOK_SECONDS] * (LOOKS_TO_INTERRUPT_EARLY + 5))
    assert process.interrupts == []
    waited.append(True)
    clock.advance(LOOK_SECONDS)
    assert len(process.interrupts) == 1


def test_the_time_since_the_last_sign_of_life_counts_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    clock, process = Clock(), Beaten()
    clock.advance(100.0)
    Watchdog(clock, process, lambda _: None, nobody_waits)  # type: ignore[arg-type]
    process.pulse()
    # The first look sees the pulse.
    clock.pump([LOOK_SECONDS] * LOOKS_TO_INTERRUPT)
    assert process.interrupts == []
    clock.advance(LOOK_SECONDS)
    assert process.interrupts == [pytest.approx(3.0)]
    clock.pump([LOOK_SECONDS] * LOOKS_TO_KILL)
    assert caplog.messages == ["the module host has been silent for 4.0 s, stopped or in native code: it is killed"]


def test_a_synapse_that_was_held_up_itself_does_not_blame_the_host() -> None:
    clock, process = Clock(), Beaten()
    Watchdog(clock, process, lambda _: None, nobody_waits)  # type: ignore[arg-type]
    clock.advance(3_600)
    assert (process.ends, process.interrupts) == ([], [])
    for row in (40, 42):
        observed(row, "the host lives on", on="fake clock")


def test_one_sign_of_life_is_enough_to_live_on() -> None:
    clock, process = Clock(), Beaten()
    Watchdog(clock, process, lambda _: None, nobody_waits)  # type: ignore[arg-type]
    for _ in range(5):
        clock.pump([LOOK_SECONDS] * (LOOKS_TO_INTERRUPT - 1))
        process.pulse()
    assert (process.ends, process.interrupts) == ([], [])
    observed(42, "the host lives on", on="fake clock")


def test_an_answer_is_a_sign_of_life_too_since_pulses_may_wait_behind_many() -> None:
    clock, process = Clock(), Beaten()
    Watchdog(clock, process, lambda _: None, nobody_waits)  # type: ignore[arg-type]
    for _ in range(4 * LOOKS_TO_KILL):
        process.has_spoken = True
        clock.advance(LOOK_SECONDS)
    assert (process.ends, process.interrupts) == ([], [])


def test_a_host_that_is_dead_with_its_output_held_open_is_noticed() -> None:
    clock, process = Clock(), Beaten()
    killed: list[Any] = []
    Watchdog(clock, process, lambda _: None, nobody_waits)  # type: ignore[arg-type]
    process.has_ended = True
    process.kill = lambda cause=None: killed.append(cause)  # type: ignore[method-assign]
    clock.advance(LOOK_SECONDS)
    assert killed == [None]


def test_with_debug_a_host_may_be_silent_for_as_long_as_it_likes() -> None:
    clock, process = Clock(), Beaten()
    Watchdog(clock, process, lambda _: None, lambda _: True, is_strict=False)  # type: ignore[arg-type]
    clock.pump([LOOK_SECONDS] * 10 * LOOKS_TO_KILL)
    assert (process.ends, process.interrupts) == ([], [])
