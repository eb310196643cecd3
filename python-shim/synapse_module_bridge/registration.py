"""Registers with Synapse what the modules declare: in this process, and as far as this Synapse has it."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from typing import Any

from synapse.module_api import ModuleApi

from synapse_module_bridge.catalogue import CALLBACKS, Callback
from synapse_module_bridge.config import BridgeConfig
from synapse_module_bridge.faults import Fault, Faults
from synapse_module_bridge.follow_up import FollowUps
from synapse_module_bridge.forward import Answer, make_forwarder
from synapse_module_bridge.logins import with_follow_up
from synapse_module_bridge.presence import Presence
from synapse_module_bridge.processes import Processes
from synapse_module_bridge.router import Router
from synapse_module_bridge.synapse_api import available_callbacks, delegates_authentication, register
from synapse_module_bridge.updates import make_update_forwarder, with_own_sizes


def declared_callbacks(manifest: Mapping[str, Any], config: BridgeConfig, api: ModuleApi) -> list[Callback]:
    """The callbacks to register here, in the catalogue's order. Raises Faults for what this Synapse does not take."""
    available = available_callbacks(api)
    processes = Processes(config, api)
    faults: list[Fault] = []
    wanted: set[str] = set()
    for index, module in enumerate(manifest["modules"]):
        for name in module["callbacks"]:
            callback = CALLBACKS[name]
            if name in available.get(callback.category, ()):
                if callback.category == "password_auth_provider" and delegates_authentication(api):
                    faults.append(_delegated(index, module["name"], callback))
                if processes.registers(callback):
                    wanted.add(name)
            elif name not in config.optional_callbacks:
                faults.append(_lacking(index, module["name"], callback))
    faults += [
        _apart(CALLBACKS[name], CALLBACKS[name].together)
        for name in sorted(wanted)
        if CALLBACKS[name].together not in (None, *wanted)
    ]
    if faults:
        raise Faults(faults)
    return [callback for name, callback in CALLBACKS.items() if name in wanted]


def register_callbacks(
    api: ModuleApi,
    callbacks: Sequence[Callback],
    modules: Sequence[Mapping[str, Any]],
    router: Router,
    follow_ups: FollowUps,
    shadows: Collection[str] = (),
) -> None:
    """One function for all modules; one for each where it is Synapse that puts their answers together, or that asks
    the next one after an exception.
    """

    def forwarder(callback: Callback, answer: Answer) -> Any:
        if callback.result == "UpdateDuration":
            return make_update_forwarder(callback, answer, follow_ups, api)
        if callback.result == "Authenticated":
            answer = with_follow_up(answer, follow_ups)
        elif callback.result == "BatchSize":
            answer = with_own_sizes(answer, api)
        elif callback.category == "presence_router":
            answer = presence.guard(callback, answer)
        return make_forwarder(callback, answer)

    def of_module(callback: Callback, module: Mapping[str, Any]) -> Any:
        if not callback.listed:
            return forwarder(callback, partial(router.answer, module=module["name"]))
        logins = [
            (checker["login_type"], tuple(checker["fields"]))
            for checker in module["callbacks"][callback.name]["checkers"]
        ]
        return {
            login: forwarder(callback, partial(router.answer, module=module["name"], login=login)) for login in logins
        }

    presence = Presence()
    shared = [callback for callback in callbacks if not callback.per_module]
    register(api, {callback.name: forwarder(callback, router.answer) for callback in shared})
    for module in modules:
        own = [callback for callback in callbacks if callback.per_module and callback.name in module["callbacks"]]
        if module["name"] in shadows:
            # What a shadow module checks, clients must not be offered.
            own = [callback for callback in own if not callback.listed]
        register(api, {callback.name: of_module(callback, module) for callback in own})


def _lacking(index: int, module: str, callback: Callback) -> Fault:
    return Fault(
        ("modules", index, "path"),
        f"{module} implements {callback.name}, which this Synapse ({version('matrix-synapse')}) lacks: it came with "
        f"{callback.since}. Upgrade Synapse, or set callbacks.{callback.name}.optional to true",
    )


def _delegated(index: int, module: str, callback: Callback) -> Fault:
    return Fault(
        ("modules", index, "path"),
        f"{module} implements {callback.name}, which Synapse does not take while it leaves authentication to another "
        "service (matrix_authentication_service): remove the callback, or the delegation",
    )


def _apart(callback: Callback, other: str | None) -> Fault:
    return Fault(
        ("callbacks", callback.name, "workers"),
        f"{callback.name} would be registered in this process without {other}, which Synapse does not take: give both "
        "the same `workers`",
    )
