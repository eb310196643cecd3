"""Which modes hold, in which process, and since when: with the poll, and without a Synapse."""

import logging
import sqlite3
from typing import Any

import pytest
from database_api import DatabaseApi
from synapse_module_bridge.shared import mode_tables
from synapse_module_bridge.shared.deployment import Deployment
from synapse_module_bridge.shared.modes import FIRST_READING_SECONDS, UnknownModule
from synapse_module_bridge.shared.poll import LONGEST_PAUSE_SECONDS, PAUSE_SECONDS
from turning import outcome
from twisted.internet.defer import ensureDeferred
from twisted.internet.task import Clock

ADMIN = "@admin:test"


class Reactor(Clock):
    def callWhenRunning(self, func: Any) -> None:
        func()

    def addSystemEventTrigger(self, *_: Any) -> None:
        pass


class Process:
    """A process of the deployment, whose bridge has three modules."""

    def __init__(self, connection: sqlite3.Connection, name: str | None = None, *, fails: bool = False) -> None:
        self.clock = Reactor()
        self.api: Any
        self.api = DatabaseApi(connection, name)
        self.api.fails = fails
        self.deployment = Deployment(self.api, self.clock)
        self.modes = self.deployment.modes
        self.now = 1_000_000.0
        self.modes._now = lambda: self.now
        self.changes = 0
        self.modes.add({"a": "enforce", "b": "shadow", "c": "off"}, self.modes_changed)
        self.deployment.begin(self.clock)

    def modes_changed(self) -> None:
        self.changes += 1

    @property
    def wished(self) -> list[str]:
        return [self.modes.wished(name, mode) for name, mode in self.modes.yaml.items()]

    def passes(self, seconds: float) -> None:
        self.now += seconds
        self.clock.advance(seconds)


@pytest.fixture
def connection() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", check_same_thread=False)


def done(awaitable: Any) -> Any:
    return outcome(ensureDeferred(awaitable))


def test_a_mode_holds_here_at_once_and_elsewhere_with_the_next_look(connection: sqlite3.Connection) -> None:
    here, there = Process(connection), Process(connection, "worker1")
    assert here.wished == ["enforce", "shadow", "off"]
    done(here.modes.set("a", "off", by=ADMIN, note="it refuses everybody"))
    assert (here.wished, here.changes) == (["off", "shadow", "off"], 2)
    assert there.wished == ["enforce", "shadow", "off"]
    there.passes(PAUSE_SECONDS)
    assert there.wished == here.wished
    [(name, override)] = there.modes.overrides().items()
    assert (name, override.mode, override.by, override.note) == ("a", "off", ADMIN, "it refuses everybody")
    assert done(there.modes.reset("a", by=ADMIN)) is True
    assert done(there.modes.reset("a", by=ADMIN)) is False
    here.passes(PAUSE_SECONDS)
    assert here.wished == ["enforce", "shadow", "off"]
    history = [(one.module, one.by, one.from_mode, one.to_mode) for one in done(here.modes.changes())]
    assert history == [("a", ADMIN, "off", "enforce"), ("a", ADMIN, "enforce", "off")] or history == history[::-1]


def test_a_mode_is_kept_over_restarts_and_told_at_each(
    connection: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    before = Process(connection)
    done(before.modes.set("a", "off", by=ADMIN))
    done(before.modes.set("c", "off", by=ADMIN))
    connection.execute("INSERT INTO module_bridge_modes VALUES ('gone', 'off', 'x', 1, NULL, NULL)")
    caplog.set_level(logging.INFO)
    caplog.clear()
    after = Process(connection)
    assert after.wished == ["off", "shadow", "off"]
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    [differs] = [line for line in said if line.startswith("a: its mode is off, as @admin:test has set at ")]
    assert differs.endswith("(homeserver.yaml says enforce)")
    assert "a mode is set for gone, which homeserver.yaml does not have: it is ignored" in said
    assert not any(line.startswith("c:") for line in said)
    assert "gone" not in after.modes.overrides()


def test_a_mode_ends_by_itself_also_while_the_database_is_gone(connection: sqlite3.Connection) -> None:
    here, there = Process(connection), Process(connection, "worker1")
    until = int((here.now + 60) * 1000)
    done(here.modes.set("a", "off", by=ADMIN, until=until))
    there.passes(PAUSE_SECONDS)
    there.api.fails = True
    for process in (here, there):
        while process.now < 1_000_000 + 59:
            process.passes(1)
        assert process.wished[0] == "off"
        process.passes(4)
        assert process.wished[0] == "enforce"
    assert connection.execute("SELECT module FROM module_bridge_modes").fetchall() == []
    last = max(done(here.modes.changes()), key=lambda change: change.ts)
    assert (last.by, last.from_mode, last.to_mode) == ("until", "off", "enforce")


def test_a_failed_look_keeps_what_is_known_and_is_said_once(
    connection: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    here = Process(connection)
    done(here.modes.set("a", "off", by=ADMIN))
    here.api.fails = True
    for _ in range(5):
        here.passes(LONGEST_PAUSE_SECONDS)
    assert here.wished[0] == "off"
    lines = [
        record.getMessage() for record in caplog.records if "cannot be read: those that are known" in record.message
    ]
    assert len(lines) == 1
    here.api.fails = False
    here.passes(LONGEST_PAUSE_SECONDS)
    assert not here.deployment._poll.fails


def test_calls_wait_for_the_first_reading_and_not_for_ever(connection: sqlite3.Connection) -> None:
    done(Process(connection).modes.set("a", "off", by=ADMIN))
    here = Process(connection, fails=True)
    assert not here.modes.is_known
    over: list[str] = []
    ensureDeferred(here.modes.until_known(5)).addCallback(lambda _: over.append("long"))
    ensureDeferred(here.modes.until_known(0.5)).addCallback(lambda _: over.append("brief"))
    assert over == []
    here.passes(0.5)
    assert over == ["brief"]
    here.api.fails = False
    here.passes(LONGEST_PAUSE_SECONDS)
    assert over == ["brief", "long"]
    assert here.wished[0] == "off"
    never = Process(connection, fails=True)
    ensureDeferred(never.modes.until_known(60)).addCallback(lambda _: over.append("late"))
    never.passes(FIRST_READING_SECONDS)
    assert over[-1] == "late"
    assert never.wished == ["enforce", "shadow", "off"]


def test_an_unknown_module_is_refused_with_the_names(connection: sqlite3.Connection) -> None:
    refused = done(Process(connection).modes.set("d", "off", by=ADMIN))
    assert isinstance(refused, UnknownModule)
    assert str(refused) == "there is no module d: homeserver.yaml has a, b, c"


def test_the_history_is_bounded(connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mode_tables, "MOST_CHANGES", 3)
    here = Process(connection)
    for _ in range(10):
        here.now += 1
        done(here.modes.set("a", "off", by=ADMIN))
    assert len(done(here.modes.changes(limit=100))) <= 4


def test_looks_never_overlap_and_the_process_of_a_slow_database_looks_less_often(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Process(connection)
    monkeypatch.setattr("synapse_module_bridge.shared.poll.SPARING", 10**9)
    here.passes(PAUSE_SECONDS)
    before = here.api.looks
    here.passes(LONGEST_PAUSE_SECONDS - 0.1)
    assert here.api.looks == before
    here.passes(0.1)
    assert here.api.looks == before + 1


def test_a_note_is_bounded_and_fits_into_any_database(connection: sqlite3.Connection) -> None:
    here = Process(connection)
    for note, why in (("x" * 501, "at most 500 characters"), ("\0", "well-formed"), ("\ud800", "well-formed")):
        refused = done(here.modes.set("a", "off", by=ADMIN, note=note))
        assert isinstance(refused, ValueError) and why in str(refused)
    done(here.modes.set("a", "off", by=ADMIN, note="☃" * 500))
    assert here.modes.overrides()["a"].note == "☃" * 500


def test_the_end_may_be_given_as_a_duration(connection: sqlite3.Connection) -> None:
    here = Process(connection)
    assert isinstance(done(here.modes.set("a", "off", by=ADMIN, until="yesterday")), ValueError)
    assert here.modes.overrides() == {}
    done(here.modes.set("a", "off", by=ADMIN, until="2h"))
    assert here.modes.overrides()["a"].until == int(here.now * 1000) + 2 * 60 * 60 * 1000


def test_every_process_reloads_once_and_tells_what_became_of_it(connection: sqlite3.Connection) -> None:
    asked: list[str] = []

    def reloading(name: str, outcome: dict[str, Any]) -> Any:
        async def reload() -> dict[str, Any]:
            asked.append(name)
            return outcome

        return reload

    old = done(Process(connection).deployment.reloads.request(ADMIN))
    here, there = Process(connection), Process(connection, "worker1")
    here.deployment.reloads.add(reloading("main", {"outcome": "unchanged"}))
    here.deployment.reloads.add(reloading("main", {"outcome": "reloaded", "changed": ["a"]}))
    there.deployment.reloads.add(reloading("worker1", {"outcome": "failed", "problem": "a: x"}))
    number = done(here.deployment.reloads.request(ADMIN))
    assert number == old + 1
    assert asked == ["main", "main"]
    there.passes(PAUSE_SECONDS)
    assert done(here.deployment.reloads.outcomes(number)) == {
        "main": {"outcome": "reloaded", "changed": ["a"]},
        "worker1": {"outcome": "failed", "problem": "a: x"},
    }
    assert done(here.deployment.reloads.outcomes(old)) == {}
    there.passes(5)
    assert len(asked) == 3


@pytest.mark.parametrize(
    "row",
    [
        ("a", "off", "x", 1, "abc", None),
        ("a", "off", "x", "abc", None, None),
        ("a", "off", "x", 2**63 - 1, 2**63 - 1, None),
        ("a", "off", "x", -1, None, None),
        ("a", "off", b"\xff", 1, None, None),
        ("a", "off", "x", 1, None, b"\xff"),
        ("a", "on", "x", 1, None, None),
        (b"\xff", "off", "x", 1, None, None),
    ],
)
def test_a_row_that_no_bridge_writes_stops_nothing(connection: sqlite3.Connection, row: tuple[Any, ...]) -> None:
    here = Process(connection)
    connection.execute("INSERT INTO module_bridge_modes VALUES (?, ?, ?, ?, ?, ?)", row)
    done(here.modes.set("b", "off", by=ADMIN))
    assert here.wished == ["enforce", "off", "off"]
    # It can be replaced, too.
    done(here.modes.set("a", "shadow", by=ADMIN))
    assert here.wished == ["shadow", "off", "off"] == Process(connection).wished


def test_a_text_that_is_too_long_is_read_shortened(connection: sqlite3.Connection) -> None:
    here = Process(connection)
    row = ("a", "off", "x" * 100_000, 1, None, "y" * 100_000)
    connection.execute("INSERT INTO module_bridge_modes VALUES (?, ?, ?, ?, ?, ?)", row)
    here.passes(PAUSE_SECONDS)
    override = here.modes.overrides()["a"]
    assert (len(override.by), len(override.note or "")) == (
        mode_tables.MOST_BY_CHARACTERS,
        mode_tables.MOST_NOTE_CHARACTERS,
    )


@pytest.mark.parametrize("number", [2**63 - 1, "abc"])
def test_a_request_for_a_reload_that_no_bridge_writes_stops_no_other(
    connection: sqlite3.Connection, number: Any
) -> None:
    here = Process(connection)
    connection.execute("INSERT INTO module_bridge_reloads VALUES (?, 'x', 1)", (number,))
    first = done(here.deployment.reloads.request(ADMIN))
    assert done(here.deployment.reloads.request(ADMIN)) == first + 1
