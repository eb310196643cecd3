"""Setting a mode, also while the statuses of processes cannot be told."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from synapse_module_bridge.admin.module_endpoints import ModuleEndpoints
from synapse_module_bridge.admin.questions import Question
from synapse_module_bridge.admin.refused import Refused
from synapse_module_bridge.schema.admin import ENDPOINTS
from synapse_module_bridge.schema.modes import Mode
from synapse_module_bridge.shared.mode_tables import Override

[PUT] = [one for one in ENDPOINTS if one.name == "put_module"]


class Modes:
    """The modes of one module."""

    def __init__(self) -> None:
        self.yaml = {"a": "enforce"}
        self.was_set: list[tuple[str, str]] = []

    def overrides(self) -> Mapping[str, Any]:
        return {}

    async def set(self, name: str, mode: Mode, *, by: str, **_: Any) -> Override:
        """Nobody can read it yet."""
        self.was_set.append((name, mode))
        return Override(mode=mode, by=by, ts=1)


def put(modes: Any, processes: Any) -> Any:
    unused: Any = None
    handler = ModuleEndpoints(modes, unused, processes, unused).handlers["put_module"]
    return asyncio.run(handler(Question(endpoint=PUT, admin="@a:x", name="a", body={"mode": "off"})))


def test_a_module_is_switched_off_also_where_the_statuses_cannot_be_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fails() -> Sequence[Mapping[str, Any]]:
        raise ValueError("what a row has")

    modes = Modes()
    told = {"mode": "off", "by": "@a:x", "ts": 1}
    assert put(modes, fails) == {"name": "a", "mode": "off", "yaml_mode": "enforce", "override": told}
    assert modes.was_set == [("a", "off")]
    assert "looking at the processes before a mode is set failed: ValueError" in caplog.text


def test_a_mode_that_a_process_cannot_have_is_refused() -> None:
    async def processes() -> Sequence[Mapping[str, Any]]:
        return [{"modules": [{"name": "a", "restart_needed": {"off": "it has a class"}}]}]

    modes = Modes()
    with pytest.raises(Refused, match="restart needed: it has a class"):
        put(modes, processes)
    assert modes.was_set == []
