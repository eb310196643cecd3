"""What is admitted, what is not asked any more: places, breakers, suspects."""

from typing import Any

import pytest
from asking import Host, calls_over
from observed import observed
from synapse_module_bridge.admission import MOST_FEDERATED, MOST_IN_FLIGHT, Admission, Overloaded
from synapse_module_bridge.breaker import FIRST_PROBE_SECONDS, LONGEST_PROBE_SECONDS, MISSES_TO_OPEN, Breaker
from synapse_module_bridge.calls import Calls
from synapse_module_bridge.entries import Entries
from synapse_module_bridge.suspects import FORGET_AFTER_SECONDS, MOST_REMEMBERED, Suspects
from twisted.internet.defer import Deferred, ensureDeferred


class Time:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


# --- admission


def enter(admission: Admission, *, local: bool) -> tuple[list[Any], "Deferred[bool]"]:
    entered: list[Any] = []
    entering = ensureDeferred(enters(admission, local=local))
    entering.addBoth(entered.append)
    return entered, entering


async def enters(admission: Admission, *, local: bool) -> bool:
    """Whether it had to wait for that."""
    if admission.enters(local=local):
        return False
    await admission.line_up(local=local)
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
    second[1].cancel()
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
        await enters(admission, local=True)
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


def test_breakers_are_apart_by_module_and_callback_and_new_code_is_judged_anew() -> None:
    calls = calls_over(Host(None))
    load(calls, checkers=[])
    for _ in range(MISSES_TO_OPEN):
        calls.entries["user_may_invite"][0].breaker.missed()
    assert [breaker.is_open for breaker in breakers(calls)] == [True, False, False]
    assert len(calls.open_breakers()) == 1
    load(calls, checkers=[])
    assert not calls.open_breakers()


def test_the_entries_of_one_callback_share_its_breaker() -> None:
    calls = calls_over(Host(None))
    load(calls, checkers=[{"login_type": "m.a", "fields": []}, {"login_type": "m.b", "fields": []}])
    first, second = calls.entries["auth_checkers"]
    for _ in range(MISSES_TO_OPEN):
        first.breaker.missed()
    assert not second.breaker.admits()
    assert len(calls.open_breakers()) == 1


def load(calls: Calls, checkers: list[Any]) -> None:
    two: Any = {"user_may_invite": {}, "user_may_create_room": {}}
    listed = {"auth_checkers": {"checkers": checkers}} if checkers else {}
    modules = [{"name": "m", "callbacks": {**two, **listed}}, {"name": "n", "callbacks": {"user_may_invite": {}}}]
    calls.entries = Entries(lambda *_: True, "test").of([(module, False) for module in modules])  # type: ignore[arg-type]


def breakers(calls: Calls) -> list[Breaker]:
    return [entry.breaker for entries in calls.entries.values() for entry in entries]


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
