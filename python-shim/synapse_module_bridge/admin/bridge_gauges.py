"""Lets Prometheus read how one bridge is doing in this process, whenever it collects the metrics."""

from collections.abc import Callable, Collection, Mapping, Sequence

from synapse_module_bridge.admin.bridge_status import Entries
from synapse_module_bridge.process.exit_cause import KINDS_OF_ENDS
from synapse_module_bridge.quarantine.quarantine import Quarantine
from synapse_module_bridge.quarantine.web_paths import WebPaths
from synapse_module_bridge.resilience.backpressure import Backpressure
from synapse_module_bridge.routing.modes_in_force import ModesInForce
from synapse_module_bridge.schema.modes import MODES, Mode
from synapse_module_bridge.supervision.accepted import Accepted
from synapse_module_bridge.telemetry import metrics

# By the labels of a metric.
Values = Mapping[tuple[str, ...], float]


class BridgeGauges:
    """The bridge sets what its host tells. `names` are those of its modules, and `wished` gives their wished modes.

    Prometheus may collect in another thread, so nothing here changes anything.
    """

    def __init__(
        self,
        server_name: str,
        names: Sequence[str],
        yaml_modes: Mapping[str, Mode],
        wished: Callable[[], Mapping[str, Mode]],
        modes: ModesInForce,
        accepted: Accepted,
        quarantine: Quarantine,
        web_paths: WebPaths,
        entries: Callable[[], Entries],
    ) -> None:
        self._server_name = server_name
        self._names = names
        self._yaml_modes = yaml_modes
        self._wished = wished
        self._modes = modes
        self._accepted = accepted
        self._quarantine = quarantine
        self._web_paths = web_paths
        self._entries = entries
        # Whether the host takes calls.
        self.up = False
        # The version of its Node.
        self.node = ""
        # From its last pulse: bytes, and the modules that are not set up.
        self._memory = {"rss": 0, "heap_used": 0}
        self._not_set_up: Collection[str] = ()

    def pulse(self, memory: Mapping[str, int], not_set_up: Collection[str]) -> None:
        """The host has told its memory in bytes, by kind, and which modules are not set up."""
        self._memory = {kind: memory.get(kind, before) for kind, before in self._memory.items()}
        self._not_set_up = not_set_up

    def watch(self, bridge: str, synapse: str, queued: Callable[[], int], backpressure: Backpressure) -> None:
        """Shows them from now on. `bridge` and `synapse` are versions; `queued` counts notifications that wait."""
        server_name = self._server_name
        here = (server_name,)
        metrics.begin(server_name, KINDS_OF_ENDS, self._names)
        metrics.watch(metrics.QUEUED, here, queued)
        metrics.watch(metrics.IN_FLIGHT, here, lambda: backpressure.in_flight)
        metrics.watch(metrics.WAITING, here, lambda: backpressure.waiting)
        metrics.watch(metrics.UP, here, lambda: self.up, min)
        metrics.watch(metrics.SETUP_FAILURES, here, lambda: len(self._not_set_up))
        metrics.watch(metrics.MEMORY, ("rss", server_name), lambda: self._memory["rss"])
        metrics.watch(metrics.MEMORY, ("heap_used", server_name), lambda: self._memory["heap_used"])
        metrics.INFO.watch(lambda: {(bridge, synapse, self.node, server_name): 1})
        metrics.MODULE_INFO.watch(
            lambda: {(name, *version, server_name): 1 for name, version in self._accepted.versions.items()}
        )
        metrics.SET_UP.watch(self._set_up)
        metrics.MODES.watch(self._in_modes)
        metrics.OVERRIDES.watch(self._overridden)
        metrics.QUARANTINES.watch(self._quarantines)
        metrics.BREAKERS.watch(self._breakers)

    def _of_each_module(self, value: Callable[[str], float]) -> Values:
        return {(name, self._server_name): value(name) for name in self._names}

    def _in_modes(self) -> Values:
        here = self._server_name
        return {(name, mode, here): mode == self._modes.of(name) for name in self._names for mode in MODES}

    def _overridden(self) -> Values:
        wished = self._wished()
        return self._of_each_module(lambda name: wished[name] != self._yaml_modes[name])

    def _set_up(self) -> Values:
        all_modules = self._of_each_module(lambda name: name not in self._not_set_up)
        return {labels: value for labels, value in all_modules.items() if not self._modes.is_off(labels[0])}

    def _quarantines(self) -> Values:
        held, paths = self._quarantine.by_module(), self._web_paths.by_module()
        return self._of_each_module(lambda name: held.get(name, 0) + paths.get(name, 0))

    def _breakers(self) -> Values:
        return {
            (entry.module, callback, self._server_name): entry.breaker.is_open
            for callback, entries in self._entries().items()
            for entry in entries
        }
