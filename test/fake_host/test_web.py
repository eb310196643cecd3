"""Web resources that end Node: which of them are refused, and what else is served; with the real bridge."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from counted import count
from killing import ask, killer_with_web_resources, set_aside, until_settled
from outcomes import GOOD, INVITE
from rig import Rig
from turning import settled, turn_until
from twisted.internet.error import ConnectionLost

pytestmark = pytest.mark.usefixtures("faster", "log_contexts_are_kept")

VISITORS = ("192.0.2.1", "192.0.2.2", "192.0.2.3")


def until_it_ends(rig: Rig, starts: int) -> None:
    """Until another Node has taken over from this one."""
    turn_until(lambda: rig.starts > starts and rig.bridge._host.is_up)


def status(rig: Rig, path: str, visitor: str = "192.0.2.9") -> int:
    answer, _ = rig.visit(path, visitor)
    return int(settled(answer))


def all_else_is_served(rig: Rig, path: str, starts: int) -> None:
    """This path is refused, and Node is not asked; all else is answered by the module."""
    assert status(rig, path) == 503
    assert status(rig, "/good") == 200
    assert rig.answer("user_may_invite", *INVITE) is GOOD
    assert rig.starts == starts


@pytest.mark.parametrize(("path", "told"), [("/crash", 503), ("/late", 200)])
def test_a_path_that_ends_node_three_times_is_refused_and_all_else_is_served(
    path: str, told: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with killer_with_web_resources(tmp_path, path, "/good") as rig:
        # Those of other tests' bridges.
        before = count("quarantines")
        for visitor in VISITORS:
            starts = rig.starts
            assert status(rig, path, visitor) == told
            until_it_ends(rig, starts)
        all_else_is_served(rig, path, 4)
        assert count("quarantines") == before + 1
        [line] = [line for line in caplog.messages if "does not serve" in line]
        assert line.startswith(f"m does not serve {path} to anybody for 10 min: it was being served 3 times")
        # The cause is known: the pauses have begun anew.
        assert rig.bridge._host._backoff._failures == 1


@pytest.mark.parametrize("path", ["/ends_thread", "/has_ended_thread"])
def test_a_path_that_ends_its_thread_three_times_is_refused_and_all_else_is_served(path: str, tmp_path: Path) -> None:
    with killer_with_web_resources(tmp_path, path, "/good") as rig:
        assert [status(rig, path, visitor) for visitor in VISITORS[:2]] == [503, 503]
        # Each end counts once.
        assert not rig.bridge._web_paths.refuses("m", path, "192.0.2.9")
        assert status(rig, path, VISITORS[2]) == 503
        turn_until(lambda: rig.bridge._web_paths.refuses("m", path, "192.0.2.9"))
        all_else_is_served(rig, path, 1)


def test_a_visitor_who_ends_node_twice_is_refused_alone(tmp_path: Path) -> None:
    with killer_with_web_resources(tmp_path, "/crash", "/good") as rig:
        for _ in range(2):
            starts = rig.starts
            assert status(rig, "/crash", VISITORS[0]) == 503
            until_it_ends(rig, starts)
        assert (status(rig, "/crash", VISITORS[0]), rig.starts) == (503, 3)
        assert status(rig, "/good", VISITORS[0]) == 200
        assert status(rig, "/crash", VISITORS[1]) == 503
        until_it_ends(rig, 3)


def waiting(rig: Rig, visitor: str, *, leaves: bool) -> None:
    """Somebody's request that Node has got and does not answer."""
    answer, asked = rig.visit("/waits", visitor)
    turn_until(lambda: rig.bridge._host._child.writer.unsent_bytes == 0)
    if leaves:
        asked.connectionLost(ConnectionLost())
        settled(answer)
    else:
        answer.addBoth(lambda _: None)


def kill(rig: Rig, by: int) -> None:
    starts = rig.starts
    os.kill(rig.pid(), by)
    until_it_ends(rig, starts)


@pytest.mark.parametrize("leaves", [False, True])
@pytest.mark.parametrize(("by", "is_refused"), [(signal.SIGABRT, True), (signal.SIGKILL, False)])
def test_whoever_leaves_is_counted_and_ends_from_outside_are_not(
    by: int, is_refused: bool, leaves: bool, tmp_path: Path
) -> None:
    with killer_with_web_resources(tmp_path, "/waits", "/good") as rig:
        for visitor in VISITORS:
            waiting(rig, visitor, leaves=leaves)
            kill(rig, by)
        assert rig.bridge._web_paths.refuses("m", "/waits", "192.0.2.9") is is_refused
        assert status(rig, "/good") == 200


def test_an_end_whose_author_is_found_does_not_count(tmp_path: Path) -> None:
    with killer_with_web_resources(tmp_path, "/waits", "/good") as rig:
        for number, visitor in enumerate(VISITORS):
            waiting(rig, visitor, leaves=False)
            settled(ask(rig, f"@mallory{number}:test", "crash"))
            until_settled(rig)
        assert set_aside(rig) == {f"@mallory{number}:test" for number in range(3)}
        assert not rig.bridge._web_paths.refuses("m", "/waits", "192.0.2.9")


def test_a_request_under_way_keeps_nobody_from_being_found(tmp_path: Path) -> None:
    with killer_with_web_resources(tmp_path, "/waits", "/good") as rig:
        waiting(rig, VISITORS[0], leaves=True)
        answers: list[Any] = [settled(ask(rig, "@mallory:test", "native crash"))]
        until_settled(rig)
        assert status(rig, "/good") == 200
        assert len(answers) == 1 and set_aside(rig) == {"@mallory:test"}
