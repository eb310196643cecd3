"""Defines the exception for a call that no module can answer."""

from synapse_module_bridge.schema.protocol import Reason


class Unavailable(Exception):
    """No module can answer the call."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason
