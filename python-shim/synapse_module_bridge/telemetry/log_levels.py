"""Tells the host which level each module's logger has in Python, so that it does not send records for nothing.

Synapse's logging may be configured anew at any time, so the levels are compared now and then.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from synapse_module_bridge.schema.protocol import method_name
from synapse_module_bridge.telemetry.log_records import logger_of

_LOG_LEVELS = method_name("log_levels")
# Levels of Python's logging, each with pino's number.
_LEVELS = ((logging.DEBUG, 20), (logging.INFO, 30), (logging.WARNING, 40), (logging.ERROR, 50))
# pino's `fatal`, for loggers that take nothing below CRITICAL.
HIGHEST = 60


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
    """The lowest of pino's levels at which records of this module are logged."""
    wanted = logger_of(module).isEnabledFor
    return next((theirs for ours, theirs in _LEVELS if wanted(ours)), HIGHEST)
