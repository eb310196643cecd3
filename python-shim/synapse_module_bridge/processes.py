"""Which of Synapse's processes does what: `workers` of the configuration and of its callbacks."""

from collections.abc import Sequence

from synapse.module_api import ModuleApi

from synapse_module_bridge.catalogue import CALLBACKS, Callback
from synapse_module_bridge.config import BACKGROUND, BridgeConfig

MAIN = "main"


class Processes:
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
        wanted = self._wanted(callback)
        if not wanted or self.here in wanted:
            return True
        return BACKGROUND in wanted and self._api.should_run_background_tasks()

    def missed(self) -> list[str]:
        """The callbacks that no process registers, since this one should, and starts no Node."""
        if self.starts_node() or not self._api.should_run_background_tasks():
            return []
        return [name for name, callback in CALLBACKS.items() if list(self._wanted(callback)) == [BACKGROUND]]

    def _wanted(self, callback: Callback) -> Sequence[str]:
        wanted: Sequence[str] = self._config.callback_workers.get(callback.name, ())
        # Synapse would call it in every process: once per deployment is what is meant.
        return (BACKGROUND,) if not wanted and callback.everywhere else wanted
