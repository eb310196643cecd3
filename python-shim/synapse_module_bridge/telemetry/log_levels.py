"""Tells the host which level each module's logger has in Python, so that it does not send records for nothing.

Synapse's logging may be configured anew at any time, so the levels are compared now and then.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from synapse_module_bridge.schema.protocol import LOG_LEVELS, method_name
from synapse_module_bridge.telemetry.log_records import LEVELS, logger_of

_LOG_LEVELS = method_name("log_levels")


class LogLevels:
    """Remembers what was sent to one host. `notify` sends it a notification."""

    def __init__(self, notify: Callable[[str, Mapping[str, Any]], object]) -> None:
        self._notify = notify
        self._told: Mapping[str, int] = {}

    def tell(self, modules: Sequence[Mapping[str, Any]]) -> None:
        """Sends the levels of these modules, if any of them has changed."""
        levels = {module["name"]: lowest_level(module["name"]) for module in modules}
        if levels != self._told:
            self._told = levels
            self._notify(_LOG_LEVELS, {"levels": levels})


def lowest_level(module: str) -> int:
    """The lowest of the host's levels at which records of this module are logged."""
    wanted = logger_of(module).isEnabledFor
    return next((theirs for ours, theirs in LEVELS if wanted(ours)), LOG_LEVELS["fatal"])
