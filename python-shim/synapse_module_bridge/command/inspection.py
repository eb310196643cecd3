"""Checks one of the bridge's blocks for the command `check`, with the code that Synapse's start runs.

Unlike a start, it goes on after a problem, and registers nothing.
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

import attr
from synapse.module_api import ModuleApi

from synapse_module_bridge.configuration.config import BACKGROUND, BridgeConfig, examine, mode_of
from synapse_module_bridge.configuration.denied import why_not_writable
from synapse_module_bridge.configuration.module_configs import with_configs
from synapse_module_bridge.process.child import Child
from synapse_module_bridge.process.exit_cause import describe_exit
from synapse_module_bridge.process.logs import LogRelay
from synapse_module_bridge.process.node import check_version, find_node
from synapse_module_bridge.resilience.policy import Policies
from synapse_module_bridge.routing.workers import MAIN, asking_processes, registers
from synapse_module_bridge.schema.catalogue import CALLBACKS, Callback
from synapse_module_bridge.schema.installed import HOST_FOLDER
from synapse_module_bridge.schema.modes import OFF
from synapse_module_bridge.schema.startup_problems import StartupProblem
from synapse_module_bridge.supervision.handshake import cannot_start, faults_from_host
from synapse_module_bridge.supervision.handshake import examine as examine_modules
from synapse_module_bridge.supervision.launch import environment, host_command, initialize_params
from synapse_module_bridge.synapse_hooks.advice import advise
from synapse_module_bridge.synapse_hooks.registration import lacking_callbacks, registered_callbacks
from synapse_module_bridge.synapse_hooks.synapse_api import available_callbacks

# Declarations of sound modules, by their place in the configuration.
Modules = Mapping[int, Mapping[str, Any]]


@attr.s(slots=True, auto_attribs=True, kw_only=True)
class Found:
    """The result for one block."""

    faults: list[StartupProblem]
    # The description of the sound modules, for people.
    text: str = ""
    # Warnings.
    advice: Sequence[str] = ()
    # The same, for programs (`CheckedModule` of check.schema.json).
    modules: Sequence[Mapping[str, Any]] = ()
    # The names of the sound modules, by their place.
    names: Mapping[int, str] = attr.Factory(dict)
    # Whether there was a Node with which modules could be loaded.
    looked: bool = True


def inspect(block: Any, settings: Mapping[str, Any], release: str | None = None, writes: bool = False) -> Found:
    """Checks a block. `settings` is the whole of homeserver.yaml. Runs Node, which loads the modules.

    `release`: hold it against this Synapse in place of the one that is installed. `writes`: this process is that of
    Synapse's user, who has to be able to write what is recorded.
    """
    config, faults = examine(block)
    if config is None:
        return Found(faults=faults)
    if writes and config.record is not None and (why := why_not_writable(config.record.folder)) is not None:
        faults.append(StartupProblem(("record", "folder"), why))
    try:
        node = find_node(config.node)
        check_version(node)
        modules, of_modules, broken = _load(node, config, settings, release)
    except StartupProblem as e:
        # Where the block itself names a Node that does not work, that is a problem of the block.
        return Found(faults=[*faults, e], looked=config.node is not None and e.path is not None)
    # What another release lacks, the host's description tells.
    available = available_callbacks(ModuleApi) if release is None else _all_callbacks()
    running = {index: module for index, module in modules.items() if mode_of(config.modules[index]) != OFF}
    off = {index: module for index, module in modules.items() if index not in running}
    faults += [*of_modules, *lacking_callbacks(running, config, available, _delegates(settings))]
    faults += _apart(running, config, available)
    broken = [*broken, *lacking_callbacks(off, config, available, _delegates(settings))]
    try:
        described = _describe(node, config, modules, release)
    except StartupProblem as e:
        return Found(faults=[*faults, e], looked=False)
    return Found(
        faults=faults + faults_from_host(described["faults"]),
        text=described["text"],
        advice=[
            *advise(config, list(running.values()), available),
            *described["notes"],
            *(f"a module that is off could not be switched on: {problem.message}" for problem in broken),
        ],
        modules=described["modules"],
        names={index: module["name"] for index, module in modules.items()},
    )


def _load(
    node: str, config: BridgeConfig, settings: Mapping[str, Any], release: str | None
) -> tuple[Modules, Sequence[StartupProblem], Sequence[StartupProblem]]:
    """The sound modules, the problems of the others, and those of modules that are off.

    Raises StartupProblem where no host can be started.
    """
    command = host_command(node, HOST_FOLDER, config)
    lasting = initialize_params(
        config,
        examined=True,
        server_name=str(settings.get("server_name", "example.org")),
        worker_name=None,
        worker_app=None,
        public_baseurl=settings.get("public_baseurl"),
        email_app_name="Matrix",
        custom_template_dir=None,
        run_background_tasks=True,
        **({} if release is None else {"version": release}),
    )
    try:
        # Requests of modules get no answer: modules are loaded, but not set up.
        child = Child(command, environment(config), lambda *_: None, LogRelay())
    except OSError as e:
        raise cannot_start(command, e) from e
    try:
        initialize = {**lasting, "modules": with_configs(config.modules)}
        return examine_modules(child, initialize, config.start_timeout_ms / 1000)
    finally:
        child.read_last_words(None)
        child.kill_and_wait()


def _all_callbacks() -> Mapping[str, frozenset[str]]:
    by_category: dict[str, set[str]] = {}
    for name, callback in CALLBACKS.items():
        by_category.setdefault(callback.category, set()).add(name)
    return {category: frozenset(names) for category, names in by_category.items()}


def _delegates(settings: Mapping[str, Any]) -> bool:
    """As `delegates_authentication`, from homeserver.yaml instead of a running Synapse."""
    service = settings.get("matrix_authentication_service")
    return isinstance(service, dict) and service.get("enabled") is True


def _apart(modules: Modules, config: BridgeConfig, available: Mapping[str, frozenset[str]]) -> list[StartupProblem]:
    """The problems of callbacks that Synapse would refuse in some process."""
    named = {MAIN, *config.workers, *(name for names in config.callback_workers.values() for name in names)}
    found: dict[str, StartupProblem] = {}
    for here in sorted(named - {BACKGROUND}):
        for background in (False, True):

            def registers_here(callback: Callback, here: str = here, background: bool = background) -> bool:
                return registers(config, callback, here, background)

            _, faults = registered_callbacks(modules.values(), available, registers_here)
            found |= {str(fault): fault for fault in faults}
    return list(found.values())


def _describe(node: str, config: BridgeConfig, modules: Modules, release: str | None) -> Mapping[str, Any]:
    """A description of the modules, the errors of their TypeScript compilers, and what a release lacks, from the host's
    command `describe`.

    Raises StartupProblem where the command fails.
    """
    names = {name for module in modules.values() for name in module["callbacks"]}
    asked = {
        "modules": [_asked(settings, modules.get(index)) for index, settings in enumerate(config.modules)],
        "terms": {name: _terms(config, callback) for name, callback in CALLBACKS.items() if name in names},
        "optional": sorted(config.optional_callbacks),
        **({} if release is None else {"synapse": release}),
    }
    command = [node, str(HOST_FOLDER / "cli.mjs"), "describe"]
    done = subprocess.run(command, input=json.dumps(asked).encode(), stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise StartupProblem(
            None, f"the modules cannot be described: `{' '.join(command)}` {describe_exit(done.returncode)}"
        )
    described: Mapping[str, Any] = json.loads(done.stdout)
    return described


def _asked(settings: Mapping[str, Any], module: Mapping[str, Any] | None) -> Mapping[str, Any]:
    # Without the config, which may have secrets, and does not matter here.
    asked = {"settings": {key: settings[key] for key in ("path", "name", "mode", "isolated") if key in settings}}
    if module is not None:
        declared = {key: module[key] for key in ("callbacks", "web_resources")}
        more = {"broadcasts": module.get("broadcasts", []), "files": list(module.get("files", {}))}
        asked["declared"] = {**declared, **more}
    return asked


def _terms(config: BridgeConfig, callback: Callback) -> Mapping[str, Any]:
    """The policies, timeouts and processes of a callback, as calls will have them."""
    policies = Policies(config.on_failure, config.callback_on_failure)
    timeout = config.callback_timeouts.get(callback.name, config.timeout)
    return {
        "policy": {
            "local": policies.usual(callback, local=True),
            "federated": policies.usual(callback, local=False),
        },
        "timeout_ms": {"local": timeout.local, "federated": timeout.federated},
        "processes": asking_processes(config, callback),
    }
