"""A host that gives no sign of life is interrupted, and then killed."""

from typing import Any

from observed import observed
from supervised import Process
from synapse_module_bridge.supervision.watchdog import LOOK_SECONDS, LOOKS_TO_INTERRUPT, LOOKS_TO_KILL, Watchdog
from twisted.internet.task import Clock


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
    watchdog = Watchdog(clock, process, pulses.append)  # type: ignore[arg-type]
    for _ in range(20):
        clock.advance(LOOK_SECONDS)
        process.pulse()
    assert (process.ends, process.interrupts, len(pulses)) == ([], [], 20)
    watchdog.stop()
    assert clock.getDelayedCalls() == []


def test_a_silent_host_is_interrupted_once_and_then_killed_after_so_many_looks_and_not_before() -> None:
    clock, process = Clock(), Beaten()
    Watchdog(clock, process, lambda _: None)  # type: ignore[arg-type]
    clock.pump([LOOK_SECONDS] * (LOOKS_TO_INTERRUPT - 1))
    assert process.interrupts == []
    clock.pump([LOOK_SECONDS] * (LOOKS_TO_KILL - LOOKS_TO_INTERRUPT))
    assert (process.interrupts, process.ends) == ([3.0], [])
    clock.advance(LOOK_SECONDS)
    assert process.ends == ["it did not answer"]
    assert clock.getDelayedCalls() == []


def test_a_synapse_that_was_held_up_itself_does_not_blame_the_host() -> None:
    clock, process = Clock(), Beaten()
    Watchdog(clock, process, lambda _: None)  # type: ignore[arg-type]
    clock.advance(3_600)
    assert (process.ends, process.interrupts) == ([], [])
    for row in (40, 42):
        observed(row, "the host lives on", on="fake clock")


def test_one_sign_of_life_is_enough_to_live_on() -> None:
    clock, process = Clock(), Beaten()
    Watchdog(clock, process, lambda _: None)  # type: ignore[arg-type]
    for _ in range(5):
        clock.pump([LOOK_SECONDS] * (LOOKS_TO_INTERRUPT - 1))
        process.pulse()
    assert (process.ends, process.interrupts) == ([], [])
    observed(42, "the host lives on", on="fake clock")


def test_an_answer_is_a_sign_of_life_too_since_pulses_may_wait_behind_many() -> None:
    clock, process = Clock(), Beaten()
    Watchdog(clock, process, lambda _: None)  # type: ignore[arg-type]
    for _ in range(4 * LOOKS_TO_KILL):
        process.has_spoken = True
        clock.advance(LOOK_SECONDS)
    assert (process.ends, process.interrupts) == ([], [])


def test_a_host_that_is_dead_with_its_output_held_open_is_noticed() -> None:
    clock, process = Clock(), Beaten()
    killed: list[Any] = []
    Watchdog(clock, process, lambda _: None)  # type: ignore[arg-type]
    process.has_ended = True
    process.kill = lambda cause=None: killed.append(cause)  # type: ignore[method-assign]
    clock.advance(LOOK_SECONDS)
    assert killed == [None]
