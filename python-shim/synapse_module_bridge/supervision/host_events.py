"""What others want to know of the host."""

import logging
from collections.abc import Mapping
from typing import Any

logger = logging.getLogger(__name__)


class HostEvents:
    """Every method may be left as it is."""

    def manifest(self, manifest: Mapping[str, Any], told: Mapping[str, Any]) -> None:
        """A host that was told this has declared its modules, and takes the calls from now on."""

    def back(self, seconds: float) -> None:
        """The host has been started again, and was away for so long."""
        logger.warning("the module host is back after %.2f s", seconds)

    def died(self, cause: str, culprit: str | None) -> str:
        """The host has ended, not because it was asked to; its calls have not failed yet. Tells what was running.

        `culprit` is the module that did it, as far as its last words tell.
        """
        return ""

    def stopping(self) -> None:
        """Synapse stops: no host is started any more."""

    def up(self, up: bool) -> None:
        """Whether the host takes calls."""

    def pulse(self, pulse: Mapping[str, Any]) -> None:
        """What the host says of itself, twice a second."""
