"""When the status of a process is written, and what is said where that fails."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
from synapse_module_bridge.admin.status_writer import STATUS_MS, StatusWriter


class Api:
    """What it uses of Synapse's ModuleApi."""

    def __init__(self) -> None:
        self.looping: list[tuple[Callable[[], Any], float, bool]] = []
        self.begun: list[str] = []

    def run_as_background_process(self, desc: str, func: Callable[[], Any]) -> None:
        self.begun.append(desc)

    def should_run_background_tasks(self) -> bool:
        return False

    def looping_background_call(self, func: Any, msec: float, desc: str, run_on_all_instances: bool) -> None:
        self.looping.append((func, msec, run_on_all_instances))


class Statuses:
    """Writes them nowhere."""

    def __init__(self) -> None:
        self.written: list[dict[str, Any]] = []
        self.is_down = False
        # What a write waits for.
        self.gate: asyncio.Event | None = None

    async def write(self, name: str, status: dict[str, Any], *, clean_up: bool) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.is_down:
            raise OSError("the database is down")
        self.written.append(status)


def writer(statuses: Statuses) -> tuple[StatusWriter, Api]:
    api: Any = Api()

    async def status() -> dict[str, Any]:
        return {"name": "main"}

    made: Any = statuses
    return StatusWriter(api, made, "main", status), api


def test_it_is_written_in_every_process() -> None:
    one, api = writer(Statuses())

    class Clock:
        def callLater(self, seconds: float, func: Callable[[], object]) -> None:
            assert seconds == 0
            func()

    one.start(Clock())
    assert [(msec, everywhere) for _, msec, everywhere in api.looping] == [(STATUS_MS, True)]
    assert api.begun == ["module_bridge_status"]


def test_all_that_changes_in_one_turn_is_written_once() -> None:
    one, api = writer(Statuses())
    due: list[Callable[[], object]] = []

    class Clock:
        def callLater(self, seconds: float, func: Callable[[], object]) -> None:
            due.append(func)

    one.start(Clock())
    for _ in range(3):
        one.write_soon()
    assert len(due) == 1
    due.pop()()
    one.write_soon()
    due.pop()()
    assert api.begun == 2 * ["module_bridge_status"]


def test_a_slow_write_is_not_overtaken_and_what_changes_meanwhile_is_written_after_it() -> None:
    async def run() -> int:
        statuses = Statuses()
        statuses.gate = asyncio.Event()
        one, _ = writer(statuses)
        first = asyncio.ensure_future(one.write())
        await asyncio.sleep(0)
        await one.write()
        await one.write()
        assert statuses.written == []
        statuses.gate.set()
        await first
        return len(statuses.written)

    assert asyncio.run(run()) == 2


def test_a_database_that_is_down_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="synapse_module_bridge.admin")
    statuses = Statuses()
    one, _ = writer(statuses)
    statuses.is_down = True
    for _ in range(3):
        asyncio.run(one.write())
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("the status of this process cannot be written to the database (OSError)")
    statuses.is_down = False
    asyncio.run(one.write())
    asyncio.run(one.write())
    assert caplog.messages[1:] == ["the status of this process can be written again"]
    assert len(statuses.written) == 2
