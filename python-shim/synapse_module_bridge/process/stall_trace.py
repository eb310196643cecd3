"""Reads where Node was when a module had blocked its event loop: what `node --trace-sigint` says once interrupted."""

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

_FIRST_LINE = b"KEYBOARD_INTERRUPT:"
_FRAME = b"    at "
# V8 prints ten.
MOST_FRAMES = 100
# The host's own code.
_HOST = "/cli.mjs"


@dataclass(frozen=True)
class Trace:
    """Where Node was: in this module, as far as the frames tell."""

    frames: Sequence[str]
    module: str | None
    # It was in nobody's code: it had been held up.
    was_idle: bool
    what: str


class StallTrace:
    """Of a process that has given no sign of life for so many seconds. `modules` are as the host declares them."""

    def __init__(self, seconds: float, modules: Sequence[Mapping[str, Any]]) -> None:
        self._seconds = seconds
        self._modules = modules
        # The lines that may be what Node says.
        self.held: list[bytes] = []

    def without_trace(self, line: bytes) -> bytes:
        """The line without what Node says: a module may have written something, and no line end, before."""
        before, found, _ = line.partition(_FIRST_LINE)
        if found:
            # What came before was a text of somebody's: Node says it last.
            self.held = [line[len(before) :]]
            return before
        if 0 < len(self.held) <= MOST_FRAMES and line.startswith(_FRAME):
            self.held.append(line)
            return b""
        return line

    def trace(self, code: int | None) -> Trace | None:
        """What Node has said, if it died of the interruption."""
        if code != -signal.SIGINT:
            return None
        frames = [line.decode("utf-8", "replace") for line in self.held[1:]]
        places = [place for frame in frames if (place := _place(frame)) is not None]
        was_idle = all(place.startswith("node:") or place.endswith(_HOST) for place in places)
        what = f"has blocked the event loop for {self._seconds:.1f} s: Node is ended"
        return Trace(frames, self._culprit(places), was_idle, what)

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
    """Of `    at name (place:line:column)`, or without a name."""
    text = frame[len(_FRAME) :].strip()
    if text.endswith(")"):
        text = text[:-1].partition(" (")[2]
    place, _, column = text.rpartition(":")
    place, _, line = place.rpartition(":")
    if not (line.isdecimal() and column.isdecimal()):
        return None
    return unquote(place.removeprefix("file://")) if place.startswith("file://") else place
