"""Compares what lies on disk with what was loaded. May run in a thread."""

import hashlib
import os
import time
from collections.abc import Container, Mapping

# A file that was written so shortly before may be written again without its times telling.
SETTLED_SECONDS = 2.0
_Signs = tuple[int, int, int, int]


class OnDisk:
    """Remembers what it has read, so that a file that has not been touched is not read again."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[_Signs, str]] = {}

    def forget_others(self, paths: Container[str]) -> None:
        """Nobody will ask for others."""
        # Other threads may read one meanwhile.
        for path in [path for path in list(self._known) if path not in paths]:
            self._known.pop(path, None)

    def differing(self, digests: Mapping[str, str]) -> list[str]:
        """The files that do not hold any more what was loaded from them."""
        return [path for path, digest in digests.items() if self._digest(path) != digest]

    def _digest(self, path: str) -> str | None:
        try:
            signs = _signs(os.stat(path))
            known = self._known.get(path)
            if known is not None and known[0] == signs:
                return known[1]
            with open(path, "rb") as file:
                digest = hashlib.sha256(file.read()).hexdigest()
        except OSError:
            self._known.pop(path, None)
            return None
        if time.time() - signs[0] / 1e9 > SETTLED_SECONDS:
            self._known[path] = (signs, digest)
        return digest


def _signs(stat: os.stat_result) -> _Signs:
    return stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino
