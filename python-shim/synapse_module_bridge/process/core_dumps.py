"""Starts processes without core dumps, since Node's memory has secrets of users and modules."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# With a limit of 0, Linux still pipes the memory to a program that collects dumps (core(5)); with 1, it does not.
LIMIT = 1


@contextmanager
def no_core_dump() -> Iterator[None]:
    """Lowers this process's limit within the block, for child processes to inherit.

    subprocess's `preexec_fn` would set it in the child alone, but is not safe in a process with threads.
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
