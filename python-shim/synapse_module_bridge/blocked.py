"""Reads where Node was when a module had blocked its event loop: what `node --trace-sigint` says once interrupted."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

_FIRST_LINE = b"KEYBOARD_INTERRUPT:"
_FRAME = b"    at "
# `    at name (place:line:column)`, or without a name.
_PLACE = re.compile(r"^    at (?:.* \()?(.+):\d+:\d+\)?$")
# The host's own code.
_HOST = "/cli.mjs"


class Blocked:
    """Of a process that has given no sign of life for so many seconds. `modules` are as the host declares them."""

    def __init__(self, seconds: float, modules: Sequence[Mapping[str, Any]]) -> None:
        self._seconds = seconds
        self._modules = modules
        self._frames: list[str] | None = None

    def without_trace(self, line: bytes) -> bytes:
        """The line without what Node says: a module may have written something, and no line end, before."""
        before, found, _ = line.partition(_FIRST_LINE)
        if found:
            self._frames = []
            return before
        if self._frames is not None and line.startswith(_FRAME):
            self._frames.append(line.decode("utf-8", "replace"))
            return b""
        return line

    def record(self) -> dict[str, Any] | None:
        """For the log: who has blocked it, and where. None where Node was in nobody's code: it had been held up."""
        places = [place for frame in self._frames or () if (place := _place(frame)) is not None]
        if all(place.startswith("node:") or place.endswith(_HOST) for place in places):
            return None
        module = self._culprit(places)
        blocked = f"has blocked the event loop for {self._seconds:.1f} s: Node is ended"
        return {
            "level": 60,
            **({} if module is None else {"module": module}),
            "msg": f"{module or 'something'} {blocked}",
            "err": {"stack": "\n".join(self._frames or ())},
            "host_ends": "event loop blocked",
        }

    def _culprit(self, places: Sequence[str]) -> str | None:
        """The module whose code is nearest to where Node was: what it names itself before what several may share."""
        files = [(str(module["name"]), list(module.get("files", ()))) for module in self._modules]
        entries = {paths[0]: name for name, paths in files if paths}
        nearest = next((entries[place] for place in places if place in entries), None)
        if nearest is not None:
            return nearest
        for place in places:
            owners = [name for name, paths in files if place in paths]
            if len(owners) == 1:
                return owners[0]
        return None


def _place(frame: str) -> str | None:
    found = _PLACE.match(frame)
    if found is None:
        return None
    place = found[1]
    return unquote(place.removeprefix("file://")) if place.startswith("file://") else place
