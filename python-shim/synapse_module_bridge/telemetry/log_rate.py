"""Limits the rate of log lines for each module, and reports how many the host and the shim have dropped."""

import time

from synapse_module_bridge.schema.protocol import LIMITS
from synapse_module_bridge.telemetry import metrics
from synapse_module_bridge.telemetry.log_records import logger_of

# A flood of lines must not fill the disk or keep Synapse busy.
MOST_LINES = LIMITS["log_lines"]
RATE_SECONDS = LIMITS["log_window_ms"] / 1000


class LogRate:
    """Counts lines by module; None stands for the host itself. The flood of one module leaves the others alone."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._lines: dict[str | None, int] = {}
        self._dropped: dict[str | None, int] = {}

    def admits(self, module: str | None) -> bool:
        """Counts one more line, and tells whether it is to be logged."""
        lines = self._lines[module] = self._lines.get(module, 0) + 1
        if lines <= MOST_LINES:
            return True
        if self._is_over():
            self.tell()
            self._lines[module] = 1
            return True
        self.lost(module, 1)
        return False

    def lost(self, module: str | None, lines: int) -> None:
        """Counts lines that were dropped, here or by the host."""
        metrics.LOG_DROPPED.inc(lines)
        self._dropped[module] = self._dropped.get(module, 0) + lines

    def _is_over(self) -> bool:
        return time.monotonic() - self._since >= RATE_SECONDS

    def tell(self, *, at_once: bool = False) -> None:
        """Logs how many lines were dropped, and begins to count anew. Does nothing before RATE_SECONDS have passed."""
        if not (at_once or self._is_over()):
            return
        seconds = time.monotonic() - self._since
        for module, lines in self._dropped.items():
            whose = "the host itself, or of an unknown module" if module is None else "this module"
            logger_of(module).warning(
                "%d lines of the log of %s were dropped within %.0f s: it writes more than is taken",
                lines,
                whose,
                seconds,
            )
        self._since = time.monotonic()
        self._lines.clear()
        self._dropped.clear()
