"""Reads where Node was when a module had blocked its event loop: what `node --trace-sigint` says once interrupted."""

from collections.abc import Mapping, Sequence
from typing import Any

_FIRST_LINE = b"KEYBOARD_INTERRUPT:"
_FRAME = b"    at "


class Blocked:
    """Of a process whose event loop has not turned for so many seconds. `modules` are as the host declares them."""

    def __init__(self, seconds: float, modules: Sequence[Mapping[str, Any]]) -> None:
        self._seconds = seconds
        self._modules = modules
        self._frames: list[str] | None = None

    def takes(self, line: bytes) -> bool:
        """Whether the line belongs to what Node says."""
        if line.startswith(_FIRST_LINE):
            self._frames = []
            return True
        if self._frames is not None and line.startswith(_FRAME):
            self._frames.append(line.decode("utf-8", "replace").replace("file://", ""))
            return True
        return False

    def record(self) -> dict[str, Any] | None:
        """For the log: who has blocked it, and where. None where Node said nothing, or was only waiting."""
        if not self._frames:
            return None
        module = self._culprit(self._frames)
        blocked = f"has blocked the event loop for {self._seconds:.1f} s: Node is ended"
        return {
            "level": 60,
            **({} if module is None else {"module": module}),
            "msg": f"{module or 'something'} {blocked}",
            "err": {"stack": "\n".join(self._frames)},
            "host_ends": "event loop blocked",
        }

    def _culprit(self, frames: Sequence[str]) -> str | None:
        """The module whose code is nearest to where Node was."""
        for frame in frames:
            for module in self._modules:
                if any(f"{file}:" in frame for file in module.get("files", ())):
                    return str(module["name"])
        return None
