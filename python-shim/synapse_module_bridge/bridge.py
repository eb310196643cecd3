"""Connects the parts of the shim. module_bridge.py imports it while Node starts."""

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from synapse.module_api import ModuleApi
from twisted.internet import reactor

from synapse_module_bridge.admin.admin import admin_of
from synapse_module_bridge.admin.bridge_gauges import BridgeGauges
from synapse_module_bridge.admin.bridge_status import BridgeStatus
from synapse_module_bridge.bridge_modes import BridgeModes, Entries, yaml_modes
from synapse_module_bridge.calls.call import Rules
from synapse_module_bridge.calls.exchange import Exchange
from synapse_module_bridge.calls.open_calls import OpenCalls
from synapse_module_bridge.configuration.config import KEPT_BY_DEFAULT, BridgeConfig, name_of
from synapse_module_bridge.configuration.homeserver_yaml import has_changed
from synapse_module_bridge.module_api.api import ApiRequests
from synapse_module_bridge.module_api.storage import Storage
from synapse_module_bridge.pipeline.blame import Blame
from synapse_module_bridge.pipeline.delivery import Delivery
from synapse_module_bridge.pipeline.follow_up import FollowUps
from synapse_module_bridge.pipeline.notifications import Notifications
from synapse_module_bridge.pipeline.pipeline import Pipeline
from synapse_module_bridge.pipeline.round_trip import RoundTrip
from synapse_module_bridge.pipeline.router import Router
from synapse_module_bridge.process.child import Child
from synapse_module_bridge.process.exit_cause import kind_of_end
from synapse_module_bridge.process.host_files import remove_left_behind
from synapse_module_bridge.quarantine.quarantine import Quarantine
from synapse_module_bridge.quarantine.settling import Settling
from synapse_module_bridge.quarantine.suspects import Recent
from synapse_module_bridge.quarantine.web_paths import WebPaths
from synapse_module_bridge.reactor.background import Run, run_in_background_process
from synapse_module_bridge.reactor.steady_clock import SteadyClock
from synapse_module_bridge.reactor.when_idle import drained
from synapse_module_bridge.resilience.policy import Policies
from synapse_module_bridge.resilience.web_load import WebLoad
from synapse_module_bridge.routing.locality import Locality
from synapse_module_bridge.routing.routing_table import RoutingTable
from synapse_module_bridge.routing.workers import Workers
from synapse_module_bridge.schema.modes import OFF, SHADOW, Mode
from synapse_module_bridge.schema.protocol import API, fits, method_name
from synapse_module_bridge.shared.decision_expiry import DecisionExpiry
from synapse_module_bridge.shared.deployment import Deployment, deployment_of
from synapse_module_bridge.shared.keeping import Keeping
from synapse_module_bridge.storage.store import Store
from synapse_module_bridge.supervision.accepted import Accepted, Module, modes_of
from synapse_module_bridge.supervision.first_process import FirstProcess
from synapse_module_bridge.supervision.handshake import Occasion
from synapse_module_bridge.supervision.host_events import HostEvents
from synapse_module_bridge.supervision.launch import environment, host_command, initialize_params
from synapse_module_bridge.supervision.registered import Registered, needed
from synapse_module_bridge.supervision.reload import Reload, in_thread, on_sighup
from synapse_module_bridge.supervision.supervisor import Supervisor
from synapse_module_bridge.supervision.switching import Switching
from synapse_module_bridge.synapse_hooks.advice import advise, advise_everywhere
from synapse_module_bridge.synapse_hooks.broadcasts import Broadcasts
from synapse_module_bridge.synapse_hooks.module_names import claim_names
from synapse_module_bridge.synapse_hooks.registration import declared_callbacks, lacking_callbacks, register_callbacks
from synapse_module_bridge.synapse_hooks.synapse_api import available_callbacks, delegates_authentication
from synapse_module_bridge.synapse_hooks.web import WebResource
from synapse_module_bridge.telemetry import metrics
from synapse_module_bridge.transport.rpc import Refuse, Respond

logger = logging.getLogger("synapse_module_bridge.bridge")

_THREAD_ENDED = method_name("thread_ended")
# Shared by all bridges of this process.
CLOCK = SteadyClock(reactor)


def start(config: BridgeConfig, api: ModuleApi, workers: Workers, first: FirstProcess | None) -> None:
    """What this process does for a bridge of homeserver.yaml. Without `first`, no module runs here.

    Raises StartupProblem.
    """
    # Even where no module runs: this process may run Synapse's background tasks.
    Store(api).clean_up_regularly()
    # Also where none are kept any more.
    DecisionExpiry(api, config.decisions or KEPT_BY_DEFAULT).clean_up_regularly()
    deployment = deployment_of(api, CLOCK, reactor)
    admin = admin_of(api, CLOCK, deployment)
    admin.add(config)
    for text in advise_everywhere(config, workers):
        logger.warning("%s", text)
    if first is None:
        deployment.modes.add(yaml_modes(config))
        return
    bridge = Bridge(config, api, deployment)
    bridge.start(first)
    admin.runs(bridge.status)


class Bridge(HostEvents):
    """One bridge in one process of Synapse. Without a `deployment`, the modes are those of homeserver.yaml."""

    def __init__(self, config: BridgeConfig, api: ModuleApi, deployment: Deployment | None = None) -> None:
        self._config = config
        self._api = api
        self._open_calls = OpenCalls()
        self._storage = Storage(api, reactor, CLOCK)
        self._deployment = deployment
        self.modes = BridgeModes(config, None if deployment is None else deployment.modes)
        # As many as there are modules: that two have one name is told by the host.
        self._names = [name_of(module) for module in config.modules]
        in_force = self.modes.in_force
        self._broadcasts = Broadcasts(
            api, lambda method, params: self._host.tell_all(method, params), is_off=in_force.is_off
        )
        added = {**self._storage.methods, **self._broadcasts.methods}
        self._requests = ApiRequests(api, self._open_calls, CLOCK, added)
        self._is_local = Locality(api)
        self._routing_table = RoutingTable(self._is_local, api.server_name)
        # The same in all processes.
        secret: bytes = api._hs.config.key.macaroon_secret_key
        self._accepted = Accepted(config.modules, secret)
        self._registered = Registered()
        # What is kept of decisions, if anything is.
        self._keeping = None if config.decisions is None else Keeping(api, self.modes.shadows, CLOCK)

    def start(self, first: FirstProcess) -> None:
        """Starts the host, registers the callbacks, and hands the host to the reactor.

        Raises StartupProblem; then no process is left but `first`, if it was not used yet.
        """
        self._files = first.check()
        remove_left_behind()
        self._initialize_params = self._lasting_params()
        modes, in_force = self.modes, self.modes.in_force
        self._host = Supervisor(
            reactor=reactor,
            clock=CLOCK,
            command=lambda: host_command(first.node, self._files.folder(), self._config),
            env=environment(self._config),
            initialize=self._initialize,
            start_timeout=self._config.start_timeout_ms / 1000,
            handle_request=self._handle,
            events=self,
            make_child=partial(Child, start=first.start),
            debug=self._config.debug,
        )
        switching = Switching(
            *(self._host, self._accepted, self._registered, modes.wished),
            lambda: in_force.running,
            lambda modes: self._with_modules(self._accepted.initialize("restart"), modes),
        )
        self._reload = Reload(
            *(self._host, self._accepted, CLOCK, self._runner("module_bridge_reload"), self._initialize),
            lambda: has_changed(self._api, self._config),
            self._registered,
            switching,
        )
        rules = self._rules()
        self._exchange = Exchange(self._host, self._open_calls)
        self._quarantine, self._recent = Quarantine(self._api.server_name), Recent()
        self._round_trip = RoundTrip(self._exchange, self._quarantine, self._recent, self._api.server_name, in_force)
        self._settling = self._round_trip.settling = Settling(
            *(self._host, self._exchange.entrance, self._quarantine, self._round_trip.ask_apart),
            *(self._runner("module_bridge_suspects"), self._api.get_room_state),
        )
        self._pipeline = Pipeline(self._host, self._round_trip, rules)
        self._web_paths = WebPaths()
        self.status = BridgeStatus(
            *(modes, self._names, self._accepted, self._quarantine, self._web_paths),
            *(lambda: self._pipeline.entries, self._api.server_name),
        )
        if self._keeping is not None:
            self.status.decisions_dropped = self._keeping.dropped
        self._gauges = BridgeGauges(
            *(self._api.server_name, self._names, modes.yaml, modes.wished, in_force),
            *(self._accepted, self._quarantine, self._web_paths, lambda: self._pipeline.entries),
        )
        self._blame = Blame(
            *(self._settling, self._quarantine, self._recent, rules, self._open_calls, self._accepted),
            *(self._web_paths, self._host.cause_is_known),
        )
        delivery = Delivery(self._pipeline, self._host.until_up_again)
        self._notifications = Notifications(
            delivery.notify, self._runner("module_bridge_notification"), self._api.server_name
        )
        self._host.before_stop = lambda: drained(CLOCK, self._is_busy)
        self._router = router = Router(
            self._pipeline, self._notifications, delivery, self._runner("module_bridge_shadow")
        )
        modes.connect(self._accepted, switching, self._reload, router, self._keeping, self._ask_these)
        try:
            manifest = self._host.start()
            claim_names(self._api, self._names)
            modules = self._registrable()
            callbacks = declared_callbacks({"modules": modules}, self._config, self._api)
            self._registered.are(modules)
            follow_ups = FollowUps(self._exchange, rules, in_force)
            register_callbacks(
                *(self._api, callbacks, modules, router, follow_ups),
                optional=self._config.optional_callbacks,
            )
        except BaseException:
            self._host.abandon()
            raise
        self._register_web_resources(modules)
        self._broadcasts.register(modules)
        lasting = self._initialize_params
        self._gauges.watch(
            *(lasting["version"], lasting["synapse"]["version"]),
            lambda: self._notifications.queued,
            self._exchange.entrance.backpressure,
        )
        for text in advise(self._config, modules, available_callbacks(self._api)):
            logger.warning("%s", text)
        self._host.run()
        self._files.compress()
        if self._keeping is not None:
            self._keeping.begin(reactor, self._host.stop)
        on_sighup(self._api, self._reload.requested)
        modes.begin()
        if self._deployment is not None:
            self._deployment.reloads.add(self._reload.reload)
        names = ", ".join(callback.name for callback in callbacks) or "none"
        logger.info("modules: %s; on %s; callbacks: %s", modes.describe(), manifest["runtime"], names)

    def _registrable(self) -> list[Module]:
        """What is registered of each module. Of one that is off, nothing keeps Synapse from starting."""
        available, delegates = available_callbacks(self._api), delegates_authentication(self._api)
        modules: list[Module] = []
        for name, module in zip(self._names, self._accepted.modules, strict=True):
            if self.modes.mode_of(name) == OFF:
                problems = lacking_callbacks({0: module}, self._config, available, delegates)
                if problems:
                    self._accepted.broken[name] = "; ".join(problem.message for problem in problems)
                if name in self._accepted.broken:
                    logger.error("%s is off, and could not be switched on: %s", name, self._accepted.broken[name])
                    module = needed(module, OFF)
            modules.append(module if self.modes.may_enforce(name) else needed(module, SHADOW))
        return modules

    def _ask_these(self, entries: Entries) -> None:
        self._pipeline.entries = entries
        self.status.changed()
        self._routing_table.begin_counts(entries)

    def _is_busy(self) -> bool:
        return self._notifications.queued > 0 or self._open_calls.under_way

    def _lasting_params(self) -> dict[str, Any]:
        api = self._api
        return initialize_params(
            self._config,
            server_name=api.server_name,
            worker_name=api.worker_name,
            worker_app=api.worker_app,
            public_baseurl=api.public_baseurl,
            email_app_name=api.email_app_name,
            custom_template_dir=getattr(api, "custom_template_dir", None),
            run_background_tasks=api.should_run_background_tasks(),
        )

    def _initialize(self, occasion: Occasion) -> dict[str, Any]:
        told = self._accepted.initialize(occasion)
        return self._with_modules(told, self.modes.of_host(occasion), reloads=occasion == "reload")

    def _with_modules(
        self, told: Mapping[str, Any], modes: Mapping[str, Mode], *, reloads: bool = False
    ) -> dict[str, Any]:
        modules = [
            {**module, "name": name, "mode": modes[name]}
            for module, name in zip(told["modules"], self._names, strict=True)
        ]
        return {**self._initialize_params, **self._blame.with_threads({**told, "modules": modules}, reloads=reloads)}

    def _handle(
        self, told: Mapping[str, Any], method: str, params: Mapping[str, Any], answer: Respond, refuse: Refuse
    ) -> None:
        if method == _THREAD_ENDED:
            if fits("ThreadEnded", params):
                self._blame.thread_ended(params)
            if not self._files.are_as_they_were():
                # A new thread would run the files of the upgrade that has replaced them.
                self._reload.move()
        else:
            if self._settling.busy and method.startswith(API):
                self._settling.turns.api_asked(params.get("module"))
            self._requests.handle(method, params, answer, refuse, self.modes.of_requests(told))

    def _rules(self) -> Rules:
        return Rules(
            server_name=self._api.server_name,
            whose=self._is_local.whose,
            timeout=self._config.timeout,
            callback_timeouts=self._config.callback_timeouts,
            policies=Policies(
                self._config.on_failure,
                self._config.callback_on_failure,
                self._api.public_room_list_manager.room_is_in_public_room_list,
            ),
            ledger=None if self._keeping is None else self._keeping.ledger,
        )

    def _runner(self, desc: str) -> Run:
        return lambda func: run_in_background_process(self._api, desc, func)

    def _register_web_resources(self, modules: Sequence[Module]) -> None:
        load, timeout = WebLoad(), self._config.timeout.local
        for module in modules:
            for path in module["web_resources"]:
                at = (module["name"], path, timeout)
                is_served = partial(self._is_served, module["name"])
                resource = WebResource(self._exchange, load, self._web_paths, *at, is_served)
                self._api.register_web_resource(path, resource)

    async def _is_served(self, name: str) -> bool:
        if self._router.until_modes is not None:
            await self._router.until_modes(self._config.timeout.local / 2000)
        return self.modes.mode_of(name) != OFF

    def manifest(self, manifest: Mapping[str, Any], told: Mapping[str, Any]) -> None:
        self._accepted.accept(told, manifest)
        self._gauges.node = manifest["runtime"].removeprefix("node ")
        self.status.runs(self._gauges.node)
        for name, why in self._accepted.missing.items():
            logger.error("%s cannot be loaded again: policy answers for it until it can be: %s", name, why)
        if self._accepted.missing:
            self._reload.some_are_missing()
        for name, what in self._accepted.not_kept(told).items():
            logger.info("%s: a restart of Node takes from disk: %s", name, ", ".join(what))
        if self._keeping is not None:
            self._keeping.ledger.versions = self._accepted.versions
        self._requests.grants.set(
            {name: module.get("grants", []) for name, module in zip(self._names, self._config.modules, strict=True)}
        )
        running = modes_of(told)
        entries = self._routing_table.of(
            [
                (module, running[name] == SHADOW)
                for name, module in zip(self._names, self._accepted.modules, strict=True)
            ]
        )
        self.modes.taken_over(entries, running)
        self._blame.taken_over(self._config.modules, running)
        self.modes.switch()
        # Calls that the previous host has not finished must not be blamed for the end of this one.
        self._open_calls.forget_expired()

    def died(self, cause: str, culprit: str | None, heard_at: float) -> str:
        self.status.ended(cause)
        self._blame.node_ended(cause, culprit, heard_at)
        running = self._open_calls.describe()
        self._open_calls.forget_expired()
        self._storage.host_ended()
        metrics.ENDS.labels(kind_of_end(cause), self._api.server_name).inc()
        return f", {running}"

    def back(self, seconds: float) -> None:
        async def tell() -> None:
            differing = await in_thread(self._accepted.differing)
            logger.warning("the module host is back after %.2f s%s", seconds, self._accepted.describe(differing))

        self._runner("module_bridge_back")(tell)

    def stopping(self) -> None:
        self._reload.stop()

    def up(self, up: bool) -> None:
        self._gauges.up = up
        self.status.up(up)

    def pulse(self, pulse: Mapping[str, Any]) -> None:
        not_set_up = {*pulse.get("not_set_up", ()), *self._accepted.missing}
        self._gauges.pulse(pulse.get("memory", {}), not_set_up)
        self.status.pulse(not_set_up)
