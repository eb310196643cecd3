"""Answers the requests of the admin API that change what modules do: their modes, and reloads in all processes."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from synapse.api.errors import Codes

from synapse_module_bridge.admin.questions import Question
from synapse_module_bridge.admin.refused import Refused, not_found, unfit
from synapse_module_bridge.reactor.unexpected import log_unexpected
from synapse_module_bridge.schema.admin import ADMIN_LIMITS
from synapse_module_bridge.schema.modes import Mode
from synapse_module_bridge.shared.mode_tables import Override
from synapse_module_bridge.shared.modes import Modes, UnknownModule
from synapse_module_bridge.shared.reloads import Reloads

RELOAD_WAIT_SECONDS = ADMIN_LIMITS["reload_wait_ms"] / 1000
# Short beside a reload.
LOOK_SECONDS = 0.5


class ModuleEndpoints:
    """`processes` gives the status of each process. `sleep` waits for some seconds."""

    def __init__(
        self,
        modes: Modes,
        reloads: Reloads,
        processes: Callable[[], Awaitable[Sequence[Mapping[str, Any]]]],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._modes = modes
        self._reloads = reloads
        self._processes = processes
        self._sleep = sleep
        # By the names of `ENDPOINTS`.
        self.handlers = {"put_module": self._put, "delete_module": self._delete, "post_reload": self._reload}

    def all(self) -> Sequence[dict[str, Any]]:
        """The modules of all bridges, with their modes, as `ModuleMode` of admin.json."""
        overrides = self._modes.overrides()
        return [self._one(name, overrides.get(name)) for name in self._modes.yaml]

    def _one(self, name: str, override: Override | None) -> dict[str, Any]:
        yaml_mode = self._modes.yaml[name]
        if override is None:
            return {"name": name, "mode": yaml_mode, "yaml_mode": yaml_mode}
        told = {"mode": override.mode, "by": override.by, "ts": override.ts, "until": override.until}
        told["note"] = override.note
        return {
            "name": name,
            "mode": override.mode,
            "yaml_mode": yaml_mode,
            "override": {key: value for key, value in told.items() if value is not None},
        }

    async def _put(self, question: Question) -> Mapping[str, Any]:
        name, body = question.name, question.body
        await self._refuse_impossible(name, body["mode"])
        try:
            override = await self._modes.set(
                name, body["mode"], by=question.admin, until=body.get("until"), note=body.get("note")
            )
        except UnknownModule as e:
            raise not_found(str(e)) from None
        except ValueError as e:
            raise unfit(str(e)) from None
        # What was written, also where it could not be read again at once.
        return self._one(name, override)

    async def _delete(self, question: Question) -> Mapping[str, Any]:
        name = question.name
        await self._refuse_impossible(name, self._modes.yaml.get(name))
        try:
            await self._modes.reset(name, by=question.admin)
        except UnknownModule as e:
            raise not_found(str(e)) from None
        return self._one(name, None)

    async def _refuse_impossible(self, name: str, mode: Mode | None) -> None:
        """Raises Refused where a process could not bring the module into this mode, as far as that is known."""
        if name not in self._modes.yaml:
            return
        try:
            processes = await self._processes()
        except Exception as e:
            # Whatever is wrong with a status, a module can be switched off.
            log_unexpected("looking at the processes before a mode is set", e)
            return
        for process in processes:
            for module in process["modules"]:
                reason = module.get("restart_needed", {}).get(mode) if module["name"] == name else None
                if reason is not None:
                    raise Refused(409, Codes.UNKNOWN, f"restart needed: {reason}")

    async def _reload(self, question: Question) -> Mapping[str, Any]:
        running = [process["name"] for process in await self._processes() if process["runs_modules"]]
        number = await self._reloads.request(question.admin)
        until = time.monotonic() + RELOAD_WAIT_SECONDS
        outcomes = await self._reloads.outcomes(number)
        while any(name not in outcomes for name in running) and time.monotonic() < until:
            await self._sleep(LOOK_SECONDS)
            outcomes = await self._reloads.outcomes(number)
        silent = {name: {"outcome": "no_answer"} for name in running if name not in outcomes}
        return {"processes": {**silent, **outcomes}}
