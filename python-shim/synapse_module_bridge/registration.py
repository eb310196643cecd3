"""Registers with Synapse what the modules declare: in this process, and as far as this Synapse has it."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from synapse.module_api import ModuleApi

from synapse_module_bridge.catalogue import CALLBACKS, Callback
from synapse_module_bridge.config import BridgeConfig
from synapse_module_bridge.faults import Fault, Faults
from synapse_module_bridge.forward import make_forwarder
from synapse_module_bridge.processes import Processes
from synapse_module_bridge.router import Router
from synapse_module_bridge.synapse_api import available_callbacks, register


def declared_callbacks(manifest: Mapping[str, Any], config: BridgeConfig, api: ModuleApi) -> list[Callback]:
    """The callbacks to register here, in the catalogue's order. Raises Faults for what this Synapse lacks."""
    available = available_callbacks(api)
    processes = Processes(config, api)
    faults: list[Fault] = []
    wanted: set[str] = set()
    for index, module in enumerate(manifest["modules"]):
        for name in module["callbacks"]:
            callback = CALLBACKS[name]
            if name in available.get(callback.category, ()):
                if processes.registers(callback):
                    wanted.add(name)
            elif name not in config.optional_callbacks:
                faults.append(_lacking(index, module["name"], callback))
    if faults:
        raise Faults(faults)
    return [callback for name, callback in CALLBACKS.items() if name in wanted]


def register_callbacks(api: ModuleApi, callbacks: Sequence[Callback], router: Router) -> None:
    register(api, {callback.name: make_forwarder(callback, router.answer) for callback in callbacks})


def _lacking(index: int, module: str, callback: Callback) -> Fault:
    return Fault(
        ("modules", index, "path"),
        f"{module} implements {callback.name}, which this Synapse ({version('matrix-synapse')}) lacks: it came with "
        f"{callback.since}. Upgrade Synapse, or set callbacks.{callback.name}.optional to true",
    )
