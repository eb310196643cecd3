"""Compares files on disk with the digests of what was loaded from them. May run in a thread."""

import hashlib
import os
import time
from collections.abc import Container, Mapping

# A file may be written twice within the resolution of its times: its digest is kept only where they are older.
SETTLED_SECONDS = 2.0
# Modification time, change time, size and inode.
_Signs = tuple[int, int, int, int]


class OnDisk:
    """Remembers the digests of the files that it has read, and reads a file again only where it was touched."""

    def __init__(self) -> None:
        # By path, the digest, and what the file's status was.
        self._known: dict[str, tuple[_Signs, str]] = {}

    def forget_others(self, paths: Container[str]) -> None:
        """Forgets all files but these."""
        # A copy, since another thread may be reading a file.
        for path in [path for path in list(self._known) if path not in paths]:
            self._known.pop(path, None)

    def differing(self, digests: Mapping[str, str]) -> list[str]:
        """The paths of the files whose SHA-256 is not the given one any more. `digests` is by path."""
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
