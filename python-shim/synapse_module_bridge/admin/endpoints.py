"""Answers the requests of the admin API about what runs, for one homeserver."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from synapse.module_api import ModuleApi

from synapse_module_bridge.admin.questions import Question
from synapse_module_bridge.admin.refused import not_found
from synapse_module_bridge.shared.quarantine_ends import QuarantineEnds
from synapse_module_bridge.shared.statuses import Statuses

# A message names so many.
MOST_NAMED = 20


class Endpoints:
    """`process` makes the status of this process. `modules` are those of all bridges, with their modes."""

    def __init__(
        self,
        api: ModuleApi,
        statuses: Statuses,
        ends: QuarantineEnds,
        process: Callable[[], Awaitable[dict[str, Any]]],
        modules: Callable[[], Sequence[Mapping[str, Any]]],
        end_quarantine: Callable[[str], bool],
    ) -> None:
        self._api = api
        self._statuses = statuses
        self._ends = ends
        self._process = process
        self._modules = modules
        self._end_quarantine = end_quarantine
        # By the names of `ENDPOINTS`.
        self.handlers = {"get_status": self._status, "delete_quarantine": self._delete_quarantine}

    async def _status(self, _: Question) -> Mapping[str, Any]:
        return {
            "server_name": self._api.server_name,
            "ts": int(time.time() * 1000),
            "synapse": version("matrix-synapse"),
            "bridge": version("synapse-module-bridge"),
            "modules": self._modules(),
            "processes": await self.processes(),
        }

    async def processes(self) -> Sequence[dict[str, Any]]:
        """The statuses of all processes that are not gone. This one as it is now."""
        own = await self._process()
        own["seen_ts"] = int(time.time() * 1000)
        others = [status for status in await self._statuses.live() if status["name"] != own["name"]]
        return sorted([own, *others], key=lambda status: str(status["name"]))

    async def _delete_quarantine(self, question: Question) -> Mapping[str, Any]:
        id = question.name
        processes = await self.processes()
        held = {
            process["name"]: [one["id"] for module in process["modules"] for one in module["quarantines"]]
            for process in processes
        }
        having = [name for name, ids in held.items() if id in ids] or [
            process["name"]
            for process in processes
            if any("quarantines_more" in module for module in process["modules"])
        ]
        is_here = self._end_quarantine(id)
        if not having and not is_here:
            ids = sorted({id for ids in held.values() for id in ids})
            more = f" and {len(ids) - MOST_NAMED} more" if len(ids) > MOST_NAMED else ""
            listed = ", ".join(ids[:MOST_NAMED]) + more if ids else "none"
            raise not_found(f"there is no such quarantine: there are {listed}")
        here = (await self._process())["name"]
        if having != [here]:
            await self._ends.ask(id)
        return {"id": id, "processes": having or [here]}
