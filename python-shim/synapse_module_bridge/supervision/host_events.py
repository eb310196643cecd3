"""Defines the events of the host's life that the supervisor reports."""

import logging
from collections.abc import Mapping
from typing import Any

logger = logging.getLogger(__name__)


class HostEvents:
    """Subclasses override what they need."""

    def manifest(self, manifest: Mapping[str, Any], told: Mapping[str, Any]) -> None:
        """A new host takes the calls from now on. `told` is its `initialize`, `manifest` its answer."""

    def back(self, seconds: float) -> None:
        """The host was started again, `seconds` after it ended."""
        logger.warning("the module host is back after %.2f s", seconds)

    def died(self, cause: str, culprit: str | None, heard_at: float) -> str:
        """The host has ended without being asked to; its open calls have not failed yet.

        `culprit` is the module that ended it, where the host's log names one. `heard_at` is when the host has sent
        something for the last time, on the monotonic clock. Returns the end of a sentence for the
        log, about the calls that were running.
        """
        return ""

    def stopping(self) -> None:
        """Synapse stops: no host is started any more."""

    def up(self, up: bool) -> None:
        """The host takes calls from now on, or takes none any more."""

    def pulse(self, pulse: Mapping[str, Any]) -> None:
        """The host's pulse has come: it reports its state ten times a second."""
