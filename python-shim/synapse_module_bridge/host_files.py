"""A private copy of the host's files, so that a restart runs the very host that Synapse was started with, even when an
upgrade has replaced or removed the installed ones.
"""

import atexit
import logging
import os
import shutil
import tempfile
from pathlib import Path

logger = logging.getLogger(__name__)

PREFIX = "synapse-module-bridge-"


def copy_host(installed: Path) -> Path:
    """The folder of the copy. Nobody but Synapse's own user may write there. It is removed when Synapse ends."""
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    shutil.copytree(installed, folder / "host")
    return folder / "host"


def remove_host(copied: Path) -> None:
    shutil.rmtree(copied.parent, ignore_errors=True)


def remove_left_behind() -> None:
    """Removes the copies of processes that were killed before they could."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        pid = folder.name.removeprefix(PREFIX).split("-")[0]
        try:
            if pid.isdecimal() and not _is_alive(int(pid)) and folder.stat().st_uid == os.getuid():
                shutil.rmtree(folder, ignore_errors=True)
        except (OSError, OverflowError):
            # Anybody may put a folder of any name there.
            logger.debug("could not look at %s", folder, exc_info=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
