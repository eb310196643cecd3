"""Says who keeps this process from a file: the first folder of its path that lets it not pass, or the file itself.

The system says only that something is denied. The host says the same in the same words (`bridge/base/denied.ts`).
"""

import os
from collections.abc import Iterator
from pathlib import Path

# As many as Linux follows.
_MOST_LINKS = 40


def describe_denied(path: str) -> str:
    """The message about a file that may not be read."""
    folder = _closed_folder(os.path.abspath(path))
    who = _owner(path) if folder is None else f": the folder {folder} does not let it pass{_owner(folder)}"
    return f"{path} may not be read by this user{who}"


def why_not_writable(folder: str) -> str | None:
    """Why this process may not write files into a folder, or make it where there is none; None where it may."""
    if _closed_folder(folder) is not None:
        return describe_denied(folder)
    place = next(place for place in (folder, *map(str, Path(folder).parents)) if os.path.exists(place))
    if not os.access(place, os.W_OK | os.X_OK):
        return f"{folder} may not be written by this user: {place}{_owner(place)}"
    if place == folder and os.stat(folder).st_uid != os.getuid():
        return f"{folder} belongs to another user{_owner(folder)}: name another folder, or change its owner"
    return None


def _closed_folder(path: str, links: int = 0) -> str | None:
    for folder in _above(path):
        if _is_closed(folder):
            return (_behind_link(folder, "x", links) if links < _MOST_LINKS else None) or folder
    return _behind_link(path, "", links) if links < _MOST_LINKS else None


def _is_closed(folder: str) -> bool:
    try:
        os.stat(os.path.join(folder, "."))
    except PermissionError:
        return True
    except OSError:
        pass  # there is none
    return False


def _above(path: str) -> Iterator[str]:
    """The folders above, from the root on."""
    return (str(folder) for folder in reversed(Path(path).parents))


def _behind_link(link: str, below: str, links: int) -> str | None:
    try:
        target = os.readlink(link)
    except OSError:
        return None  # not a link
    return _closed_folder(os.path.normpath(os.path.join(os.path.dirname(link), target, below)), links + 1)


def _owner(path: str) -> str:
    try:
        found = os.stat(path)
    except OSError:
        return ""
    return f" (mode {found.st_mode & 0o7777:04o}, owner {found.st_uid}, group {found.st_gid})"
