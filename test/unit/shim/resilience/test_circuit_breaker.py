"""When a module is not asked any more, by whom, and when it is tried again."""

from time import monotonic
from typing import Any

import pytest
from asking import Host, calls_over
from fake_time import Time
from observed import observed
from synapse_module_bridge.pipeline.pipeline import Pipeline
from synapse_module_bridge.resilience.circuit_breaker import (
    FIRST_PROBE_SECONDS,
    LONGEST_PROBE_SECONDS,
    MISSES_TO_OPEN,
    CircuitBreaker,
)
from synapse_module_bridge.routing.routing_table import RoutingTable

ALICE, BOB = "@alice:test", "@bob:test"


def misses(breaker: CircuitBreaker, time: Time | None = None, times: int = MISSES_TO_OPEN, who: str = ALICE) -> None:
    """One after the other."""
    for _ in range(times):
        began = monotonic() if time is None else time.now
        if time is not None:
            time.now += 0.001
        breaker.missed(began, who)


def test_a_breaker_opens_after_misses_in_a_row_and_lets_a_probe_pass_now_and_then() -> None:
    time = Time()
    breaker = CircuitBreaker("x", time)
    misses(breaker, time, MISSES_TO_OPEN - 1)
    breaker.answered(ALICE)
    for _ in range(MISSES_TO_OPEN):
        assert breaker.admits(ALICE)
        misses(breaker, time, 1)
    assert breaker.is_open
    assert not breaker.admits(ALICE)
    time.now += FIRST_PROBE_SECONDS
    assert [breaker.admits(ALICE), breaker.admits(ALICE)] == [True, False]
    breaker.answered(ALICE)
    assert [breaker.is_open, breaker.admits(ALICE)] == [False, True]
    observed(50, "the first good answer closes it", on="fake clock")


def test_calls_that_ran_at_the_same_time_miss_as_one() -> None:
    time = Time()
    breaker = CircuitBreaker("x", time)
    for _ in range(MISSES_TO_OPEN - 1):
        began = time.now
        time.now += 5
        for _ in range(10):
            breaker.missed(began, ALICE)
    assert not breaker.is_open
    # Known late, it is none of its own either.
    breaker.missed(began, ALICE)
    assert not breaker.is_open
    misses(breaker, time, 1)
    assert breaker.is_open


def test_one_user_or_two_open_it_for_themselves_and_several_for_all() -> None:
    time = Time()
    breaker = CircuitBreaker("x", time)
    misses(breaker, time, MISSES_TO_OPEN - 1)
    misses(breaker, time, 1, BOB)
    # Their own next calls are probes, and no call of another is kept from the module.
    assert [breaker.admits(who) for who in (ALICE, BOB, "remote")] == [False, False, True]
    time.now += FIRST_PROBE_SECONDS
    assert [breaker.admits(BOB), breaker.admits(ALICE)] == [True, False]
    # One that another server's calls have missed as well is not asked by anybody.
    misses(breaker, time, 1, "remote")
    assert [breaker.admits(who) for who in (ALICE, "remote", "elsewhere")] == [False] * 3
    # Whoever is answered shows that it answers.
    breaker.answered(BOB)
    assert all(breaker.admits(who) for who in (ALICE, BOB, "remote"))


def test_good_answers_of_others_neither_keep_it_closed_for_one_whose_calls_all_miss_nor_open_it_for_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    time = Time()
    breaker = CircuitBreaker("x", time)
    for _ in range(MISSES_TO_OPEN):
        assert breaker.admits(ALICE)
        misses(breaker, time, 1)
        breaker.answered(BOB)
    assert [breaker.is_open, breaker.admits(ALICE), breaker.admits(BOB), breaker.admits("")] == [
        True,
        False,
        True,
        True,
    ]
    for _ in range(2):
        time.now += LONGEST_PROBE_SECONDS
        assert [breaker.admits(ALICE), breaker.admits(ALICE)] == [True, False]
        misses(breaker, time, 1)
        breaker.answered(BOB)
    time.now += LONGEST_PROBE_SECONDS
    breaker.answered(ALICE)
    assert [breaker.is_open, breaker.admits(ALICE)] == [False, True]
    first, last = caplog.messages
    assert first == f"x has missed 5 deadlines in a row: it is not asked about {ALICE}, but for a probe now and then"
    assert last.startswith("x answers again; it was not asked for ")


def test_a_flood_of_those_whose_calls_miss_is_bounded() -> None:
    time = Time()
    breaker = CircuitBreaker("x", time)
    for number in range(3_000):
        misses(breaker, time, 1, f"server{number}")
        breaker.answered("other")
    assert len(breaker._own) == 1_000


@pytest.mark.parametrize("before", range(1, MISSES_TO_OPEN))
def test_one_answer_ends_a_row_however_short(before: int) -> None:
    time = Time()
    breaker = CircuitBreaker("x", time)
    misses(breaker, time, before)
    breaker.answered(ALICE)
    misses(breaker, time, MISSES_TO_OPEN - 1)
    assert not breaker.is_open
    # What had missed before that is forgotten.
    misses(breaker, time, 1, BOB)
    assert [breaker.admits(who) for who in (ALICE, BOB, "remote")] == [False, False, True]


def test_whose_calls_had_missed_before_an_answer_is_forgotten() -> None:
    time = Time()
    breaker = CircuitBreaker("x", time)
    for who in ("", ALICE):
        misses(breaker, time, who=who)
        breaker.answered(who)
        assert not breaker.is_open and breaker.admits(who)
    misses(breaker, time, who=BOB)
    assert [breaker.admits(who) for who in (ALICE, BOB)] == [True, False]


def test_users_whose_calls_miss_at_the_same_time_do_not_open_it_for_all() -> None:
    time = Time()
    breaker = CircuitBreaker("x", time)
    for _ in range(MISSES_TO_OPEN):
        began = time.now
        time.now += 5
        for who in (ALICE, BOB, "remote"):
            breaker.missed(began, who)
    assert [breaker.admits(who) for who in (ALICE, BOB, "remote", "elsewhere")] == [False, False, False, True]


@pytest.mark.parametrize(("who", "before", "is_known"), [(ALICE, 2, True), (BOB, 1, False)])
def test_of_too_many_it_forgets_whose_last_miss_is_the_oldest(
    who: str, before: int, is_known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synapse_module_bridge.resilience.circuit_breaker.MOST_WHO", 2)
    time = Time()
    breaker = CircuitBreaker("x", time)
    for one in (ALICE, BOB, ALICE, "remote", *[who] * (MISSES_TO_OPEN - before)):
        misses(breaker, time, 1, one)
        breaker.answered("other")
    assert breaker.is_open is is_known


def test_the_log_names_the_one_for_whom_alone_it_opens_and_no_probe_is_news(caplog: pytest.LogCaptureFixture) -> None:
    time = Time()
    breaker = CircuitBreaker("x", time)
    for _ in range(MISSES_TO_OPEN - 1):
        misses(breaker, time, 1)
        breaker.answered("other")
    misses(breaker, time, 1, BOB)
    misses(breaker, time, 4)
    assert [line.partition(" it is not asked ")[2] for line in caplog.messages] == [
        f"about {ALICE}, but for a probe now and then"
    ]
    caplog.clear()
    breaker = CircuitBreaker("x", time)
    misses(breaker, time, MISSES_TO_OPEN + 3)
    assert len(caplog.messages) == 1


def test_that_it_answers_again_is_logged_where_it_was_not_asked(caplog: pytest.LogCaptureFixture) -> None:
    time = Time()
    breaker = CircuitBreaker("x", time)
    misses(breaker, time, 1)
    breaker.answered(ALICE)
    assert caplog.messages == []
    misses(breaker, time)
    time.now += 30
    breaker.answered(ALICE)
    assert caplog.messages[1:] == ["x answers again; it was not asked for 30 s"]


def test_what_is_about_nobody_opens_it_for_all(caplog: pytest.LogCaptureFixture) -> None:
    time = Time()
    breaker = CircuitBreaker("x", time)
    misses(breaker, time, who="")
    assert not breaker.admits("") and not breaker.admits(ALICE)
    for _ in range(100):
        misses(breaker, time, 1, who="")
    assert len(breaker._who) < 10
    assert len(caplog.messages) == 1


def test_the_log_says_about_whom_it_is_not_asked(caplog: pytest.LogCaptureFixture) -> None:
    time = Time()
    breaker = CircuitBreaker("x", time)
    misses(breaker, time, who="@a\nb:test")
    misses(breaker, time, 1, "remote")
    misses(breaker, time, 1, "elsewhere")
    first, second, third = caplog.messages
    assert first == "x has missed 5 deadlines in a row: it is not asked about @a\\nb:test, but for a probe now and then"
    assert second.startswith("x has missed 6 deadlines in a row: it is not asked about @a\\nb:test and remote, but")
    assert third == "x has missed 7 deadlines in a row: it is not asked, but for a probe now and then"


def test_pauses_between_probes_grow_to_a_bound_and_begin_anew_once_closed() -> None:
    time = Time()
    breaker = CircuitBreaker("x", time)
    misses(breaker, time)
    pauses = []
    for _ in range(10):
        since = time.now
        while not breaker.admits(ALICE):
            time.now += 0.5
        pauses.append(time.now - since)
        breaker.missed(time.now, ALICE)
    assert pauses == [FIRST_PROBE_SECONDS, 4.0, 8.0, 16.0, 32.0, *[LONGEST_PROBE_SECONDS] * 5]
    time.now += LONGEST_PROBE_SECONDS
    assert breaker.admits(ALICE)
    breaker.answered(ALICE)
    misses(breaker, time)
    time.now += FIRST_PROBE_SECONDS
    assert breaker.admits(ALICE)


def test_a_probe_that_tells_nothing_is_followed_by_another() -> None:
    time = Time()
    breaker = CircuitBreaker("x", time)
    misses(breaker, time)
    for _ in range(3):
        time.now += FIRST_PROBE_SECONDS
        assert breaker.admits(ALICE)


def test_breakers_are_apart_by_module_and_callback_and_new_code_is_judged_anew() -> None:
    calls = calls_over(Host(None))
    load(calls, checkers=[])
    misses(calls.entries["user_may_invite"][0].breaker)
    assert [breaker.is_open for breaker in breakers(calls)] == [True, False, False]
    assert len(calls.open_breakers()) == 1
    load(calls, checkers=[])
    assert not calls.open_breakers()


def test_the_entries_of_one_callback_share_its_breaker() -> None:
    calls = calls_over(Host(None))
    load(calls, checkers=[{"login_type": "m.a", "fields": []}, {"login_type": "m.b", "fields": []}])
    first, second = calls.entries["auth_checkers"]
    misses(first.breaker)
    assert not second.breaker.admits(ALICE)
    assert len(calls.open_breakers()) == 1


def load(calls: Pipeline, checkers: list[Any]) -> None:
    two: Any = {"user_may_invite": {}, "user_may_create_room": {}}
    listed = {"auth_checkers": {"checkers": checkers}} if checkers else {}
    modules = [{"name": "m", "callbacks": {**two, **listed}}, {"name": "n", "callbacks": {"user_may_invite": {}}}]
    calls.entries = RoutingTable(lambda *_: True, "test").of([(module, False) for module in modules])  # type: ignore[arg-type]


def breakers(calls: Pipeline) -> list[CircuitBreaker]:
    return [entry.breaker for entries in calls.entries.values() for entry in entries]
