"""Installs a Synapse into a folder of the cache, once, however many processes ask for it at the same time.

Standard input has a JSON object: `folder`, the folder to make; `requirements`, what pip installs; `constraints`, a file
or null; `seconds`, how long pip may take. What happens is told on standard error.
"""

import ctypes
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import venv
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
# How much of pip's output a failure shows.
SHOWN_LINES = 25
# How often a sign of life is shown while pip works.
SIGN_SECONDS = 15


def say(text: str) -> None:
    """Shows a line of progress."""
    print(text, file=sys.stderr, flush=True)


def end_with_parent() -> None:
    """Lets the kernel kill this process when its parent ends (Linux; elsewhere it goes on to its end)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def lock(path: Path) -> Any:
    """Waits for the lock, which ends with this process, however that ends."""
    file = open(path, "w", encoding="ascii")  # noqa: SIM115 # it is open, and locked, until this process ends
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("another process installs it: waiting")
        fcntl.flock(file, fcntl.LOCK_EX)
    return file


def install(order: Any, folder: Path) -> None:
    """Makes the environment in `folder`. Raises CalledProcessError or TimeoutExpired, with what pip has printed."""
    venv.create(folder, with_pip=True, symlinks=True)
    python = str(folder / "bin" / "python")
    chosen = ["-c", order["constraints"]] if order["constraints"] else []
    options = ["--disable-pip-version-check", "--no-input", "--prefer-binary"]
    command = [python, "-m", "pip", "install", *options, *chosen, *order["requirements"]]
    output = folder / "pip.log"
    started = time.monotonic()
    with open(output, "wb") as log:
        pip = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, preexec_fn=end_with_parent
        )
        try:
            while pip.poll() is None:
                try:
                    pip.wait(SIGN_SECONDS)
                except subprocess.TimeoutExpired:
                    spent = time.monotonic() - started
                    if spent > order["seconds"]:
                        raise SystemExit(f"pip did not end within {order['seconds']} s{tail(output)}") from None
                    say(f"still installing ({spent:.0f} s)")
        finally:
            if pip.poll() is None:
                pip.kill()
    if pip.returncode != 0:
        raise SystemExit(f"pip failed{tail(output)}")
    for program in (folder / "bin").iterdir():
        # Their first line names the temporary folder. `python -m` does not need them.
        if not program.name.startswith("python"):
            program.unlink()
    output.unlink()


def remove_broken(folder: Path) -> None:
    """Removes an installation whose Python has gone: it is a link to the one that made it."""
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        say(f"the Python of {folder} has gone: installing again")
        shutil.rmtree(folder)


def tail(path: Path) -> str:
    """The last lines of a file, to be put behind a message."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return ":\n" + "\n".join(f"  {line}" for line in lines[-SHOWN_LINES:])


def main() -> None:
    """Does all of it. What cannot be helped here is told in words."""
    end_with_parent()
    order = json.load(sys.stdin)
    try:
        provide(order)
    except OSError as error:
        cache = Path(order["folder"]).parent
        raise SystemExit(
            f"{error}: the cache {cache} must be writable, with 300 MB free. XDG_CACHE_HOME names another"
        ) from None
    except subprocess.CalledProcessError as error:
        printed = (error.output or b"").decode(errors="replace").splitlines()[-SHOWN_LINES:]
        raise SystemExit(f"{error}" + "".join(f"\n  {line}" for line in printed)) from None


def provide(order: Any) -> None:
    """Installs what is not there. Raises OSError for a folder or a disk that takes nothing."""
    folder = Path(order["folder"])
    folder.parent.mkdir(parents=True, exist_ok=True)
    held = lock(folder.parent / f"{folder.name}.lock")
    if not (folder / "bin" / "python").exists():
        remove_broken(folder)
        started = time.monotonic()
        # Whoever holds the lock is alone: what is left of others was interrupted.
        for old in folder.parent.glob(f"{folder.name}.new-*"):
            shutil.rmtree(old, ignore_errors=True)
        temporary = folder.parent / f"{folder.name}.new-{os.getpid()}"
        say(f"installing {' '.join(order['requirements'])} with Python {sys.version.split()[0]} into {folder}")
        say("this takes about a minute, once")
        try:
            install(order, temporary)
            temporary.rename(folder)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        say(f"installed in {time.monotonic() - started:.0f} s")
    held.close()


main()
