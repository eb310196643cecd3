"""What others want to know of the host."""

from collections.abc import Mapping
from typing import Any


class Watcher:
    """Every method may be left as it is."""

    def manifest(self, manifest: Mapping[str, Any]) -> None:
        """A host has declared its modules, and takes the calls from now on."""

    def died(self, cause: str) -> str:
        """The host has ended, not because it was asked to; its calls have not failed yet. Tells what was running."""
        return ""

    def up(self, up: bool) -> None:
        """Whether the host takes calls."""

    def pulse(self, pulse: Mapping[str, Any]) -> None:
        """What the host says of itself, twice a second."""
