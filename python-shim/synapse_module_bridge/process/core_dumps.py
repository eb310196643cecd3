"""Keeps a process that is started from leaving a core dump: its memory holds what users and modules keep secret."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# To Linux, one byte means none at all; with zero, it would still hand the memory to a program that collects dumps.
LIMIT = 1


@contextmanager
def no_core_dump() -> Iterator[None]:
    """For what is started meanwhile, which inherits the limit. A function that runs in the child would not be safe in a
    process with threads.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    lowest = LIMIT if hard == resource.RLIM_INFINITY else min(LIMIT, hard)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (lowest, hard))
    try:
        yield
    finally:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
