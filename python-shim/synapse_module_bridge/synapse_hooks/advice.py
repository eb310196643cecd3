"""Finds settings that are valid, but probably not what the admin meant, for warnings at the start and in `check`."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from synapse_module_bridge.configuration.config import BridgeConfig, Timeout
from synapse_module_bridge.routing.workers import Workers
from synapse_module_bridge.schema.catalogue import CALLBACKS

# Synapse reads a number without a unit as milliseconds.
LEAST_MS = 50


def advise_everywhere(config: BridgeConfig, workers: Workers) -> Iterator[str]:
    """Warnings for any process, even where no module runs."""
    if not workers.starts_node():
        yield (
            f"`workers` does not name this process ({workers.here}): no module runs here, and all that modules would "
            f"refuse passes. Add {workers.here} to `workers`, unless it serves nothing that modules decide about"
            # The tables of the bridge are cleaned up there.
            + ("" if workers.runs_background_tasks() else ": then `modules: []` in its own file ends this warning")
        )
    if config.debug:
        yield (
            "`debug` is on: there are no deadlines, and a Node that stands still is not ended, so that a debugger may "
            "pause it. Any module can hold up Synapse: never leave it on"
        )
    for name in workers.missed():
        yield (
            f"no module is told of {name}, since this process ({workers.here}) runs Synapse's background tasks: add "
            f"it to `workers`, or name another in callbacks.{name}.workers"
        )
    for place, name in workers.unknown():
        yield (
            f"{place} names {name}, which Synapse's own configuration (instance_map, stream_writers and the like) does "
            "not: where no process is called so, no module runs there"
        )


def advise(
    config: BridgeConfig, modules: Sequence[Mapping[str, Any]], available: Mapping[str, Collection[str]]
) -> Iterator[str]:
    """Warnings for a process in which modules run. `available` has the callbacks of this Synapse, by category."""
    yield from map(_too_short, _durations(config))
    declared: dict[str, list[str]] = {}
    for module in modules:
        for name in module["callbacks"]:
            declared.setdefault(name, []).append(module["name"])
    for name in sorted(config.callbacks):
        if name not in declared:
            yield f"callbacks.{name} has no effect: no module implements it"
    for name, implementing in declared.items():
        if name not in available.get(CALLBACKS[name].category, ()):
            yield (
                f"callbacks.{name} is optional, and this Synapse ({version('matrix-synapse')}) lacks it: "
                f"{' and '.join(implementing)} will not be asked"
            )
    spam = config.callback_on_failure.get("check_event_for_spam")
    if spam is not None and spam.federated == "deny":
        yield (
            "callbacks.check_event_for_spam.on_failure is deny for federated events: during an outage, messages of "
            "other servers are lost for good, and the state of rooms that are joined is stripped"
        )


def _durations(config: BridgeConfig) -> Iterator[tuple[str, int]]:
    """The durations that are suspiciously short, in milliseconds, each after its place in the configuration."""
    timeouts: Mapping[str, Timeout] = {
        "timeout": config.timeout,
        **{f"callbacks.{name}.timeout": timeout for name, timeout in config.callback_timeouts.items()},
    }
    all_of_them = {
        **{f"{place} (local)": timeout.local for place, timeout in timeouts.items()},
        **{f"{place} (federated)": timeout.federated for place, timeout in timeouts.items()},
        "start_timeout": config.start_timeout_ms,
    }
    return ((place, duration) for place, duration in all_of_them.items() if duration < LEAST_MS)


def _too_short(duration: tuple[str, int]) -> str:
    place, milliseconds = duration
    return f"{place} is {milliseconds} ms, in which hardly any module answers: a number without a unit is milliseconds"
