"""Checks whether the admin has granted a module one of the ModuleApi's writes."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from synapse_module_bridge.schema.catalogue import Method
from synapse_module_bridge.schema.protocol import ERROR_CODES
from synapse_module_bridge.transport.rpc import RpcError

ALL = "all"


class Grants:
    """The grants of all modules. A shadow module has none."""

    def __init__(self) -> None:
        # By module: names of methods, or of groups such as `http_client`; or the text `all`.
        self._granted: Mapping[str, Collection[str]] = {}
        self._shadows: Collection[str] = ()

    def set(self, granted: Mapping[str, Collection[str]], shadows: Iterable[str]) -> None:
        """Replaces the grants. `shadows` has the names of the shadow modules."""
        self._granted, self._shadows = granted, frozenset(shadows)

    def check(self, module: Any, method: Method) -> None:
        """Raises RpcError where the module may not call the method. The message says what to add to homeserver.yaml."""
        granted = self._granted.get(module, ()) if isinstance(module, str) else ()
        if module in self._shadows:
            why = "it is a shadow module, whose writes are all refused"
        elif granted == ALL or method.grant in granted or method.name.partition(".")[0] in granted:
            return
        else:
            line = ", ".join([*granted, method.grant])
            why = f"write `grants: [{line}]` beside its `path` in homeserver.yaml"
        message = f"{module} may not call {method.name}: {why}"
        raise RpcError(ERROR_CODES["not_granted"], message, {"module": module, "method": method.name})
