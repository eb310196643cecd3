"""What several bridges of one homeserver have in common: one API, and one status of the process."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from fake_synapse import Api
from synapse_module_bridge.admin.admin import Admin
from synapse_module_bridge.configuration.config import parse


class Bridge:
    """How a bridge is doing, as it says so itself."""

    def __init__(self, status: dict[str, Any]) -> None:
        self._status = status
        self.holds_any = False
        self.quarantines = ["1a"]
        self.changed: Any = None
        self.has_forgotten_the_disk = False

    def reloaded(self) -> None:
        self.has_forgotten_the_disk = True

    async def look_at_disk(self) -> None:
        pass

    def as_json(self) -> dict[str, Any]:
        return self._status

    def end_quarantine(self, id: str) -> bool:
        if id not in self.quarantines:
            return False
        self.quarantines.remove(id)
        return True


def admin(*bridges: Any) -> Admin:
    api: Any = Api()
    api.sleep = None
    deployment: Any = SimpleNamespace(process="main", modes=None, reloads=SimpleNamespace())
    one = Admin(api, deployment)
    for bridge in bridges:
        one.runs(bridge)
    return one


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ([None], "api"),
        ([None, None], "api"),
        (["page"], "page"),
        ([None, "page"], "page"),
        (["page", "api"], "api"),
        ([False, "page", None], False),
    ],
)
def test_the_narrowest_value_that_is_written_holds(written: list[Any], value: Any) -> None:
    one = admin()
    for index, given in enumerate(written):
        block = {"modules": [{"path": f"/{index}.ts"}], **({} if given is None else {"admin_api": given})}
        one.add(parse(block))
    assert one.value == value


def test_a_process_in_which_no_module_runs_has_a_status() -> None:
    status = asyncio.run(admin().process())
    assert (status["name"], status["runs_modules"], status["up"], status["modules"]) == ("main", False, False, [])


def test_a_process_is_up_while_all_of_its_bridges_are() -> None:
    up = Bridge({"up": True, "up_since_ts": 5, "node": "v24.1.0", "restarts": 1, "modules": [{"name": "a"}]})
    end = {"ts": 7, "cause": "out of memory"}
    also = {"up": True, "up_since_ts": 9, "node": "v24.1.0", "restarts": 2, "last_end": end, "modules": [{"name": "b"}]}
    status = asyncio.run(admin(up, Bridge(also)).process())
    assert (status["up"], status["up_since_ts"], status["node"], status["restarts"]) == (True, 9, "v24.1.0", 3)
    assert (status["last_end"], [module["name"] for module in status["modules"]]) == (end, ["a", "b"])
    down = Bridge({"up": False, "restarts": 0, "modules": []})
    status = asyncio.run(admin(up, down).process())
    assert not status["up"] and "up_since_ts" not in status


def test_a_reload_is_in_the_status_before_its_outcome_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    bridge = Bridge({"up": True, "restarts": 0, "modules": []})
    one = admin(bridge)
    seen: list[bool] = []

    async def write() -> None:
        seen.append(bridge.has_forgotten_the_disk)

    monkeypatch.setattr(one._writer, "write", write)
    asyncio.run(one._reloaded())
    assert seen == [True]


def test_a_bridge_that_has_changed_lets_the_status_be_written() -> None:
    bridge = Bridge({})
    one = admin(bridge)
    assert bridge.changed == one._writer.write_soon
