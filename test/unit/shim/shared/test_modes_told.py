"""What the modes of one process make of each look at the database: what they tell, wait for, and remove."""

import logging
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import pytest
from database_api import DatabaseApi
from synapse_module_bridge.shared.mode_tables import CREATE, Override, Reading
from synapse_module_bridge.shared.modes import Modes
from synapse_module_bridge.storage.own_tables import OwnTables
from turning import outcome
from twisted.internet.defer import ensureDeferred
from twisted.internet.task import Clock

ADMIN = "@admin:test"
NOW = 1_000_000
NOW_MS = NOW * 1000


class Api(DatabaseApi):
    """Keeps what runs in the background."""

    def __init__(self, background: bool) -> None:
        super().__init__(sqlite3.connect(":memory:", check_same_thread=False), background=background)
        self.begun: list[str] = []

    def run_as_background_process(self, desc: str, func: Callable[[], Awaitable[None]]) -> Any:
        self.begun.append(desc)
        return super().run_as_background_process(desc, func)


class Process:
    """Has two bridges, and looks when it is told to."""

    def __init__(self, *, background: bool = True) -> None:
        self.api = Api(background)
        api: Any = self.api
        self.clock = Clock()
        self.announced = self.changes = 0
        tables = OwnTables(api, "module_bridge_modes", CREATE)
        self.modes = Modes(api, tables, self.clock, self.announce, lambda: NOW)
        self.modes.add({"a": "enforce"}, self.changed)
        self.modes.add({"b": "shadow"})

    async def announce(self) -> None:
        self.announced += 1

    def changed(self) -> None:
        self.changes += 1

    def looks(self, **overrides: Override) -> None:
        self.modes.look(Reading(overrides=overrides, latest_reload=0))

    @property
    def wished(self) -> list[str]:
        return [self.modes.wished(name, mode) for name, mode in self.modes.yaml.items()]


def override(mode: Any, **more: Any) -> Override:
    return Override(**{"mode": mode, "by": ADMIN, "ts": NOW_MS, **more})


def at(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000).strftime("%Y-%m-%d %H:%M:%S")


def done(awaitable: Any) -> Any:
    return outcome(ensureDeferred(awaitable))


@pytest.fixture
def process(caplog: pytest.LogCaptureFixture) -> Process:
    caplog.set_level(logging.INFO)
    return Process()


def test_the_modules_of_all_bridges_are_known_before_the_first_look(process: Process) -> None:
    assert process.modes.yaml == {"a": "enforce", "b": "shadow"}
    assert (process.modes.overrides(), process.modes.is_known) == ({}, False)
    process.modes.look(None)
    assert (process.wished, process.modes.is_known) == (["enforce", "shadow"], False)


def test_what_is_set_is_returned_and_announced_and_its_note_is_kept(process: Process) -> None:
    modes = process.modes
    assert done(modes.set("a", "off", by=ADMIN, note="why")) == override("off", note="why")
    assert process.announced == 1
    assert done(modes.reset("a", by=ADMIN, note="why not")) is True
    assert process.announced == 2
    done(modes.set("b", "off", by=ADMIN))
    assert {change.note for change in done(modes.changes("a"))} == {"why", "why not"}
    for _ in range(100):
        done(modes.set("b", "off", by=ADMIN))
    assert len(done(modes.changes("b"))) == 100


def test_each_change_is_told_once_with_who_has_made_it(process: Process, caplog: pytest.LogCaptureFixture) -> None:
    # A look that has failed tells nothing, and the next one is still the first.
    process.modes.look(None)
    first = override("off", until=NOW_MS + 90_000, note="it refuses\neverybody")
    process.looks(a=first)
    assert caplog.messages == [
        f"a: its mode is off, as {ADMIN} has set at {at(NOW_MS)}, until {at(NOW_MS + 90_000)}: it refuses\\neverybody "
        "(homeserver.yaml says enforce)"
    ]
    caplog.clear()
    process.looks(a=first)
    process.modes.look(None)
    assert caplog.messages == []
    process.looks(a=first, b=override("off", ts=NOW_MS - 5_000))
    assert caplog.messages == [f"b: its mode is off, as {ADMIN} has set at {at(NOW_MS - 5_000)} (it was shadow)"]
    caplog.clear()
    process.looks(a=override("shadow"))
    assert caplog.messages == [
        f"a: its mode is shadow, as {ADMIN} has set at {at(NOW_MS)} (it was off)",
        "b: its mode is shadow again, as in homeserver.yaml (it was off)",
    ]


def test_what_was_read_before_the_reactor_ran_is_not_waited_for(
    process: Process, caplog: pytest.LogCaptureFixture
) -> None:
    process.modes.read_before(Reading(overrides={"a": override("off")}, latest_reload=0))
    assert (process.wished, process.modes.is_known) == (["off", "shadow"], True)
    assert ensureDeferred(process.modes.until_known(5)).called
    process.modes.wait_no_longer()
    assert caplog.messages == []


def test_the_log_says_once_that_the_first_reading_takes_too_long(
    process: Process, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        process.modes.wait_no_longer()
    assert caplog.messages == ["the modes of modules could not be read yet: those of homeserver.yaml hold meanwhile"]
    assert (process.modes.is_known, process.changes) == (True, 1)


def test_who_has_waited_long_enough_is_forgotten(process: Process) -> None:
    over: list[None] = []
    ensureDeferred(process.modes.until_known(5)).addCallback(over.append)
    assert over == []
    process.clock.advance(5)
    assert over == [None]
    assert process.modes._waiting == []


def test_a_bridge_that_fails_to_change_keeps_no_other_from_it(
    process: Process, caplog: pytest.LogCaptureFixture
) -> None:
    def fails() -> None:
        raise RuntimeError

    process.modes._changed.insert(0, fails)
    process.looks()
    assert process.changes == 1
    assert "applying modes failed: RuntimeError" in caplog.text


def test_only_the_process_of_background_tasks_removes_what_has_ended_and_not_before_it_has_told() -> None:
    ended = override("off", until=NOW_MS)
    for background in (True, False):
        process = Process(background=background)
        process.looks(a=ended)
        process.looks()
        assert process.api.begun == []
        process.looks(a=ended)
        assert process.api.begun == ["module_bridge_modes"] * background


def test_a_mode_that_has_ended_is_removed_also_for_a_module_that_is_gone(process: Process) -> None:
    done(process.modes.set("b", "off", by=ADMIN))
    connection = process.api.connection
    connection.execute("INSERT INTO module_bridge_modes VALUES ('gone', 'off', 'x', 0, 0, NULL)")
    for _ in range(2):
        process.looks(gone=override("off", ts=0, until=0))
    assert connection.execute("SELECT module FROM module_bridge_modes").fetchall() == [("b",)]
    [change] = done(process.modes.changes("gone"))
    assert (change.by, change.from_mode, change.to_mode) == ("until", "off", "off")
