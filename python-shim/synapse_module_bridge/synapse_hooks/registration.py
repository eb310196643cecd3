"""Registers the modules' callbacks with Synapse: those for this process, and that this release of Synapse has."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from synapse.module_api import ModuleApi

from synapse_module_bridge.configuration.config import BridgeConfig
from synapse_module_bridge.pipeline.follow_up import FollowUps
from synapse_module_bridge.pipeline.router import Router
from synapse_module_bridge.routing.workers import Workers
from synapse_module_bridge.schema.catalogue import CALLBACKS, Callback
from synapse_module_bridge.schema.startup_problems import StartupProblem, StartupProblems
from synapse_module_bridge.synapse_hooks.forward import Answer, make_forwarder
from synapse_module_bridge.synapse_hooks.logins import with_follow_up
from synapse_module_bridge.synapse_hooks.presence import Presence
from synapse_module_bridge.synapse_hooks.synapse_api import available_callbacks, delegates_authentication, register
from synapse_module_bridge.synapse_hooks.updates import make_update_forwarder, with_own_sizes

logger = logging.getLogger("synapse_module_bridge.registration")


def declared_callbacks(manifest: Mapping[str, Any], config: BridgeConfig, api: ModuleApi) -> list[Callback]:
    """The callbacks to register in this process, in the catalogue's order.

    Raises StartupProblems for callbacks that this Synapse lacks or refuses.
    """
    available = available_callbacks(api)
    modules = dict(enumerate(manifest["modules"]))
    faults = lacking_callbacks(modules, config, available, delegates_authentication(api))
    wanted, apart = registered_callbacks(modules.values(), available, Workers(config, api).registers)
    faults += apart
    if faults:
        raise StartupProblems(faults)
    return wanted


def lacking_callbacks(
    modules: Mapping[int, Mapping[str, Any]],
    config: BridgeConfig,
    available: Mapping[str, Collection[str]],
    delegates: bool,
) -> list[StartupProblem]:
    """The problems of modules that have callbacks which this Synapse lacks or refuses. `modules` is by place.

    `delegates`: another service logs users in (`delegates_authentication`).
    """
    faults: list[StartupProblem] = []
    for index, module in modules.items():
        for name in module["callbacks"]:
            callback = CALLBACKS[name]
            if name not in available.get(callback.category, ()):
                if name not in config.optional_callbacks:
                    faults.append(_lacking(index, module["name"], callback))
            elif callback.category == "password_auth_provider" and delegates:
                faults.append(_delegated(index, module["name"], callback))
    return faults


def registered_callbacks(
    modules: Iterable[Mapping[str, Any]],
    available: Mapping[str, Collection[str]],
    registers: Callable[[Callback], bool],
) -> tuple[list[Callback], list[StartupProblem]]:
    """The callbacks that a process registers, in the catalogue's order, and the problems of those Synapse refuses."""
    declared = {name for module in modules for name in module["callbacks"]}
    wanted = {
        name: callback
        for name, callback in CALLBACKS.items()
        if name in declared and name in available.get(callback.category, ()) and registers(callback)
    }
    apart = [
        _apart(callback, callback.together)
        for name, callback in sorted(wanted.items())
        if callback.together not in (None, *wanted)
    ]
    return list(wanted.values()), apart


def register_callbacks(
    api: ModuleApi,
    callbacks: Sequence[Callback],
    modules: Sequence[Mapping[str, Any]],
    router: Router,
    follow_ups: FollowUps,
    optional: Collection[str] = (),
) -> None:
    """Registers one function for all modules, or one for each, where Synapse combines their answers or goes on after an
    exception (`Callback.per_module`).

    Raises StartupProblems for callbacks that this Synapse accepts and forgets, but for those that are `optional`.
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
            return forwarder(callback, router.route(callback, module["name"]).answer)
        logins = [
            (checker["login_type"], tuple(checker["fields"]))
            for checker in module["callbacks"][callback.name]["checkers"]
        ]
        return {login: forwarder(callback, router.route(callback, module["name"], login).answer) for login in logins}

    presence = Presence()
    shared = [callback for callback in callbacks if not callback.per_module]
    lost = register(api, {callback.name: forwarder(callback, router.route(callback).answer) for callback in shared})
    for module in modules:
        own = [callback for callback in callbacks if callback.per_module and callback.name in module["callbacks"]]
        lost += register(api, {callback.name: of_module(callback, module) for callback in own})
    for name in (name for name in lost if name in optional):
        logger.warning("%s", _forgotten(name))
    faults = [_forgotten(name) for name in dict.fromkeys(lost) if name not in optional]
    if faults:
        raise StartupProblems(faults)


def _lacking(index: int, module: str, callback: Callback) -> StartupProblem:
    return StartupProblem(
        ("modules", index, "path"),
        f"{module} implements {callback.name}, which this Synapse ({version('matrix-synapse')}) lacks: it came with "
        f"{callback.since}. Upgrade Synapse, or set callbacks.{callback.name}.optional to true",
    )


def _forgotten(name: str) -> StartupProblem:
    return StartupProblem(
        None,
        f"this Synapse ({version('matrix-synapse')}) takes {name} and forgets it, so that no module would be asked: "
        f"use another release of Synapse, or set callbacks.{name}.optional to true and do without",
    )


def _delegated(index: int, module: str, callback: Callback) -> StartupProblem:
    return StartupProblem(
        ("modules", index, "path"),
        f"{module} implements {callback.name}, which Synapse does not take while it leaves authentication to another "
        "service (matrix_authentication_service): remove the callback, or the delegation",
    )


def _apart(callback: Callback, other: str | None) -> StartupProblem:
    return StartupProblem(
        ("callbacks", callback.name, "workers"),
        f"{callback.name} would be registered in this process without {other}, which Synapse does not take: give both "
        "the same `workers`",
    )
