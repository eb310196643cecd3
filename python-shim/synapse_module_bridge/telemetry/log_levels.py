"""Tells a host which records of a module nobody wants, so that they cost nothing. Logging may change its mind."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from synapse_module_bridge.schema.protocol import method_name
from synapse_module_bridge.telemetry.log_records import logger_of

_LOG_LEVELS = method_name("log_levels")
# Of pino's levels those that Python's logging has too.
_LEVELS = ((logging.DEBUG, 20), (logging.INFO, 30), (logging.WARNING, 40), (logging.ERROR, 50))
HIGHEST = 60


class LogLevels:
    """`notify` sends a notification to the host."""

    def __init__(self, notify: Callable[[str, Mapping[str, Any]], object]) -> None:
        self._notify = notify
        self._told: Mapping[str, int] = {}

    def tell(self, modules: Sequence[Mapping[str, Any]]) -> None:
        """Of these modules, if anything has changed."""
        levels = {module["name"]: lowest_level(module["name"]) for module in modules}
        if levels != self._told:
            self._told = levels
            self._notify(_LOG_LEVELS, {"levels": levels})


def lowest_level(module: str) -> int:
    """The lowest level of pino's of which records of this module are wanted."""
    wanted = logger_of(module).isEnabledFor
    return next((theirs for ours, theirs in _LEVELS if wanted(ours)), HIGHEST)
