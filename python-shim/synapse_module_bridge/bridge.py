"""The class that homeserver.yaml names: checks its configuration, starts the host, registers what modules declare."""

import logging
import os
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from synapse.module_api import ModuleApi
from twisted.internet import reactor

from synapse_module_bridge import config as configuration
from synapse_module_bridge.api import HostRequests
from synapse_module_bridge.calls import Calls, Entry, OpenCalls, timeouts
from synapse_module_bridge.catalogue import CALLBACKS, DIGEST, HOST_FOLDER, Callback
from synapse_module_bridge.config import BridgeConfig
from synapse_module_bridge.faults import Fault, StartupError, describe
from synapse_module_bridge.forward import make_forwarder
from synapse_module_bridge.host import Faults, NodeHost
from synapse_module_bridge.match import compile_match, lookup
from synapse_module_bridge.node import check_version, find_node
from synapse_module_bridge.synapse_api import available_callbacks, register
from synapse_module_bridge.web import WebResource

logger = logging.getLogger(__name__)

PROTOCOL = 1


class ModuleBridge:
    """`synapse_module_bridge.ModuleBridge` in homeserver.yaml."""

    @staticmethod
    def parse_config(config: Any) -> BridgeConfig:
        """Checks the YAML's shape. Raises ConfigError; starts nothing."""
        return configuration.parse(config)

    def __init__(self, config: BridgeConfig, api: ModuleApi) -> None:
        self._config = config
        self._api = api
        self._open_calls = OpenCalls()
        self._requests = HostRequests(api, self._open_calls)
        try:
            self._start()
        except Faults as e:
            self._refuse_to_start(e.faults)
        except Fault as e:
            self._refuse_to_start([e])

    def _refuse_to_start(self, faults: Sequence[Fault]) -> None:
        message = describe(faults)
        logger.critical("%s", message)
        raise StartupError(message) from None

    def _start(self) -> None:
        node = find_node(self._config.node)
        check_version(node)
        self._host = NodeHost(
            reactor=reactor,
            command=self._command(node),
            env={name: os.environ[name] for name in self._config.env if name in os.environ},
            initialize=self._initialize(),
            start_timeout=self._config.start_timeout_ms / 1000,
            handle_request=self._requests.handle,
            on_manifest=self._use,
        )
        self._calls = Calls(
            self._host,
            self._open_calls,
            self._is_local,
            timeouts(self._config.timeout, self._config.callback_timeouts),
        )
        manifest = self._host.start()
        try:
            declared = self._register_callbacks(manifest)
            self._register_web_resources(manifest)
        except BaseException:
            self._host.abandon()
            raise
        self._use(manifest)
        self._host.run()
        names = ", ".join(module["name"] for module in manifest["modules"])
        logger.info(
            "%d modules (%s) on %s; callbacks: %s",
            len(manifest["modules"]),
            names,
            manifest["runtime"],
            declared,
        )

    def _command(self, node: str) -> list[str]:
        heap = [] if self._config.memory_mb is None else [f"--max-old-space-size={self._config.memory_mb}"]
        return [node, *heap, str(HOST_FOLDER / "cli.mjs"), "host"]

    def _initialize(self) -> dict[str, Any]:
        api = self._api
        return {
            "protocol": PROTOCOL,
            "version": version("synapse-module-bridge"),
            "catalogue": DIGEST,
            "synapse": {
                "version": version("matrix-synapse"),
                "server_name": api.server_name,
                "worker_name": api.worker_name,
                "worker_app": api.worker_app,
                "public_baseurl": api.public_baseurl,
                "email_app_name": api.email_app_name,
                "run_background_tasks": api.should_run_background_tasks(),
            },
            "modules": self._config.modules,
        }

    def _register_callbacks(self, manifest: Mapping[str, Any]) -> str:
        available = available_callbacks(self._api)
        faults = []
        wanted: dict[str, Callback] = {}
        for index, module in enumerate(manifest["modules"]):
            for name in module["callbacks"]:
                callback = CALLBACKS[name]
                if name in available.get(callback.category, ()):
                    wanted[name] = callback
                elif name not in self._config.optional_callbacks:
                    faults.append(_lacking(index, module["name"], callback))
        if faults:
            raise Faults(faults) if len(faults) > 1 else faults[0]
        ordered = [callback for name, callback in CALLBACKS.items() if name in wanted]
        forwarders = {callback.name: make_forwarder(callback, self._calls, self._api) for callback in ordered}
        register(self._api, forwarders)
        return ", ".join(callback.name for callback in ordered) or "none"

    def _register_web_resources(self, manifest: Mapping[str, Any]) -> None:
        for module in manifest["modules"]:
            for path in module["web_resources"]:
                timeout = self._config.timeout.local
                resource = WebResource(self._host, self._open_calls, module["name"], path, timeout)
                self._api.register_web_resource(path, resource)

    def _use(self, manifest: Mapping[str, Any]) -> None:
        """Takes over what the modules declare: at the start, and again from each new host."""
        entries: dict[str, list[Entry]] = {name: [] for name in CALLBACKS}
        grants = {}
        for module, configured in zip(manifest["modules"], self._config.modules, strict=True):
            grants[module["name"]] = configured.get("grants", [])
            for name, declared in module["callbacks"].items():
                entries[name].append(self._entry(CALLBACKS[name], module["name"], declared))
        self._calls.entries = entries
        self._requests.grants = grants

    def _entry(self, callback: Callback, module: str, declared: Mapping[str, Any]) -> Entry:
        return Entry(
            module=module,
            matches=compile_match(callback, declared.get("match", {}), lambda params: self._is_local(callback, params)),
            room_state=[(event_type, state_key) for event_type, state_key in declared.get("room_state", [])],
        )

    def _is_local(self, callback: Callback, params: Mapping[str, Any]) -> bool:
        """Whether the call is about a user of ours; also where it is about nobody."""
        if callback.subject is None:
            return True
        subject = lookup(params, callback.subject)
        return not isinstance(subject, str) or self._api.is_mine(subject)


def _lacking(index: int, module: str, callback: Callback) -> Fault:
    return Fault(
        ("modules", index, "path"),
        f"{module} implements {callback.name}, which this Synapse ({version('matrix-synapse')}) lacks: it came with "
        f"{callback.since}. Upgrade Synapse, or set callbacks.{callback.name}.optional to true",
    )
