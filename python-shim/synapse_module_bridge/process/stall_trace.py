"""Finds the module that has blocked Node's event loop, in the stack that `node --trace-sigint` prints at SIGINT."""

import signal
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

_FIRST_LINE = b"KEYBOARD_INTERRUPT:"
_FRAME = b"    at "
# V8 prints ten. A module may have printed lines that look like more.
MOST_FRAMES = 100
# How the path of the host's own code ends.
_HOST = "/cli.mjs"


@dataclass(frozen=True)
class Trace:
    """Where Node was when it was interrupted."""

    # The lines of the stack.
    frames: Sequence[str]
    # The module that was running, where the stack names one.
    module: str | None
    # Whether no module was running: something else has delayed the process.
    was_idle: bool
    # The rest of a sentence that begins with the module.
    what: str


class StallTrace:
    """For a process that has given no sign of life for some seconds. `modules` are as the host declares them."""

    def __init__(self, seconds: float, modules: Sequence[Mapping[str, Any]]) -> None:
        self._seconds = seconds
        self._modules = modules
        # The lines that may be the stack.
        self.held: list[bytes] = []

    def without_trace(self, line: bytes) -> bytes:
        """Takes the stack out of a line of standard error, and returns the rest.

        A module may have printed text without a line end before it.
        """
        before, found, _ = line.partition(_FIRST_LINE)
        if found:
            # Node prints its stack last, so what was held before was text of a module.
            self.held = [line[len(before) :]]
            return before
        if 0 < len(self.held) <= MOST_FRAMES and line.startswith(_FRAME):
            self.held.append(line)
            return b""
        return line

    def trace(self, code: int | None) -> Trace | None:
        """The stack, if the process died of the interruption. `code` is as in `subprocess`."""
        if code != -signal.SIGINT:
            return None
        frames = [line.decode("utf-8", "replace") for line in self.held[1:]]
        places = [place for frame in frames if (place := _place(frame)) is not None]
        was_idle = all(place.startswith("node:") or place.endswith(_HOST) for place in places)
        what = f"has blocked the event loop for {self._seconds:.1f} s: Node is ended"
        return Trace(frames, self._culprit(places), was_idle, what)

    def _culprit(self, places: Sequence[str]) -> str | None:
        """The module whose code is nearest to the top of the stack.

        A module's entry file counts before the files that it imports, which several modules may share. Nobody is named
        for a file that homeserver.yaml lists for several modules.
        """
        files = [(str(module["name"]), list(module.get("files", ()))) for module in self._modules]
        listed = Counter(paths[0] for _, paths in files if paths)
        entries = {paths[0]: name for name, paths in files if paths and listed[paths[0]] == 1}
        nearest = next((entries[place] for place in places if place in entries), None)
        if nearest is not None:
            return nearest
        for place in places:
            owners = [name for name, paths in files if place in paths]
            if len(owners) == 1:
                return owners[0]
        return None


def _place(frame: str) -> str | None:
    """The file in `    at name (place:line:column)` or `    at place:line:column`."""
    text = frame[len(_FRAME) :].strip()
    if text.endswith(")"):
        text = text[:-1].partition(" (")[2]
    place, _, column = text.rpartition(":")
    place, _, line = place.rpartition(":")
    if not (line.isdecimal() and column.isdecimal()):
        return None
    return unquote(place.removeprefix("file://")) if place.startswith("file://") else place
