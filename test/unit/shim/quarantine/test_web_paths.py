"""Which web resources are refused, to whom and for how long, after ends of Node at which they were being served."""

import pytest
from fake_time import Time
from synapse_module_bridge.quarantine import web_paths
from synapse_module_bridge.quarantine.web_paths import (
    GIVEN_UP_SECONDS,
    MOST_OVER,
    REFUSED_SECONDS,
    WITHIN_SECONDS,
    WebPaths,
)

SEVERAL = ("192.0.2.1", "192.0.2.2", "192.0.2.3")


class Rig:
    """One path of the module m, and what others may still have of it."""

    def __init__(self) -> None:
        self.time = Time()
        self.paths = WebPaths(self.time)

    def end(self, *visitors: str, path: str = "/x") -> bool:
        """Node ends while it serves the path to these; tells whether anything is refused from now on."""
        for visitor in visitors:
            self.paths.began("m", path, visitor)
        return self.paths.note(self.paths.take("mn", "mn"))

    def refuses(self, visitor: str, module: str = "m", path: str = "/x") -> bool:
        return self.paths.refuses(module, path, visitor)


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_a_path_that_was_being_served_at_three_ends_is_refused_to_all_for_ten_minutes(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    assert [rig.end(visitor) for visitor in SEVERAL] == [False, False, True]
    assert caplog.messages == [
        "m does not serve /x to anybody for 10 min: it was being served 3 times when Node, or its thread, ended"
    ]
    assert rig.refuses("another") and rig.paths.by_module() == {"m": 1}
    assert not rig.refuses("another", path="/y") and not rig.refuses("another", module="n")
    rig.time.now += REFUSED_SECONDS - 1
    assert rig.refuses("another")
    rig.time.now += 1
    assert not rig.refuses("another") and rig.paths.by_module() == {}
    assert not rig.paths._refused
    # All begins anew.
    assert not rig.end("another")


@pytest.mark.parametrize(("between", "is_refused"), [(WITHIN_SECONDS / 2 - 1, True), (WITHIN_SECONDS / 2, False)])
def test_only_ends_within_ten_minutes_count(between: float, is_refused: bool, rig: Rig) -> None:
    for visitor in SEVERAL:
        rig.time.now += between
        rig.end(visitor)
    assert rig.refuses("another") is is_refused


def test_a_visitor_who_was_there_twice_is_refused_alone(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    visitors = [f"192.0.2.{number}" for number in range(5)]
    assert [rig.end(*visitors), rig.end(*visitors, "another")] == [False, True]
    assert [rig.refuses(visitor) for visitor in (*visitors, "another")] == [True] * 5 + [False]
    assert not rig.refuses(visitors[0], path="/y")
    assert caplog.messages == [
        "m does not serve /x to 192.0.2.0, 192.0.2.1, 192.0.2.2 and 2 more for 10 min: "
        "it was being served 2 times when Node, or its thread, ended"
    ]


@pytest.mark.parametrize(("number", "more"), [(3, ""), (4, " and 1 more")])
def test_up_to_three_visitors_are_named(number: int, more: str, rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        rig.end(*(f"192.0.2.{visitor}" for visitor in range(number)))
    [line] = caplog.messages
    assert line.startswith(f"m does not serve /x to 192.0.2.0, 192.0.2.1, 192.0.2.2{more} for 10 min:")


def test_a_visitor_who_is_refused_already_is_not_refused_for_longer(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    for seconds in (0, WITHIN_SECONDS - 10, 20):
        rig.time.now += seconds
        rig.end("192.0.2.1")
    assert len(caplog.messages) == 1
    rig.time.now += REFUSED_SECONDS - 20
    assert not rig.refuses("192.0.2.1")


def test_one_end_counts_once_however_many_requests_there_were(rig: Rig) -> None:
    assert not rig.end(*["192.0.2.1"] * 100)
    assert not rig.refuses("192.0.2.1")


def test_an_end_without_requests_refuses_nothing(rig: Rig) -> None:
    assert [rig.end() for _ in range(5)] == [False] * 5


def test_only_the_requests_of_the_modules_concerned_may_have_ended_node_and_none_is_known_afterwards(rig: Rig) -> None:
    visits = {module: rig.paths.began(module, "/x", "v") for module in "mno"}
    assert rig.paths.take(ended="mn", concerned="m") == [visits["m"]]
    # They fail only now.
    for visit in visits.values():
        rig.paths.over(visit, is_answered=False)
    assert rig.paths.take(ended="mno", concerned="mno") == [visits["o"]]
    assert rig.paths.take(ended="mno", concerned="mno") == []


@pytest.mark.parametrize("is_answered", [True, False])
def test_many_answered_requests_push_out_none_that_was_given_up_before_them(is_answered: bool, rig: Rig) -> None:
    first = rig.paths.began("m", "/x", "v")
    rig.paths.over(first, is_answered=is_answered)
    for _ in range(MOST_OVER):
        rig.paths.over(rig.paths.began("m", "/y", "w"), is_answered=True)
    assert (first in rig.paths.take("m", "m")) is not is_answered


def test_refusals_that_are_over_are_forgotten_though_nobody_asks_again(rig: Rig) -> None:
    for number in range(50):
        rig.end(f"{number}", "w")
        rig.end(f"{number}", "w")
        assert len(rig.paths._refused) == 2
        rig.time.now += REFUSED_SECONDS


def test_a_request_that_nobody_waits_for_is_kept_for_a_while_and_not_more_than_so_many(rig: Rig) -> None:
    first = rig.paths.began("m", "/x", "v")
    for visit in (first, *(rig.paths.began("m", "/x", "w") for _ in range(MOST_OVER))):
        rig.paths.over(visit, is_answered=False)
    rig.time.now += GIVEN_UP_SECONDS - 0.1
    taken = rig.paths.take("m", "m")
    assert len(taken) == MOST_OVER and first not in taken
    rig.paths.over(rig.paths.began("m", "/x", "v"), is_answered=False)
    rig.time.now += GIVEN_UP_SECONDS
    assert rig.paths.take("m", "m") == []


def test_requests_of_other_modules_that_nobody_waits_for_stay_known_and_not_more_than_so_many(rig: Rig) -> None:
    for module in "mn":
        rig.paths.over(rig.paths.began(module, "/x", "v"), is_answered=False)
    assert [visit.module for visit in rig.paths.take("m", "m")] == ["m"]
    for _ in range(MOST_OVER - 1):
        rig.paths.over(rig.paths.began("m", "/x", "v"), is_answered=False)
    assert len(rig.paths.take("m", "mn")) == MOST_OVER
    for _ in range(MOST_OVER):
        rig.paths.over(rig.paths.began("m", "/x", "v"), is_answered=False)
    assert len(rig.paths.take("mn", "mn")) == MOST_OVER


def test_an_end_that_somebody_else_has_caused_does_not_count(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    for visitor in SEVERAL:
        rig.end(visitor)
    rig.paths.forgive()
    assert not rig.refuses("another")
    assert caplog.messages[1:] == ["m serves /x again: something else has ended Node"]
    # Twice for one end, or after an end at which nothing was served.
    rig.paths.forgive()
    assert rig.end("another")
    rig.end()
    rig.paths.forgive()
    assert rig.refuses("another")


def test_ends_that_somebody_else_has_caused_count_for_none_of_their_paths(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    # Nothing has ended yet.
    rig.paths.forgive()
    for visitor in SEVERAL:
        rig.paths.began("m", "/y", visitor)
        rig.end(visitor)
        rig.paths.forgive()
    assert not rig.refuses("another") and not rig.refuses("another", path="/y") and caplog.messages == []
    for visitor in SEVERAL:
        rig.paths.began("m", "/y", visitor)
        rig.end(visitor)
    assert rig.refuses("another") and rig.refuses("another", path="/y")
    rig.paths.forgive()
    assert not rig.refuses("another") and not rig.refuses("another", path="/y")


def test_what_a_reload_has_ended_is_not_forgiven_as_well(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    for visitor in SEVERAL:
        rig.end(visitor)
    rig.paths.reloaded("m")
    rig.paths.forgive()
    assert len(caplog.messages) == 1


def test_a_path_that_is_refused_already_is_not_refused_for_longer(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    assert [rig.end("192.0.2.1") for _ in range(4)] == [False, True, True, False]
    assert len(caplog.messages) == 2
    assert len(rig.paths._ends["m", "/x"]) == 3
    rig.time.now += REFUSED_SECONDS
    assert not rig.refuses("another")


@pytest.mark.parametrize(("module", "is_refused"), [("m", False), ("n", True)])
def test_a_module_that_has_changed_is_judged_anew(module: str, is_refused: bool, rig: Rig) -> None:
    for visitor in SEVERAL:
        rig.end(visitor)
    rig.paths.reloaded([module])
    assert rig.refuses("another") is is_refused


@pytest.mark.parametrize(("module", "is_refused"), [("m", False), ("n", True)])
def test_the_past_ends_of_a_module_that_has_changed_do_not_count(module: str, is_refused: bool, rig: Rig) -> None:
    for visitor in SEVERAL[:2]:
        rig.end(visitor)
    rig.paths.reloaded([module])
    assert rig.end(SEVERAL[2]) is is_refused


def test_what_is_refused_is_listed_and_can_be_ended(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    assert rig.paths.listed() == [] and not rig.paths.end("")
    for _ in range(2):
        rig.end(SEVERAL[0])
    [refused] = rig.paths.listed()
    assert refused[1:] == ("m", "/x", SEVERAL[0], rig.time.now + REFUSED_SECONDS)
    assert SEVERAL[0] not in refused.id and len(refused.id) == 8
    assert not rig.paths.end("other") and rig.refuses(SEVERAL[0])
    assert rig.paths.end(refused.id) and not rig.refuses(SEVERAL[0])
    assert caplog.messages[-1] == "m serves /x again"
    # Its past ends do not count any more.
    assert not rig.end(SEVERAL[0])
    rig.end(SEVERAL[0])
    [refused] = rig.paths.listed()
    rig.time.now += REFUSED_SECONDS
    assert rig.paths.by_module() == {}
    assert not rig.paths.end(refused.id) and rig.paths.listed() == []


def test_visitors_of_one_path_can_be_served_again_one_by_one(rig: Rig) -> None:
    for _ in range(2):
        rig.end(*SEVERAL, path="/\ud800")
    for left in (3, 2, 1):
        ids = {refused.id for refused in rig.paths.listed()}
        assert len(ids) == left and rig.paths.end(ids.pop())


def test_nobody_can_compute_the_id_from_an_address(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(web_paths._SALT) >= 16
    for _ in range(2):
        rig.end(SEVERAL[0])
    [here] = rig.paths.listed()
    monkeypatch.setattr(web_paths, "_SALT", "of another process")
    [there] = rig.paths.listed()
    assert here.id != there.id


def test_a_visit_knows_since_when_it_is_under_way(rig: Rig) -> None:
    assert rig.paths.began("m", "/x", "v").since == rig.time.now
