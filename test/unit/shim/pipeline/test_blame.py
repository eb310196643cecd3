"""Which calls and web requests an end of Node, or of a thread, counts against."""

import time
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest
from asking import Host, answer, ask, calls_over, entry, message_from
from synapse_module_bridge.calls.open_calls import OpenCall
from synapse_module_bridge.pipeline.blame import UNREAD_AFTER_SECONDS, Blame
from synapse_module_bridge.quarantine.web_paths import ENDS_OF_A_PATH, WebPaths
from synapse_module_bridge.schema.protocol import CAUSES
from synapse_module_bridge.transport.rpc import ConnectionGone


class Rig:
    """Two modules, of which each has one path."""

    def __init__(self) -> None:
        self.host = Host(answer("NOT_SPAM", None))
        self.calls = calls = calls_over(self.host)
        accepted: Any = SimpleNamespace(modules=[{"name": "m"}, {"name": "n"}], changed=["m"])
        self.paths = WebPaths()
        self.known: list[None] = []
        trip = calls.round_trip
        self.blame = Blame(
            *(trip.settling, trip.quarantine, trip.recent, calls.rules, trip.exchange.open_calls, accepted),
            *(self.paths, lambda: self.known.append(None)),
        )
        self.settling = trip.settling
        self.found = trip.settling.found

    def visits(self) -> None:
        for module in "mn":
            self.paths.began(module, f"/{module}", "v")

    @property
    def refused(self) -> str:
        return "".join(module for module in "mn" if self.paths.refuses(module, f"/{module}", "another"))


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.mark.parametrize(
    ("cause", "culprit", "refused"),
    [
        ("exit code 1", None, "mn"),
        ("exit code 1", "a stranger", "mn"),
        ("exit code 1", "m", "m"),
        (CAUSES["blocked"], "n", "n"),
        ("killed by SIGKILL", None, ""),
        (f"{CAUSES['held']} 8 threads", "m", ""),
    ],
)
def test_an_end_of_node_counts_against_the_requests_of_its_culprit_or_of_all(
    cause: str, culprit: str | None, refused: str, rig: Rig
) -> None:
    for _ in range(ENDS_OF_A_PATH):
        rig.visits()
        rig.blame.node_ended(cause, culprit, monotonic())
    assert rig.refused == refused
    # What the others had asked was over as well.
    assert rig.paths.take("mn", "mn") == []


@pytest.mark.parametrize(
    ("modules", "culprit", "refused", "left"), [("mn", "m", "m", 0), ("mn", None, "mn", 0), ("m", "m", "m", 1)]
)
def test_an_end_of_a_thread_counts_against_the_requests_in_it(
    modules: str, culprit: str | None, refused: str, left: int, rig: Rig
) -> None:
    for number in range(ENDS_OF_A_PATH):
        rig.visits()
        rig.blame.thread_ended({"modules": [*modules], "module": culprit, "cause": "exit code 1"})
        assert len(rig.known) == (number >= 1) + (number >= 2)
        assert len(rig.paths.take("mn", "mn")) == left
    assert rig.refused == refused


def test_an_end_does_not_count_once_the_author_of_a_call_is_found(rig: Rig) -> None:
    for _ in range(ENDS_OF_A_PATH):
        rig.visits()
        rig.blame.node_ended("exit code 1", None, 0.0)
        rig.found("m", time.monotonic())
    assert rig.refused == ""


@pytest.mark.parametrize("of", ["Node, in the suspect's turn", "another thread"])
def test_an_end_that_says_nothing_of_a_request_lets_the_end_before_be_taken_back(
    of: str, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(ENDS_OF_A_PATH):
        rig.visits()
        rig.blame.node_ended("exit code 1", None, 0.0)
        if of == "another thread":
            rig.blame.thread_ended({"modules": ["isolated"], "module": None, "cause": "exit code 1"})
        else:
            with monkeypatch.context() as patch:
                patch.setattr(rig.settling, "node_ended", lambda *_, **__: True)
                rig.blame.node_ended("exit code 1", None, 0.0)
        rig.found("m", time.monotonic())
    assert rig.refused == ""


def test_a_host_that_takes_over_is_not_blamed_for_what_the_last_one_had_not_finished(rig: Rig) -> None:
    for _ in range(ENDS_OF_A_PATH):
        rig.visits()
        rig.blame.taken_over([{}, {}], {})
        rig.blame.node_ended("exit code 1", None, 0.0)
    assert rig.refused == ""


def test_a_module_that_has_changed_begins_anew(rig: Rig) -> None:
    for _ in range(ENDS_OF_A_PATH):
        rig.visits()
        rig.blame.node_ended("exit code 1", None, 0.0)
    rig.blame.taken_over([{}, {}], {})
    assert rig.refused == "n"


BLOCKED, SILENT = CAUSES["blocked"], CAUSES["silent"]


@pytest.mark.parametrize(
    ("cause", "heard_before", "is_suspect"),
    [
        (BLOCKED, 0.0, True),
        (BLOCKED, UNREAD_AFTER_SECONDS - 0.1, True),
        (BLOCKED, UNREAD_AFTER_SECONDS + 0.1, False),
        (SILENT, UNREAD_AFTER_SECONDS + 0.1, False),
        ("exit code 1", UNREAD_AFTER_SECONDS + 0.1, True),
    ],
)
def test_what_a_blocked_node_cannot_have_read_is_no_suspect(
    cause: str, heard_before: float, is_suspect: bool, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that Synapse waits for, one that it does not, and a web request, all sent just now."""
    suspects: list[Any] = []
    settled: list[Any] = []
    monkeypatch.setattr(rig.settling, "suspect", lambda unanswered, answered: suspects.extend(unanswered))
    opened = OpenCall("check_event_for_spam", ["m"])
    opened.asked = message_from("@a:test"), [entry("m")]
    rig.blame._open_calls.expire(rig.blame._open_calls.open(opened))
    for _ in range(ENDS_OF_A_PATH - 1):
        rig.visits()
        rig.blame.node_ended("exit code 1", None, 0.0)
    rig.visits()
    suspects.clear()
    rig.blame.node_ended(cause, None, monotonic() - heard_before)
    assert (len(suspects), rig.refused) == ((1, "mn") if is_suspect else (0, ""))

    async def settle(*_: Any) -> Any:
        settled.append(None)
        return await rig.calls.round_trip.ask(message_from("@a:test"), [entry("m")])

    monkeypatch.setattr(rig.settling, "settle", settle)
    rig.host.outcomes = [ConnectionGone("gone"), answer("NOT_SPAM", None)]
    assert ask("check_event_for_spam", rig.host, calls=rig.calls) == "NOT_SPAM"
    assert len(settled) == is_suspect


def test_a_call_counts_as_unread_only_once(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    settled: list[Any] = []

    async def settle(*_: Any) -> Any:
        settled.append(None)
        return await rig.calls.round_trip.ask(message_from("@b:test"), [entry("m")])

    monkeypatch.setattr(rig.settling, "settle", settle)
    rig.blame.node_ended(BLOCKED, None, 0.0)
    rig.host.outcomes = [ConnectionGone("gone"), ConnectionGone("gone"), answer("NOT_SPAM", None)]
    assert ask("check_event_for_spam", rig.host, calls=rig.calls) == "NOT_SPAM"
    assert len(settled) == 1
