"""What is admitted: places, and turns for those who wait."""

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from synapse.logging.context import (  # type: ignore[attr-defined] # LoggingContext is of Rust now
    SENTINEL_CONTEXT,
    LoggingContext,
    current_context,
)
from synapse_module_bridge.resilience.backpressure import (
    MOST_FEDERATED,
    MOST_IN_FLIGHT,
    Backpressure,
    Overloaded,
)
from twisted.internet.defer import Deferred, ensureDeferred


class Places:
    """Backpressure, to calls that each are of a user, or of a server, of their own, unless it is told."""

    def __init__(self) -> None:
        self.backpressure = Backpressure()
        self._numbers = itertools.count()

    def enter(self, *, local: bool, who: str = "") -> "Place":
        who = who or f"{next(self._numbers)}.test"
        entered: list[Any] = []
        entering = ensureDeferred(enters(self.backpressure, local, who))
        entering.addBoth(entered.append)
        return Place(entered, entering, lambda: self.backpressure.leave(local, who))


class Place(NamedTuple):
    """Whether one had to wait for it, once it is had."""

    waited: list[Any]
    entering: "Deferred[bool]"
    leave: Callable[[], None]


async def enters(backpressure: Backpressure, local: bool, who: str) -> bool:
    """Whether it had to wait for that."""
    if backpressure.enters(local, who):
        return False
    await backpressure.line_up(local, who)
    return True


def test_places_are_kept_for_local_calls_and_their_line_goes_first() -> None:
    places = Places()
    first, second, *_ = entered = [places.enter(local=False) for _ in range(MOST_FEDERATED)]
    assert all(place.waited == [False] for place in entered)
    federated = places.enter(local=False)
    assert federated.waited == []
    for _ in range(MOST_IN_FLIGHT - MOST_FEDERATED):
        assert places.enter(local=True).waited == [False]
    local = places.enter(local=True)
    assert (
        local.waited,
        places.backpressure.in_flight,
        places.backpressure.waiting,
    ) == ([], MOST_IN_FLIGHT, 2)
    first.leave()
    assert (local.waited, federated.waited) == ([True], [])
    second.leave()
    assert federated.waited == [True]


def test_each_line_is_in_order_and_one_who_gives_up_leaves_it() -> None:
    places = Places()
    entered = [places.enter(local=True) for _ in range(MOST_IN_FLIGHT)]
    first, second, third = (places.enter(local=True) for _ in range(3))
    second.entering.cancel()
    assert len(second.waited) == 1
    entered[0].leave()
    assert (first.waited, third.waited) == ([True], [])
    entered[1].leave()
    assert (third.waited, places.backpressure.waiting) == ([True], 0)


def test_a_full_line_takes_nobody_and_a_local_call_is_never_refused_for_federated_ones_that_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("synapse_module_bridge.resilience.backpressure.MOST_WAITING", 1)
    places = Places()
    for _ in range(MOST_IN_FLIGHT):
        places.enter(local=True)
    for local in (False, True):
        assert places.enter(local=local).waited == []
        [failure] = places.enter(local=local).waited
        assert failure.check(Overloaded)


@pytest.mark.parametrize(("local", "most"), [(False, MOST_FEDERATED), (True, MOST_IN_FLIGHT)])
def test_one_user_or_server_cannot_take_all_places_nor_the_turns_of_others(local: bool, most: int) -> None:
    places = Places()
    greedy = [places.enter(local=local, who="greedy.test") for _ in range(most)]
    entered = [place for place in greedy if place.waited]
    assert most * 3 // 4 < len(entered) < most
    # There are places for everybody else, and who comes too late has the next that is free.
    others = [places.enter(local=local) for _ in range(most - len(entered))]
    assert all(place.waited for place in others)
    late = places.enter(local=local)
    assert late.waited == []
    entered[0].leave()
    assert late.waited == [True]
    # Then it may have the one that it has left.
    for place in [*others, late]:
        place.leave()
    assert len([place for place in greedy if place.waited]) == len(entered) + 1


def test_one_server_cannot_fill_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synapse_module_bridge.resilience.backpressure.MOST_WAITING", 10)
    places = Places()
    for _ in range(MOST_IN_FLIGHT):
        places.enter(local=True)
    greedy = [places.enter(local=False, who="greedy.test") for _ in range(12)]
    assert [place.waited == [] for place in greedy] == [True] * 8 + [False] * 4
    assert places.enter(local=False).waited == []


@pytest.mark.parametrize("local", [True, False])
def test_those_who_wait_are_counted_on_both_sides(local: bool) -> None:
    places = Places()
    for _ in range(MOST_IN_FLIGHT):
        places.enter(local=True)
    for number in range(3):
        places.enter(local=local)
        assert places.backpressure.waiting == number + 1
    places.enter(local=not local)
    assert places.backpressure.waiting == 4


@pytest.mark.parametrize("local", [True, False])
def test_nobody_is_remembered_for_places_that_were_left(local: bool) -> None:
    places = Places()
    for place in [places.enter(local=local, who="@alice:test") for _ in range(3)]:
        assert len(places.backpressure._shares[local].held) == 1
        place.leave()
    assert places.backpressure._shares[local].held == {}


def test_who_has_left_has_one_place_more_and_not_several() -> None:
    backpressure = Backpressure()
    while backpressure.enters(True, "@greedy:test"):
        pass
    most = backpressure.in_flight
    for _ in range(20):
        backpressure.leave(True, "@greedy:test")
        assert backpressure.enters(True, "@greedy:test") and not backpressure.enters(True, "@greedy:test")
    assert backpressure.in_flight == most


def test_a_local_place_that_is_left_goes_to_a_local_call_though_the_federated_ones_are_all_taken() -> None:
    places = Places()
    for _ in range(MOST_FEDERATED):
        places.enter(local=False)
    first, *_ = [places.enter(local=True) for _ in range(MOST_IN_FLIGHT - MOST_FEDERATED)]
    federated, local = places.enter(local=False), places.enter(local=True)
    first.leave()
    assert (local.waited, federated.waited) == ([True], [])


def test_those_who_wait_take_turns_and_each_of_their_calls_is_in_order() -> None:
    places = Places()
    entered = [places.enter(local=True) for _ in range(MOST_IN_FLIGHT)]
    line = [places.enter(local=True, who=f"@{who}:test") for who in "aaabbc"]
    turns = []
    for left in range(len(line)):
        entered[left].leave()
        turns.append([place.waited == [True] for place in line].index(True))
        line[turns[-1]].waited.clear()
    assert turns == [0, 3, 5, 1, 4, 2]


@pytest.mark.parametrize("gives_up", [True, False])
def test_who_is_in_line_no_more_may_wait_again(gives_up: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synapse_module_bridge.resilience.backpressure.MOST_WAITING", 10)
    places = Places()
    entered = [places.enter(local=True) for _ in range(MOST_IN_FLIGHT)]
    for _ in range(3):
        greedy = [places.enter(local=True, who="@greedy:test") for _ in range(8)]
        assert all(place.waited == [] for place in greedy)
        for place in greedy if gives_up else entered:
            place.entering.cancel() if gives_up else place.leave()
        assert all(place.waited for place in greedy)
        if not gives_up:
            for place in greedy:
                place.leave()
            entered = [places.enter(local=True) for _ in range(MOST_IN_FLIGHT)]


def test_thousands_that_leave_as_soon_as_they_enter_need_no_deep_stack() -> None:
    places = Places()
    first, *_ = [places.enter(local=True) for _ in range(MOST_IN_FLIGHT)]
    backpressure, left = places.backpressure, []

    async def pass_through(who: str) -> None:
        await enters(backpressure, True, who)
        backpressure.leave(True, who)
        left.append(1)

    for number in range(5_000):
        ensureDeferred(pass_through(f"@{number % 100}:test"))
    first.leave()
    assert (len(left), backpressure.waiting, backpressure.in_flight) == (
        5_000,
        0,
        MOST_IN_FLIGHT - 1,
    )


def test_nobody_enters_before_those_who_wait_not_even_while_a_place_is_handed_over() -> None:
    places = Places()
    entered, *_ = [places.enter(local=True) for _ in range(MOST_IN_FLIGHT)]
    first, second = places.enter(local=True), places.enter(local=True)
    overtaken = []

    def leaves_for_another(_: Any) -> None:
        first.leave()
        overtaken.append(places.backpressure.enters(True, "@late:test"))

    first.entering.addCallback(leaves_for_another)
    entered.leave()
    assert (overtaken, second.waited) == ([False], [True])


def test_who_is_let_in_goes_on_outside_of_the_log_context_of_who_leaves_which_keeps_its_own() -> None:
    places = Places()
    first, *_ = [places.enter(local=True) for _ in range(MOST_IN_FLIGHT)]
    seen: list[object] = []
    places.enter(local=True).entering.addCallback(lambda _: seen.append(current_context()))
    with LoggingContext(name="leaves", server_name="test") as context:
        first.leave()
        assert current_context() is context
    assert seen == [SENTINEL_CONTEXT]
