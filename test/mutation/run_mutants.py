"""Runs the tests that belong to one Python file against its mutants, and prints what became of each, as JSON lines.

`python run_mutants.py SHARE OF JOB`: each OFth mutant, from the SHAREth on. The job is JSON: `source`, a file below
the current folder; `module`, its name; `tests`, the arguments for pytest.

Each mutant has a process of its own, forked from this one, which has imported what the tests need beside the shim:
that takes seconds. The file is never written: the fork imports the mutant's text in its place.
"""

import gc
import importlib
import json
import os
import resource
import select
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.machinery import ModuleSpec, SourceFileLoader
from math import ceil
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, NoReturn

import hypothesis
import pytest
from mutants import mutants_of

PYTEST = ["-x", "-q", "-c", "python-shim/pyproject.toml", "--rootdir", "."]
# To explain a failure takes longer than most tests.
QUICK = ["--assert=plain", "--tb=native", "-p", "no:cacheprovider", "--disable-plugin-autoload"]
# Tests that take so many times as long as without a mutant hang. Those that wait get more time than those that work,
# since others may work at the same time.
PATIENCE = 5.0
LEAST_SECONDS = 60.0
LEAST_CPU_SECONDS = 3.0
MOST_SECONDS = 600.0


class _Mutated(SourceFileLoader):
    """Gives a text for one module, whatever its file holds."""

    def __init__(self, module: str, source: str, text: str) -> None:
        super().__init__(module, source)
        self._text = text

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        return ModuleSpec(name, self, origin=self.path) if name == self.name else None

    def get_code(self, fullname: str) -> Any:
        return compile(self._text, self.path, "exec")


class Ended(NamedTuple):
    """A fork's exit code, or None if it took too long, and how much of the processor it used."""

    code: int | None
    cpu_seconds: float


def _in_a_fork(
    work: Callable[[], int], seconds: float, cpu_seconds: float = MOST_SECONDS, output: str = os.devnull
) -> Ended:
    """Does it in a process group of its own, which ends with it."""
    child = os.fork()
    if child == 0:
        _work_alone(work, cpu_seconds, output)
    late = False

    def give_up(*_: Any) -> None:
        nonlocal late
        late = True
        os.killpg(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        # Until it is waited for, nobody else has its number.
        os.killpg(child, signal.SIGKILL)
        _, status, usage = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return Ended(None if late or code == -signal.SIGXCPU else code, usage.ru_utime + usage.ru_stime)


def _work_alone(work: Callable[[], int], cpu_seconds: float, output: str) -> NoReturn:
    # Whatever becomes of the work, nothing of this program may go on here.
    code = 70
    try:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CPU, (ceil(cpu_seconds), resource.RLIM_INFINITY))
        for descriptor, path in enumerate((os.devnull, output, output)):
            os.dup2(os.open(path, os.O_RDWR | os.O_APPEND), descriptor)
        _renew_reactor()
        code = work()
    finally:
        os._exit(code)


def _renew_reactor() -> None:
    """What the reactor has of the system it would share with the processes that are forked beside it."""
    if (module := sys.modules.get("twisted.internet.reactor")) is None:
        return
    reactor: Any = module
    if hasattr(reactor, "_poller"):
        reactor._poller = select.epoll()
    reactor._internalReaders.clear()
    reactor._reads.clear()
    reactor._selectables.clear()
    reactor.waker = None
    reactor.installWaker()


def _tests(job: Any, text: str) -> Callable[[], int]:
    def work() -> int:
        # The same examples each time.
        hypothesis.settings.register_profile("mutants", derandomize=True, database=None)
        hypothesis.settings.load_profile("mutants")
        sys.meta_path.insert(0, _Mutated(job["module"], job["source"], text))
        return int(pytest.main([*PYTEST, *QUICK, *job["tests"]]))

    return work


def _import_beforehand(job: Any, source: str) -> None:
    """Imports what the tests import that is neither a test nor of the shim."""
    with tempfile.NamedTemporaryFile("r+") as names:

        def work() -> int:
            code = _tests(job, source)()
            installed = [name for name, module in sys.modules.items() if "site-packages" in str(module)]
            Path(names.name).write_text("\n".join(installed))
            return code

        _expect_to_pass(work)
        wanted = names.read().split("\n")
    for name in wanted:
        with suppress(ImportError):  # some exist only for those who ask otherwise
            importlib.import_module(name)


def _expect_to_pass(work: Callable[[], int]) -> float:
    """How much of the processor it uses."""
    with tempfile.NamedTemporaryFile("r") as output:
        code, cpu_seconds = _in_a_fork(work, MOST_SECONDS, output=output.name)
        if code != 0:
            sys.exit(f"{output.read()}\nthe tests do not pass without a mutant: pytest ended with {code}")
    return cpu_seconds


def main(share: int, of: int, job: Any) -> None:
    sys.path.insert(0, str(Path("python-shim").absolute()))
    # What is imported again and again is compiled once: this is a copy, and nobody minds its caches.
    sys.dont_write_bytecode = False
    source = Path(job["source"]).read_text()
    _import_beforehand(job, source)
    # No collection of garbage in a fork needs to look at what is here.
    gc.freeze()
    began = time.monotonic()
    cpu_seconds = max(LEAST_CPU_SECONDS, PATIENCE * _expect_to_pass(_tests(job, source)))
    seconds = max(LEAST_SECONDS, PATIENCE * (time.monotonic() - began))
    for mutant in mutants_of(source)[share::of]:
        tests = _tests(job, mutant.source)
        code = _in_a_fork(tests, seconds, cpu_seconds).code
        if code is None:
            # All of this may have been stopped meanwhile.
            code = _in_a_fork(tests, seconds, cpu_seconds).code
        outcome = {None: "timeout", 0: "survived"}.get(code, "killed")
        told = {"line": mutant.line, "was": mutant.was, "becomes": mutant.becomes, "outcome": outcome}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    main(int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3]))
