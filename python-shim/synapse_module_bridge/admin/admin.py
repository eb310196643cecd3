"""Gives one homeserver its admin API, however many bridges its homeserver.yaml has: in each process, once."""

import time
from collections.abc import Sequence
from typing import Any

from synapse.module_api import ModuleApi

from synapse_module_bridge.admin import page
from synapse_module_bridge.admin.access import Access
from synapse_module_bridge.admin.bridge_status import BridgeStatus
from synapse_module_bridge.admin.decision_endpoints import DecisionEndpoints
from synapse_module_bridge.admin.endpoints import Endpoints
from synapse_module_bridge.admin.module_endpoints import ModuleEndpoints
from synapse_module_bridge.admin.page import PageResource
from synapse_module_bridge.admin.resource import AdminResource
from synapse_module_bridge.admin.status_writer import StatusWriter
from synapse_module_bridge.configuration.config import AdminApi, BridgeConfig
from synapse_module_bridge.configuration.per_homeserver import PerHomeserver
from synapse_module_bridge.schema.admin import ADMIN_PATH
from synapse_module_bridge.shared.deployment import Deployment
from synapse_module_bridge.shared.quarantine_ends import QuarantineEnds
from synapse_module_bridge.shared.statuses import Statuses

# From the narrowest.
_VALUES: Sequence[AdminApi] = (False, "api", "page")


class Admin:
    """What all bridges of a homeserver have in common in this process."""

    def __init__(self, api: ModuleApi, deployment: Deployment) -> None:
        self._api = api
        self._name = deployment.process
        self._started_ts = int(time.time() * 1000)
        self._configs: list[BridgeConfig] = []
        # Of the bridges that run Node in this process.
        self._bridges: list[BridgeStatus] = []
        self._page: PageResource | None = None
        self._statuses, self._ends = Statuses(api), QuarantineEnds(api)
        modules = ModuleEndpoints(deployment.modes, deployment.reloads, lambda: endpoints.processes(), api.sleep)
        endpoints = Endpoints(api, self._statuses, self._ends, self.process, modules.all, self._end_quarantine)
        handlers = {**endpoints.handlers, **modules.handlers, **DecisionEndpoints(api).handlers}
        self._writer = StatusWriter(api, self._statuses, self._name, self._written)
        deployment.reloads.before_told = self._reloaded
        self._resource = AdminResource(Access(api), handlers, lambda: self.value is not False, api.public_baseurl)

    def start(self, clock: Any) -> None:
        """Starts to serve, before Synapse listens, and to write the status of this process."""
        self._api.register_web_resource(ADMIN_PATH, self._resource)
        self._writer.start(clock)

    def add(self, config: BridgeConfig) -> None:
        """homeserver.yaml has this bridge. Raises StartupProblem where it wants the page, and the package has none."""
        self._configs.append(config)
        if config.admin_api == "page" and self._page is None:
            self._page = PageResource(lambda: self.value == "page")
            self._api.register_web_resource(page.PATH, self._page)

    def runs(self, bridge: BridgeStatus) -> None:
        """This bridge runs Node in this process."""
        self._bridges.append(bridge)
        bridge.changed = self._writer.write_soon

    @property
    def value(self) -> AdminApi:
        """What there is: of the values that homeserver.yaml has, the narrowest."""
        written = [config.admin_api for config in self._configs if config.admin_api is not None]
        return min(written, key=_VALUES.index, default="api")

    async def process(self) -> dict[str, Any]:
        """The status of this process: several bridges count as one."""
        for bridge in self._bridges:
            await bridge.look_at_disk()
        bridges = [bridge.as_json() for bridge in self._bridges]
        ups = [bridge["up_since_ts"] for bridge in bridges if "up_since_ts" in bridge]
        nodes = sorted({bridge["node"] for bridge in bridges if "node" in bridge})
        ends = [bridge["last_end"] for bridge in bridges if "last_end" in bridge]
        return {
            "name": self._name,
            "started_ts": self._started_ts,
            "runs_modules": bool(bridges),
            "up": bool(bridges) and all(bridge["up"] for bridge in bridges),
            **({"up_since_ts": max(ups)} if ups and len(ups) == len(bridges) else {}),
            **({"node": ", ".join(nodes)} if nodes else {}),
            "restarts": sum(bridge["restarts"] for bridge in bridges),
            **({"last_end": max(ends, key=lambda end: int(end["ts"]))} if ends else {}),
            "decisions_dropped": sum(bridge.get("decisions_dropped", 0) for bridge in bridges),
            "modules": [module for bridge in bridges for module in bridge["modules"]],
        }

    async def _written(self) -> dict[str, Any]:
        """As `process`, for other processes. Ends the quarantines that they want to be ended."""
        if any(bridge.holds_any for bridge in self._bridges):
            for id in await self._ends.asked():
                self._end_quarantine(id)
        return await self.process()

    async def _reloaded(self) -> None:
        """A reload is over: who is told so finds it in the status, too."""
        for bridge in self._bridges:
            bridge.reloaded()
        await self._writer.write()

    def _end_quarantine(self, id: str) -> bool:
        return any(bridge.end_quarantine(id) for bridge in self._bridges)


_ADMINS: PerHomeserver[Admin] = PerHomeserver()


def admin_of(api: ModuleApi, clock: Any, deployment: Deployment) -> Admin:
    """That of the api's homeserver. The first time, it is made, and starts."""

    def make() -> Admin:
        admin = Admin(api, deployment)
        admin.start(clock)
        return admin

    return _ADMINS.of(api, make)
