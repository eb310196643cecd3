"""Which of Synapse's processes does what: `workers` of the configuration and of its callbacks."""

from collections.abc import Sequence
from typing import Any

import attr
from synapse.module_api import ModuleApi

from synapse_module_bridge.configuration.config import BACKGROUND, BridgeConfig
from synapse_module_bridge.schema.catalogue import CALLBACKS, Callback

MAIN = "main"


def _names_in(worker_config: Any) -> set[str]:
    """The names of processes in Synapse's configuration. A worker that serves clients alone need not be there."""
    names = set(getattr(worker_config, "instance_map", {}))
    writers = getattr(worker_config, "writers", None)
    for field in () if writers is None else attr.fields(type(writers)):
        names.update(getattr(writers, field.name))
    for shards in ("federation_shard_config", "pusher_shard_config"):
        names.update(getattr(getattr(worker_config, shards, None), "instances", ()))
    return names


def wanted_processes(config: BridgeConfig, callback: Callback) -> Sequence[str]:
    """Those that are to register the callback, as far as they start Node; empty for all of them."""
    wanted: Sequence[str] = config.callback_workers.get(callback.name, ())
    # Synapse would call it in every process: once per deployment is what is meant.
    return (BACKGROUND,) if not wanted and callback.everywhere else wanted


def asking_processes(config: BridgeConfig, callback: Callback) -> Sequence[str]:
    """Those that ask modules; empty for all of them."""
    wanted = wanted_processes(config, callback)
    if not wanted or not config.workers:
        return wanted or config.workers
    return [name for name in wanted if name in config.workers or name == BACKGROUND]


def registers(config: BridgeConfig, callback: Callback, here: str, background: bool) -> bool:
    """Whether a process registers the callback, by its name, and whether it runs background tasks."""
    wanted = wanted_processes(config, callback)
    return not wanted or here in wanted or (background and BACKGROUND in wanted)


class Workers:
    def __init__(self, config: BridgeConfig, api: ModuleApi) -> None:
        self._config = config
        self._api = api

    @property
    def here(self) -> str:
        """The name of this process."""
        return self._api.worker_name or MAIN

    def starts_node(self) -> bool:
        return not self._config.workers or self.here in self._config.workers

    def registers(self, callback: Callback) -> bool:
        """Whether this process registers the callback. Registering alone makes Synapse load state for each event."""
        return registers(self._config, callback, self.here, self._api.should_run_background_tasks())

    def missed(self) -> list[str]:
        """The callbacks that no process registers, since this one should, and starts no Node."""
        if self.starts_node() or not self._api.should_run_background_tasks():
            return []
        return [
            name
            for name, callback in CALLBACKS.items()
            if list(wanted_processes(self._config, callback)) == [BACKGROUND]
        ]

    def unknown(self) -> list[tuple[str, str]]:
        """Processes that Synapse's configuration does not know, each with the key that names it: for the main one."""
        if self.here != MAIN:
            return []
        named = {"workers": self._config.workers} | {
            f"callbacks.{name}.workers": workers for name, workers in self._config.callback_workers.items()
        }
        known = {MAIN, BACKGROUND, *_names_in(self._api._hs.config.worker)}
        return [(place, name) for place, workers in named.items() for name in workers if name not in known]
