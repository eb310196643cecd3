"""The class that homeserver.yaml names: checks its configuration, starts the host, registers what modules declare."""

import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import version
from typing import Any

from synapse.module_api import ModuleApi
from twisted.internet import reactor

from synapse_module_bridge import config as configuration
from synapse_module_bridge import metrics
from synapse_module_bridge.api import HostRequests
from synapse_module_bridge.background import run_in_background_process
from synapse_module_bridge.call import Rules
from synapse_module_bridge.calls import Calls
from synapse_module_bridge.catalogue import DIGEST, HOST_FOLDER
from synapse_module_bridge.config import BridgeConfig
from synapse_module_bridge.drain import drained
from synapse_module_bridge.ends import kind_of_end
from synapse_module_bridge.entries import Entries
from synapse_module_bridge.faults import Fault, Faults, StartupError, describe
from synapse_module_bridge.follow_up import FollowUps
from synapse_module_bridge.host import NodeHost
from synapse_module_bridge.host_files import copy_host, remove_host, remove_left_behind
from synapse_module_bridge.locality import Locality
from synapse_module_bridge.node import check_version, find_node
from synapse_module_bridge.notifications import Notifications
from synapse_module_bridge.open_calls import OpenCalls
from synapse_module_bridge.policy import Policies
from synapse_module_bridge.processes import Processes
from synapse_module_bridge.registration import declared_callbacks, register_callbacks
from synapse_module_bridge.reload import Reload, on_sighup
from synapse_module_bridge.router import Router
from synapse_module_bridge.steady_clock import SteadyClock
from synapse_module_bridge.storage import Storage
from synapse_module_bridge.store import Store
from synapse_module_bridge.tell import Teller
from synapse_module_bridge.watcher import Watcher
from synapse_module_bridge.web import WebLoad, WebResource

logger = logging.getLogger(__name__)

PROTOCOL = 1
# For all bridges of this process.
CLOCK = SteadyClock(reactor)


class ModuleBridge:
    """`synapse_module_bridge.ModuleBridge` in homeserver.yaml."""

    @staticmethod
    def parse_config(config: Any) -> BridgeConfig:
        """Checks the YAML's shape. Raises ConfigError; starts nothing."""
        return configuration.parse(config)

    def __init__(self, config: BridgeConfig, api: ModuleApi) -> None:
        # Also where no module runs: that may be where Synapse runs its background tasks.
        Store(api).clean_up_regularly()
        processes = Processes(config, api)
        if not processes.starts_node():
            logger.info("`workers` does not name this process (%s): no module runs here", processes.here)
            for name in processes.missed():
                logger.warning(
                    "no module is told of %s, since this process (%s) runs Synapse's background tasks: add it to "
                    "`workers`, or name another in callbacks.%s.workers",
                    *(name, processes.here, name),
                )
            return
        try:
            Bridge(config, api).start()
        except Fault as e:
            message = describe(e.faults if isinstance(e, Faults) else [e])
            logger.critical("%s", message)
            raise StartupError(message) from None


class Bridge(Watcher):
    """What runs in one process of Synapse."""

    def __init__(self, config: BridgeConfig, api: ModuleApi) -> None:
        self._config = config
        self._api = api
        self._open_calls = OpenCalls()
        self._storage = Storage(api, reactor, CLOCK)
        self._requests = HostRequests(api, self._open_calls, CLOCK, self._storage.methods)
        self._is_local = Locality(api)
        self._entries = Entries(self._is_local, api.server_name)
        self._shadows: set[str] = set()
        self._up = False
        # What the host has said of itself last.
        self._memory = {"rss": 0, "heap_used": 0}
        self._not_set_up = 0

    def start(self) -> None:
        """Raises Fault; then nothing is left running."""
        node = find_node(self._config.node)
        check_version(node)
        remove_left_behind()
        files = copy_host(HOST_FOLDER)
        self._host = NodeHost(
            reactor=reactor,
            clock=CLOCK,
            command=self._command(node, str(files / "cli.mjs")),
            env={name: os.environ[name] for name in self._config.env if name in os.environ},
            initialize=self._initialize(),
            start_timeout=self._config.start_timeout_ms / 1000,
            handle_request=self._requests.handle,
            watcher=self,
        )
        self._reload = Reload(self._host.replace, self._runner("module_bridge_reload"))
        self._calls = Calls(self._host, self._open_calls, self._rules())
        teller = Teller(self._calls, self._host.until_up_again)
        self._notifications = Notifications(
            teller.notify, self._runner("module_bridge_notification"), self._api.server_name
        )
        self._host.before_stop = lambda: drained(CLOCK, self._is_busy)
        router = Router(self._calls, self._notifications, teller, self._runner("module_bridge_shadow"))
        try:
            manifest = self._host.start()
            callbacks = declared_callbacks(manifest, self._config, self._api)
            self.manifest(manifest)
            follow_ups = FollowUps(self._calls, self._open_calls)
            register_callbacks(self._api, callbacks, manifest["modules"], router, follow_ups, self._shadows)
        except BaseException:
            self._host.abandon()
            remove_host(files)
            raise
        self._register_web_resources(manifest)
        self._watch_metrics()
        self._warn()
        self._host.run()
        on_sighup(self._api, self._reload.requested)
        modules = ", ".join(module["name"] for module in manifest["modules"])
        names = ", ".join(callback.name for callback in callbacks) or "none"
        logger.info("modules: %s; on %s; callbacks: %s", modules, manifest["runtime"], names)

    def _is_busy(self) -> bool:
        return self._notifications.queued > 0 or self._open_calls.under_way

    def _command(self, node: str, cli: str) -> list[str]:
        heap = [] if self._config.memory_mb is None else [f"--max-old-space-size={self._config.memory_mb}"]
        # A module that blocks the event loop can then be named: see blocked.py. And V8 compiles and collects in one
        # thread of its own instead of four, which on a small machine would keep Synapse waiting for a processor.
        return [node, "--trace-sigint", "--v8-pool-size=1", *heap, cli, "host"]

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
                "custom_template_dir": getattr(api, "custom_template_dir", None),
                "run_background_tasks": api.should_run_background_tasks(),
            },
            "modules": self._config.modules,
        }

    def _rules(self) -> Rules:
        return Rules(
            server_name=self._api.server_name,
            is_local=self._is_local,
            timeout=self._config.timeout,
            callback_timeouts=self._config.callback_timeouts,
            policies=Policies(self._config.on_failure, self._config.callback_on_failure),
        )

    def _runner(self, desc: str) -> Callable[[Callable[[], Awaitable[None]]], object]:
        return lambda func: run_in_background_process(self._api, desc, func)

    def _register_web_resources(self, manifest: Mapping[str, Any]) -> None:
        load, timeout = WebLoad(), self._config.timeout.local
        for module in manifest["modules"]:
            for path in module["web_resources"]:
                resource = WebResource(self._host, self._open_calls, load, module["name"], path, timeout)
                self._api.register_web_resource(path, resource)

    def _warn(self) -> None:
        spam = self._config.callback_on_failure.get("check_event_for_spam")
        if spam is not None and spam.federated == "deny":
            logger.warning(
                "callbacks.check_event_for_spam.on_failure is deny for federated events: during an outage, messages of "
                "other servers are lost for good, and the state of rooms that are joined is stripped"
            )

    def _watch_metrics(self) -> None:
        server_name = self._api.server_name
        metrics.LATE.labels(server_name)  # shown as 0 until there is one
        here = (server_name,)
        metrics.watch(metrics.QUEUED, here, lambda: self._notifications.queued)
        metrics.watch(metrics.IN_FLIGHT, here, lambda: self._calls.entrance.admission.in_flight)
        metrics.watch(metrics.WAITING, here, lambda: self._calls.entrance.admission.waiting)
        metrics.watch(metrics.BREAKERS, here, lambda: len(self._calls.open_breakers()))
        metrics.watch(metrics.UP, here, lambda: self._up, min)
        metrics.watch(metrics.SETUP_FAILURES, here, lambda: self._not_set_up)
        metrics.watch(metrics.MEMORY, ("rss", server_name), lambda: self._memory["rss"])
        metrics.watch(metrics.MEMORY, ("heap_used", server_name), lambda: self._memory["heap_used"])

    def manifest(self, manifest: Mapping[str, Any]) -> None:
        modules, grants = [], {}
        for module, configured in zip(manifest["modules"], self._config.modules, strict=True):
            shadow = configured.get("shadow", False)
            grants[module["name"]] = configured.get("grants", [])
            modules.append((module, shadow))
            if shadow:
                # What it does must not be seen.
                self._shadows.add(module["name"])
        self._calls.entries = self._entries.of(modules)
        self._requests.grants.set(grants, self._shadows)
        self._reload.loaded(manifest)
        # What another host has never finished says nothing of this one, should it end.
        self._open_calls.forget_expired()

    def died(self, cause: str) -> str:
        self._calls.suspects.died(self._open_calls.event_ids())
        running = self._open_calls.describe()
        self._open_calls.forget_expired()
        self._storage.host_ended()
        metrics.ENDS.labels(kind_of_end(cause), self._api.server_name).inc()
        return f", {running}"

    def up(self, up: bool) -> None:
        self._up = up

    def pulse(self, pulse: Mapping[str, Any]) -> None:
        memory = pulse.get("memory", {})
        for kind in self._memory:
            if isinstance(memory.get(kind), int):
                self._memory[kind] = memory[kind]
        self._not_set_up = len(pulse.get("not_set_up", ()))
