"""Checks whether the admin has granted a module one of the ModuleApi's writes."""

from collections.abc import Collection, Mapping
from typing import Any

from synapse_module_bridge.schema.catalogue import Method
from synapse_module_bridge.schema.modes import ENFORCE, SHADOW, Mode
from synapse_module_bridge.schema.protocol import ERROR_CODES
from synapse_module_bridge.transport.rpc import RpcError

ALL = "all"


class Grants:
    """The grants of all modules. Only a module that enforces may use them."""

    def __init__(self) -> None:
        # By module: names of methods, or of groups such as `http_client`; or the text `all`.
        self._granted: Mapping[str, Collection[str]] = {}

    def set(self, granted: Mapping[str, Collection[str]]) -> None:
        """Replaces the grants."""
        self._granted = granted

    def check(self, module: Any, method: Method, modes: Mapping[str, Mode]) -> None:
        """Raises RpcError where the module may not call the method. The message says what to add to homeserver.yaml.

        `modes` has the modes of the modules of the host that asks; those that it lacks enforce.
        """
        mode = modes.get(module, ENFORCE) if isinstance(module, str) else ENFORCE
        granted = self._granted.get(module, ()) if isinstance(module, str) else ()
        if mode == SHADOW:
            why = "it is a shadow module, whose writes are all refused"
        elif mode != ENFORCE:
            why = "it is switched off"
        elif granted == ALL or method.grant in granted or method.name.partition(".")[0] in granted:
            return
        else:
            line = ", ".join([*granted, method.grant])
            why = f"write `grants: [{line}]` beside its `path` in homeserver.yaml"
        message = f"{module} may not call {method.name}: {why}"
        raise RpcError(ERROR_CODES["not_granted"], message, {"module": module, "method": method.name})
