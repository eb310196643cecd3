"""Reads the bridge's `config` block of homeserver.yaml: validates it by its schema, and fills in defaults."""

import atexit
import difflib
import logging
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import attr
from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError, best_match
from synapse.config._base import Config as SynapseConfig
from synapse.module_api.errors import ConfigError

from synapse_module_bridge.schema.catalogue import CALLBACKS, CONFIG_SCHEMA
from synapse_module_bridge.schema.modes import ENFORCE, OFF, SHADOW, Mode
from synapse_module_bridge.schema.on_failure import OnFailure, expressible
from synapse_module_bridge.schema.protocol import LIMITS
from synapse_module_bridge.schema.startup_problems import StartupProblem, describe

logger = logging.getLogger("synapse_module_bridge.config")

MIB = 1024 * 1024
# Node does not start with less.
LEAST_MEMORY_MB = 16
# Types of JSON Schema, in words for readers of YAML.
_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
# Less would hold no recording of use.
LEAST_RECORDING_MB = 1
DEFAULT_KEEP = "7d"
DEFAULT_RECORDING_LIMIT = "1G"
# What every limit of time is with `debug`, in milliseconds: nobody stays at a breakpoint for longer.
DEBUG_MS = 24 * 60 * 60 * 1000
# In place of a process's name: the one that runs Synapse's background tasks.
BACKGROUND = "background"
AdminApi = Literal["api", "page", False]


@attr.s(frozen=True, slots=True, auto_attribs=True, kw_only=True)
class Timeout:
    """How long a local and a federated call may take, in milliseconds."""

    local: int
    federated: int


DEFAULT_TIMEOUT = Timeout(local=LIMITS["local_timeout_ms"], federated=LIMITS["federated_timeout_ms"])


@attr.s(frozen=True, slots=True, auto_attribs=True, kw_only=True)
class Record:
    """Where and what the host records."""

    folder: str
    callbacks: tuple[str, ...]
    keep_ms: int
    limit_bytes: int


@attr.s(frozen=True, slots=True, auto_attribs=True, kw_only=True)
class KeptDecisions:
    """For how long decisions are kept in Synapse's database, and how many."""

    keep_ms: int
    limit: int


KEPT_BY_DEFAULT = KeptDecisions(keep_ms=30 * 24 * 60 * 60 * 1000, limit=1_000_000)


@attr.s(frozen=True, slots=True, auto_attribs=True, kw_only=True)
class BridgeConfig:
    """The block, with defaults and absolute paths. docs/admin/configuration.md describes the keys."""

    # The folder in which Synapse was started.
    folder: str
    # As in the YAML, in the order in which they are asked. `shadow` has become a `mode`, which is absent for enforce.
    modules: list[dict[str, Any]]
    # The path of Node, where it is configured.
    node: str | None
    timeout: Timeout
    # By callback, as the next mappings: only what is set for the callback itself.
    callback_timeouts: Mapping[str, Timeout]
    on_failure: OnFailure
    callback_on_failure: Mapping[str, OnFailure]
    # The processes that start Node; empty for all.
    workers: tuple[str, ...]
    callback_workers: Mapping[str, tuple[str, ...]]
    # Those that this release of Synapse may lack.
    optional_callbacks: frozenset[str]
    # Those that have any settings.
    callbacks: frozenset[str]
    start_timeout_ms: int
    # Names of environment variables that Node gets.
    env: tuple[str, ...]
    # Node's heap; None for Node's own default.
    memory_mb: int | None
    # None where nothing is recorded.
    record: Record | None
    # None where no decisions are kept.
    decisions: KeptDecisions | None
    # What admins get over HTTP; None where the key is absent.
    admin_api: AdminApi | None
    # Whether a debugger may pause Node. All limits of time are DEBUG_MS then.
    debug: bool


def parse(config: Any) -> BridgeConfig:
    """The block, for `parse_config`. Raises ConfigError with all problems of its shape; starts no process."""
    parsed, faults = examine(config)
    if parsed is None or faults:
        message = describe(faults)
        # A worker prints a ConfigError without its text, so the text is logged once more when the process exits.
        atexit.register(logger.critical, message)
        path = [f"<item {part}>" if isinstance(part, int) else part for part in faults[0].path or ()]
        raise ConfigError(message, path)
    return parsed


def examine(config: Any) -> tuple[BridgeConfig | None, list[StartupProblem]]:
    """The block, or None where it does not fit its schema, and all problems of its shape."""
    faults = _schema_faults(config)
    if faults:
        return None, faults
    faults = _memory_faults(config.get("memory")) + _record_faults(config.get("record", {}))
    faults += [fault for index, module in enumerate(config["modules"]) for fault in _mode_faults(index, module)]
    for name, entry in config.get("callbacks", {}).items():
        faults += _callback_faults(name, entry)
        faults += _callback_workers_faults(name, entry, config.get("workers", ()))
    return _with_defaults(config, os.getcwd()), faults


def read_again(config: Any, folder: str) -> BridgeConfig | None:
    """The block as it would be after a restart of Synapse in `folder`; None where its shape is wrong."""
    return None if _schema_faults(config) or _memory_faults(config.get("memory")) else _with_defaults(config, folder)


def _schema_faults(config: Any) -> list[StartupProblem]:
    errors = sorted(Draft7Validator(CONFIG_SCHEMA).iter_errors(config), key=lambda error: list(map(str, error.path)))
    return [_fault(error) for error in errors]


def _fault(error: ValidationError) -> StartupProblem:
    if error.context:
        error = best_match([error]) or error
    path = tuple(error.absolute_path)
    schema: Mapping[str, Any] = error.schema if isinstance(error.schema, Mapping) else {}
    if "errorMessage" in schema:
        return StartupProblem(path, schema["errorMessage"])
    if error.validator == "additionalProperties" and isinstance(error.instance, Mapping):
        properties: Mapping[str, Any] = schema.get("properties", {})
        unknown = [repr(key) for key in error.instance if key not in properties]
        return StartupProblem(path, f"unknown key {', '.join(unknown)}; the keys are {', '.join(properties)}")
    if error.validator == "required":
        instance: Any = error.instance
        missing = [key for key in schema["required"] if key not in instance]
        return StartupProblem(path, f"the key {', '.join(missing)} is missing")
    return StartupProblem(path, _words(error, schema))


def _words(error: ValidationError, schema: Mapping[str, Any]) -> str:
    """What the schema requires. jsonschema's own messages contain the value, which may be a secret."""
    if error.validator == "type":
        wanted = schema["type"]
        names = [_TYPES[name] for name in ([wanted] if isinstance(wanted, str) else wanted)]
        return f"must be {' or '.join(names)}, and is {_type_of(error.instance)}"
    if error.validator in ("minItems", "minLength", "minProperties"):
        return "must not be empty"
    return f"does not fit: {error.validator} {error.validator_value!r}"


def _type_of(value: Any) -> str:
    name = next((name for name in _TYPES if Draft7Validator({"type": name}).is_valid(value)), None)
    return "nothing" if value is None else _TYPES.get(name or "", "of another type")


def _memory_faults(memory: Any) -> list[StartupProblem]:
    if memory is None or SynapseConfig.parse_size(memory) >= LEAST_MEMORY_MB * MIB:
        return []
    return [StartupProblem(("memory",), f"must be at least {LEAST_MEMORY_MB}M: Node needs that much to start")]


def _record_faults(record: Mapping[str, Any]) -> list[StartupProblem]:
    faults = []
    for index, name in enumerate(record.get("callbacks", ())):
        place = ("record", "callbacks", index)
        if name not in CALLBACKS:
            faults.append(StartupProblem(place, _no_callback(name)))
        elif (holds := CALLBACKS[name].unrecorded) is not None:
            faults.append(StartupProblem(place, f"{name} is never recorded, since its parameters may hold {holds}"))
    if SynapseConfig.parse_size(record.get("limit", DEFAULT_RECORDING_LIMIT)) < LEAST_RECORDING_MB * MIB:
        faults.append(StartupProblem(("record", "limit"), f"must be at least {LEAST_RECORDING_MB}M"))
    return faults


def _mode_faults(index: int, module: Mapping[str, Any]) -> list[StartupProblem]:
    mode, shadow = _written_mode(module), module.get("shadow")
    if mode is None or shadow is None or shadow is (mode == SHADOW):
        return []
    says = f"shadow: {str(shadow).lower()} and mode: {mode} contradict each other"
    return [StartupProblem(("modules", index, "mode"), f"{says}: keep one of them")]


def _written_mode(module: Mapping[str, Any]) -> Mode | None:
    mode = module.get("mode")
    # YAML takes `off` without quotes for false.
    return OFF if mode is False else mode


def mode_of(module: Mapping[str, Any]) -> Mode:
    """The mode of one of `BridgeConfig.modules`."""
    mode: Mode = module.get("mode", ENFORCE)
    return mode


def name_of(module: Mapping[str, Any]) -> str:
    """The configured name, else that of the file or folder, without an extension: as in declarations/module.ts."""
    name: str | None = module.get("name")
    return _EXTENSION.sub("", os.path.basename(module["path"])) if name is None else name


def written_modes(config: Any) -> dict[str, Mode]:
    """By name, the modes of a block's modules, as far as they can be read: something may be wrong with the block."""
    modules = config.get("modules") if isinstance(config, Mapping) else None
    listed = [module for module in modules or () if isinstance(module, Mapping) and isinstance(module.get("path"), str)]
    return {
        name_of({**module, "path": os.path.normpath(module["path"])}): mode_of(_absolute(module, os.getcwd()))
        for module in listed
    }


_EXTENSION = re.compile(r"\.[mc]?[jt]sx?$")


def _no_callback(name: str) -> str:
    near = difflib.get_close_matches(name, CALLBACKS, n=1)
    return "is no callback of Synapse" + (f" (did you mean {near[0]}?)" if near else "")


def _callback_faults(name: str, entry: Mapping[str, Any]) -> list[StartupProblem]:
    callback = CALLBACKS.get(name)
    if callback is None:
        return [StartupProblem(("callbacks", name), _no_callback(name))]
    chosen = _on_failure(entry.get("on_failure"))
    allowed = expressible(callback)
    return [
        StartupProblem(
            ("callbacks", name, "on_failure"), f"{name} cannot express {policy}; it can express {', '.join(allowed)}"
        )
        for policy in sorted({chosen.local, chosen.federated} - {None, *allowed}, key=str)
    ]


def _callback_workers_faults(name: str, entry: Mapping[str, Any], starting: Sequence[str]) -> list[StartupProblem]:
    wanted = entry.get("workers", ())
    if not starting or not wanted or {*starting, BACKGROUND} & {*wanted}:
        return []
    return [
        StartupProblem(
            ("callbacks", name, "workers"), f"no process would ask: `workers` starts Node in {', '.join(starting)}"
        )
    ]


def _on_failure(value: Any) -> OnFailure:
    if isinstance(value, Mapping):
        return OnFailure(local=value.get("local"), federated=value.get("federated"))
    return OnFailure(local=value, federated=value)


def _with_defaults(config: Mapping[str, Any], folder: str) -> BridgeConfig:
    debug = config.get("debug", False)
    timeout = _timeout(config["timeout"], DEFAULT_TIMEOUT) if "timeout" in config else DEFAULT_TIMEOUT
    callbacks: Mapping[str, Any] = config.get("callbacks", {})
    start_timeout_ms = SynapseConfig.parse_duration(config.get("start_timeout", LIMITS["start_timeout_ms"]))
    return BridgeConfig(
        folder=folder,
        modules=[_absolute(module, folder) for module in config["modules"]],
        node=_path(config["node"], folder) if "node" in config else None,
        timeout=Timeout(local=DEBUG_MS, federated=DEBUG_MS) if debug else timeout,
        callback_timeouts={
            name: _timeout(entry["timeout"], timeout)
            for name, entry in callbacks.items()
            if "timeout" in entry and not debug
        },
        on_failure=_on_failure(config.get("on_failure")),
        callback_on_failure={
            name: _on_failure(entry["on_failure"]) for name, entry in callbacks.items() if "on_failure" in entry
        },
        workers=tuple(config.get("workers", ())),
        callback_workers={name: tuple(entry["workers"]) for name, entry in callbacks.items() if "workers" in entry},
        callbacks=frozenset(callbacks),
        optional_callbacks=frozenset(name for name, entry in callbacks.items() if entry.get("optional")),
        start_timeout_ms=DEBUG_MS if debug else start_timeout_ms,
        env=tuple(config.get("env", ())),
        memory_mb=SynapseConfig.parse_size(config["memory"]) // MIB if "memory" in config else None,
        record=_record(config["record"], folder) if "record" in config else None,
        decisions=_decisions(config.get("decisions", {})),
        admin_api=config.get("admin_api"),
        debug=debug,
    )


def _decisions(decisions: Mapping[str, Any] | bool) -> KeptDecisions | None:
    if isinstance(decisions, bool):
        return None
    keep_ms = SynapseConfig.parse_duration(decisions.get("keep", KEPT_BY_DEFAULT.keep_ms))
    return KeptDecisions(keep_ms=keep_ms, limit=decisions.get("limit", KEPT_BY_DEFAULT.limit))


def _record(record: Mapping[str, Any], folder: str) -> Record:
    recordable = [name for name, callback in CALLBACKS.items() if callback.unrecorded is None]
    return Record(
        folder=_path(record["folder"], folder),
        callbacks=tuple(record.get("callbacks", recordable)),
        keep_ms=SynapseConfig.parse_duration(record.get("keep", DEFAULT_KEEP)),
        limit_bytes=SynapseConfig.parse_size(record.get("limit", DEFAULT_RECORDING_LIMIT)),
    )


def _timeout(value: Any, default: Timeout) -> Timeout:
    if not isinstance(value, Mapping):
        duration = SynapseConfig.parse_duration(value)
        return Timeout(local=duration, federated=duration)
    parsed = {key: SynapseConfig.parse_duration(duration) for key, duration in value.items()}
    return Timeout(local=parsed.get("local", default.local), federated=parsed.get("federated", default.federated))


def _absolute(module: Mapping[str, Any], folder: str) -> dict[str, Any]:
    """The module with absolute paths: a Synapse that becomes a daemon changes its folder before it loads modules."""
    result = {key: value for key, value in module.items() if key not in ("mode", "shadow")}
    mode = _written_mode(module) or (SHADOW if module.get("shadow") else ENFORCE)
    if mode != ENFORCE:
        result["mode"] = mode
    for key in ("path", "config_file"):
        if key in result:
            result[key] = _path(result[key], folder)
    return result


def _path(path: str, folder: str) -> str:
    return os.path.normpath(os.path.join(folder, path))
