"""Runs one process of Synapse that ends with the process that started it, and notes the port of each listener.

Arguments: the parent's process id, the file for the ports, the port whose listening socket is inherited as
descriptor 3 (or -), the name of Synapse's app, then Synapse's own arguments.
"""

import ctypes
import gc
import importlib
import os
import runpy
import signal
import socket
import sys
import threading
import time
from typing import Any

PR_SET_PDEATHSIG = 1
INHERITED = 3
# How long a Synapse may outlive its parent where the kernel does not tell of the parent's end.
LOOK_SECONDS = 0.5


def end_with(parent: int) -> None:
    """Lets this process be killed when its parent has ended, however that one ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit(1)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


def note_ports(path: str, inherited: int | None) -> None:
    """Writes each port on which Synapse listens without TLS to a line of a file, in the order of the configuration.

    Synapse is configured to listen on port 0, so that no port can be taken by another process meanwhile; but its older
    releases do not tell which port they got. A port that must be known before is listened on already, and is inherited.
    """
    from twisted.internet import tcp  # this does not choose a reactor

    listen: Any = tcp.Port.startListening

    def listen_and_note(port: Any) -> None:
        if inherited is not None and port.port == inherited:
            os.set_inheritable(INHERITED, False)
            port._preexistingSocket = socket.socket(fileno=INHERITED)  # noqa: SLF001 # Twisted's own way for this
        listen(port)
        if type(port.factory).__name__ != "TLSMemoryBIOFactory":
            with open(path, "a", encoding="ascii") as file:
                file.write(f"{port.getHost().port}\n")

    port_class: Any = tcp.Port
    port_class.startListening = listen_and_note


def import_synapse() -> None:
    """Imports most of Synapse without the garbage collector, which would look through all of it again and again."""
    gc.disable()
    try:
        importlib.import_module("synapse.app._base")
    finally:
        gc.enable()


def main() -> None:
    """Does all of it."""
    parent, ports, inherited, app, *arguments = sys.argv[1:]
    end_with(int(parent))
    # As `python -m` has it: this file's folder is no place to import from.
    sys.path[0] = os.getcwd()
    note_ports(ports, None if inherited == "-" else int(inherited))
    import_synapse()
    sys.argv[1:] = arguments
    runpy.run_module(f"synapse.app.{app}", run_name="__main__", alter_sys=True)


main()
