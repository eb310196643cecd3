"""Why a call cannot be answered by a module."""

from synapse_module_bridge.schema.protocol import Reason


class Unavailable(Exception):
    """No answer can be had, for this reason."""

    def __init__(self, reason: Reason | str) -> None:
        """A text where the host's own error is the reason."""
        super().__init__(reason)
        self.reason = reason
