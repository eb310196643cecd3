"""What is admitted, what is not asked any more: places, breakers, suspects."""

from collections.abc import Callable
from typing import Any

import pytest
from observed import observed
from synapse_module_bridge.admission import MOST_FEDERATED, MOST_IN_FLIGHT, Admission, Overloaded
from synapse_module_bridge.breaker import FIRST_PROBE_SECONDS, LONGEST_PROBE_SECONDS, MISSES_TO_OPEN, Breaker, Breakers
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
    ensureDeferred(enters(admission, local=local, on_wait=waits.append)).addBoth(entered.append)
    return entered, waits


async def enters(admission: Admission, *, local: bool, on_wait: Callable[["Deferred[None]"], None]) -> bool:
    """Whether it had to wait for that."""
    if admission.enters(local=local):
        return False
    await admission.wait(local=local, on_wait=on_wait)
    return True


def test_places_are_kept_for_local_calls_and_their_line_goes_first() -> None:
    admission = Admission()
    for _ in range(MOST_FEDERATED):
        assert enter(admission, local=False)[0] == [False]
    federated, _ = enter(admission, local=False)
    assert federated == []
    for _ in range(MOST_IN_FLIGHT - MOST_FEDERATED):
        assert enter(admission, local=True)[0] == [False]
    local, _ = enter(admission, local=True)
    assert (local, admission.in_flight, admission.waiting) == ([], MOST_IN_FLIGHT, 2)
    admission.leave(local=False)
    assert (local, federated) == ([True], [])
    admission.leave(local=False)
    assert federated == [True]


def test_each_line_is_in_order_and_one_who_gives_up_leaves_it() -> None:
    admission = Admission()
    for _ in range(MOST_IN_FLIGHT):
        enter(admission, local=True)
    first, second, third = (enter(admission, local=True) for _ in range(3))
    second[1][0].cancel()
    assert len(second[0]) == 1
    admission.leave(local=True)
    assert (first[0], third[0]) == ([True], [])
    admission.leave(local=True)
    assert (third[0], admission.waiting) == ([True], 0)


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
        await enters(admission, local=True, on_wait=lambda _: None)
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
    observed(50, "the first good answer closes it", on="fake clock")


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
