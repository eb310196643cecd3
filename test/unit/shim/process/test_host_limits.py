"""Limits of a machine or a service that keep Node from starting: the last line says which one, and what to do."""

import ctypes
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import real_host
from observed import observed

HELPERS = Path(real_host.__file__).parent
PR_SET_MDWE = 65
SOMEBODY = 54_321
PROGRAM = "import sys, real_host as r; from pathlib import Path; print(r.problem_with(r.SOUND, Path(sys.argv[1]), 8))"


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that any user can write to."""
    made = Path(tempfile.mkdtemp())
    made.chmod(0o777)
    yield made
    shutil.rmtree(made)


def last_line(folder: Path, limit: Callable[[], object], wrapper: tuple[str, ...] = ()) -> str:
    """What a start of the host says, in a process that limits itself first."""
    done = subprocess.run(
        [*wrapper, sys.executable, "-c", PROGRAM, str(folder)],
        env={**os.environ, "PYTHONPATH": str(HELPERS)},
        preexec_fn=limit,
        capture_output=True,
        text=True,
        timeout=90,
    )
    said = (done.stdout.strip() or done.stderr.strip()).splitlines()
    return said[-1] if said else "nothing"


def test_too_little_address_space(folder: Path) -> None:
    limit = 600_000_000
    said = last_line(folder, lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
    assert said.startswith("the address space of this process is limited to 0.6 GB (RLIMIT_AS: LimitAS= in"), said
    observed(60, "the limit of the address space", on="the start")


def forbid_executable_memory() -> None:
    if ctypes.CDLL(None).prctl(PR_SET_MDWE, 1, 0, 0, 0) != 0:
        os._exit(77)


def test_memory_that_must_not_be_made_executable(folder: Path) -> None:
    if subprocess.run(["true"], preexec_fn=forbid_executable_memory).returncode != 0:
        pytest.skip("this kernel cannot forbid it")
    said = last_line(folder, forbid_executable_memory)
    assert said.startswith("Node cannot run where memory must not be made executable (MemoryDenyWriteExecute="), said
    assert "NODE_OPTIONS=--jitless" in said
    observed(60, "the setting that forbids executable memory", on="the start")


def forbid_a_system_call() -> None:
    """Ends who makes it, as systemd's filter does. libuv makes it for each event loop."""
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    allow, kill_process = 0x7FFF0000, 0x80000000
    rules = ctypes.c_void_p(library.seccomp_init(allow))
    number = library.seccomp_syscall_resolve_name(b"eventfd2")
    if library.seccomp_rule_add(rules, kill_process, number, 0) != 0 or library.seccomp_load(rules) != 0:
        os._exit(77)


def test_a_system_call_that_is_forbidden(folder: Path) -> None:
    try:
        ctypes.CDLL("libseccomp.so.2")
    except OSError:
        pytest.skip("the library that systemd filters system calls with is missing")
    said = last_line(folder, forbid_a_system_call)
    assert said.startswith("Node has made a system call that is forbidden (SystemCallFilter= in systemd)"), said


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a user of its own")
@pytest.mark.parametrize("most", [1, 2, 5, 8])
def test_too_few_threads(folder: Path, most: int) -> None:
    wrapper = ("prlimit", f"--nproc={most}", "setpriv", f"--reuid={SOMEBODY}", "--clear-groups")
    said = last_line(folder, lambda: None, wrapper)
    assert re.search(r"only \d more threads or processes can be started, and Node needs 10: raise the limit", said), (
        said
    )
    observed(60, "how many threads can be started", on="the start")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a mount namespace")
def test_no_proc(folder: Path) -> None:
    script = 'mount --make-rprivate / && umount -l /proc && exec "$@"'
    said = last_line(folder, lambda: None, ("unshare", "-m", "sh", "-c", script, "sh"))
    assert said.endswith(
        "the host cannot start: there is no /proc, through which the host opens its pipes again: mount it"
    )
    observed(60, "that there is no /proc", on="the start")
