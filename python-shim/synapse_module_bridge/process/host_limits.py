"""Finds the limit of the machine or the service that kept Node from starting, and names the remedy."""

import errno
import resource
import threading
from collections.abc import Iterable

from synapse_module_bridge.schema.protocol import CAUSES

# Node itself, V8's workers and watchdogs, libuv's pool.
THREADS = 10
GIGABYTE = 1e9
# V8 reserves less than this for code and heap; how much depends on its version.
ENOUGH_ADDRESS_SPACE = 8 * GIGABYTE
# What V8 prints before it traps.
_NO_MEMORY_TO_RESERVE = ("virtual memory", "Fatal process OOM", "Fatal process out of memory")
_NO_EXECUTABLE_MEMORY = ("Check failed: 12 ==", "OS::SetPermissions")
_CRASHES = ("killed by SIGABRT", "killed by SIGTRAP", "killed by SIGILL", "killed by SIGSEGV", CAUSES["memory"])


def find_limit(cause: str, said: Iterable[str]) -> str | None:
    """The limit and the remedy, for a Node that ended with `cause` and has printed the lines `said`; or None."""
    text = "\n".join(said)
    if cause.startswith("killed by SIGSYS"):
        return (
            "Node has made a system call that is forbidden (SystemCallFilter= in systemd): allow it; some Nodes need "
            "SystemCallFilter=@pkey besides @system-service"
        )
    if not cause.startswith(_CRASHES):
        return None
    if any(words in text for words in _NO_EXECUTABLE_MEMORY):
        return (
            "Node cannot run where memory must not be made executable (MemoryDenyWriteExecute= in systemd): take that "
            "out of Synapse's unit; or let Node go without its compiler, which makes it slower and takes `fetch` and "
            "WebAssembly away: NODE_OPTIONS=--jitless in Synapse's environment, and `env: [NODE_OPTIONS]` here"
        )
    space = resource.getrlimit(resource.RLIMIT_AS)[0]
    if any(words in text for words in _NO_MEMORY_TO_RESERVE) or 0 <= space < ENOUGH_ADDRESS_SPACE:
        limited = f"is limited to {space / GIGABYTE:.1f} GB" if space >= 0 else "is used up"
        return (
            f"the address space of this process {limited} (RLIMIT_AS: LimitAS= in systemd, ulimit -v), and Node "
            "reserves more than it uses: lift that limit; `memory` limits Node's heap"
        )
    return too_few_threads()


def find_limit_of_start(error: OSError) -> str | None:
    """The same where the operating system refused to start the process."""
    return too_few_threads() if error.errno == errno.EAGAIN else None


def too_few_threads() -> str | None:
    """The limit and the remedy where the threads that Node needs cannot be started now, which is tried; else None."""
    done = threading.Event()
    started: list[threading.Thread] = []
    try:
        for _ in range(THREADS):
            thread = threading.Thread(target=done.wait)
            thread.start()
            started.append(thread)
    except RuntimeError:
        return (
            f"only {len(started)} more threads or processes can be started, and Node needs {THREADS}: raise the limit "
            "(RLIMIT_NPROC: LimitNPROC= in systemd, ulimit -u, for all processes of this user; or TasksMax= in systemd)"
        )
    finally:
        done.set()
        for thread in started:
            thread.join()
    return None
