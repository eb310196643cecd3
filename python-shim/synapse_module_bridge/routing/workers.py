"""Decides which of Synapse's processes start Node, and which register a callback: the admin's `workers`."""

from collections.abc import Sequence
from typing import Any

import attr
from synapse.module_api import ModuleApi

from synapse_module_bridge.configuration.config import BACKGROUND, BridgeConfig
from synapse_module_bridge.schema.catalogue import CALLBACKS, Callback

# The name of Synapse's main process in the bridge's configuration.
MAIN = "main"


def name_of_process(api: ModuleApi) -> str:
    """The worker's name, or `main`."""
    return api.worker_name or MAIN


def _names_in(worker_config: Any) -> set[str]:
    """The names of processes in Synapse's WorkerConfig. A worker that only serves clients may be missing there."""
    names = set(getattr(worker_config, "instance_map", {}))
    writers = getattr(worker_config, "writers", None)
    for field in () if writers is None else attr.fields(type(writers)):
        names.update(getattr(writers, field.name))
    for shards in ("federation_shard_config", "pusher_shard_config"):
        names.update(getattr(getattr(worker_config, shards, None), "instances", ()))
    return names


def wanted_processes(config: BridgeConfig, callback: Callback) -> Sequence[str]:
    """The processes that register the callback, as far as they start Node; empty for all processes."""
    wanted: Sequence[str] = config.callback_workers.get(callback.name, ())
    # Synapse calls such a callback in every process, but modules want it once.
    return (BACKGROUND,) if not wanted and callback.everywhere else wanted


def asking_processes(config: BridgeConfig, callback: Callback) -> Sequence[str]:
    """The processes that ask modules about the callback; empty for all processes."""
    wanted = wanted_processes(config, callback)
    if not wanted or not config.workers:
        return wanted or config.workers
    return [name for name in wanted if name in config.workers or name == BACKGROUND]


def registers(config: BridgeConfig, callback: Callback, here: str, background: bool) -> bool:
    """Whether the process `here` registers the callback. `background`: it runs Synapse's background tasks."""
    wanted = wanted_processes(config, callback)
    return not wanted or here in wanted or (background and BACKGROUND in wanted)


class Workers:
    """The same for the present process."""

    def __init__(self, config: BridgeConfig, api: ModuleApi) -> None:
        self._config = config
        self._api = api

    @property
    def here(self) -> str:
        """The name of this process."""
        return name_of_process(self._api)

    def starts_node(self) -> bool:
        """Whether this process starts Node."""
        return not self._config.workers or self.here in self._config.workers

    def runs_background_tasks(self) -> bool:
        """Whether this process runs Synapse's background tasks."""
        return self._api.should_run_background_tasks()

    def registers(self, callback: Callback) -> bool:
        """Whether this process registers the callback. Otherwise Synapse might load state for each event in vain."""
        return registers(self._config, callback, self.here, self.runs_background_tasks())

    def missed(self) -> list[str]:
        """The callbacks that no process registers: this one should, but starts no Node."""
        if self.starts_node() or not self.runs_background_tasks():
            return []
        return [
            name
            for name, callback in CALLBACKS.items()
            if list(wanted_processes(self._config, callback)) == [BACKGROUND]
        ]

    def unknown(self) -> list[tuple[str, str]]:
        """Names of processes that Synapse's configuration lacks, each after the key where it stands.

        Only the main process reports them.
        """
        if self.here != MAIN:
            return []
        named = {"workers": self._config.workers} | {
            f"callbacks.{name}.workers": workers for name, workers in self._config.callback_workers.items()
        }
        known = {MAIN, BACKGROUND, *_names_in(self._api._hs.config.worker)}
        return [(place, name) for place, workers in named.items() for name in workers if name not in known]
