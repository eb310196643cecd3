"""Starting the host: small programs that misbehave in its place, each one way."""

import os
import sys
import textwrap
from typing import Any

import pytest
from observed import observed
from synapse_module_bridge.process.node import find_node
from synapse_module_bridge.process.spawn import RECORDS
from synapse_module_bridge.schema.catalogue import DIGEST
from synapse_module_bridge.schema.installed import HOST_FOLDER
from synapse_module_bridge.schema.protocol import PROTOCOL
from synapse_module_bridge.schema.startup_problems import StartupProblem, StartupProblems
from synapse_module_bridge.supervision.host_events import HostEvents
from synapse_module_bridge.supervision.supervisor import Supervisor
from twisted.internet.task import Clock

PRELUDE = """
import json, os, signal, sys, time
def read():
    header = b""
    while not header.endswith(b"\\r\\n\\r\\n"):
        header += os.read(0, 1)
    length, body = int(header.split(b":")[1]), b""
    while len(body) < length:
        body += os.read(0, length - len(body))
    return json.loads(body)
def answer(result):
    body = json.dumps({"jsonrpc": "2.0", "id": read()["id"], "result": result}).encode()
    data = b"Content-Length: %d\\r\\n\\r\\n%s" % (len(body), body)
    while data:
        data = data[os.write(1, data):]
GOOD = {"modules": [], "faults": [], "runtime": "fake"}
"""


@pytest.fixture
def start(request: pytest.FixtureRequest) -> Any:
    """Starts a host that runs some Python, and gives what it declares. Afterwards no process may be left."""
    children: list[Any] = []

    def run(program: str, initialize: Any = None, seconds: float = 10) -> Any:
        code = PRELUDE + textwrap.dedent(program)
        host = Supervisor(
            reactor=Clock(),
            clock=Clock(),
            command=lambda: [sys.executable, "-S", "-c", code],
            env={},
            initialize=lambda _: initialize or {},
            start_timeout=seconds,
            handle_request=lambda *_: None,
            events=HostEvents(),
        )
        spawn = host._spawn
        host._spawn = lambda initialize: children.append(spawn(initialize)) or children[-1]  # type: ignore[func-returns-value,method-assign]
        try:
            return host.start()
        finally:
            host.abandon()

    yield run
    for child in children:
        with pytest.raises(ProcessLookupError):
            os.kill(child.pid, 0)


def test_a_host_that_answers_is_taken(start: Any) -> None:
    assert start("answer(GOOD)")["runtime"] == "fake"


def test_a_host_that_logs_more_than_a_pipe_holds_before_it_answers_is_taken(start: Any) -> None:
    assert start(
        "os.write(2, b'x' * 1000 + b'\\n'); [os.write(2, b'y' * 9999 + b'\\n') for _ in range(100)]; answer(GOOD)"
    )


def test_a_request_larger_than_a_pipe_reaches_a_host_that_reads_late(start: Any) -> None:
    initialize = {"modules": [{"config": "x" * 1_000_000}]}
    program = "time.sleep(0.2); r = read(); sys.exit(0 if len(r['params']['modules'][0]['config']) == 1_000_000 else 9)"
    with pytest.raises(StartupProblem, match=r"exit code 0"):
        start(program, initialize)


def test_an_answer_larger_than_a_pipe_is_taken(start: Any) -> None:
    assert len(start("answer({**GOOD, 'runtime': 'x' * 1_000_000})")["runtime"]) == 1_000_000


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("sys.exit(3)", "exit code 3"),
        ("read(); sys.exit(3)", "exit code 3"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "killed by SIGKILL"),
        ("os.write(1, b'hello, world\\n' * 100); time.sleep(60)", "does not speak the protocol"),
        ("os.write(1, b'Content-Length: 3\\r\\n\\r\\n{{{'); time.sleep(60)", "does not speak the protocol"),
        ("os.write(1, b'Content-Length: 999999999999\\r\\n\\r\\n'); time.sleep(60)", "does not speak the protocol"),
        ("answer([]); time.sleep(60)", "is not an object"),
        ("answer({}); time.sleep(60)", "has no list of faults"),
    ],
)
def test_a_host_that_fails_is_told_and_ended(start: Any, program: str, words: str) -> None:
    with pytest.raises(StartupProblem) as raised:
        start(program)
    assert words in str(raised.value)
    observed(5, str(raised.value), on="the start")


def test_a_host_that_never_answers_is_ended_after_start_timeout(start: Any) -> None:
    with pytest.raises(StartupProblem, match=r"config\.start_timeout: the module host has said nothing within 0\.3 s"):
        start("read(); time.sleep(60)", seconds=0.3)
    observed(5, "a fault that names start_timeout", on="the start")


def test_faults_of_modules_are_told_with_their_paths(start: Any) -> None:
    faults = [{"path": ["modules", 0, "path"], "message": "no such\nfile"}, {"path": [], "message": "b"}]
    with pytest.raises(StartupProblems) as raised:
        start(f"answer({{**GOOD, 'faults': {faults!r}}})")
    assert [str(fault) for fault in raised.value.faults] == ["config.modules[0].path: no such file", "config: b"]


def test_a_program_that_cannot_be_run_is_a_fault() -> None:
    host = Supervisor(
        Clock(), Clock(), lambda: ["/nonexistent/node"], {}, lambda _: {}, 1, lambda *_: None, HostEvents()
    )
    with pytest.raises(StartupProblem, match=r"config\.node: cannot start /nonexistent/node: No such file"):
        host.start()


def test_a_host_of_another_protocol_version_is_a_fault_that_names_both() -> None:
    command = [find_node(None), str(HOST_FOLDER / "cli.mjs"), "host", "--records", RECORDS]
    initialize = {"protocol": PROTOCOL + 1, "version": "9.9.9", "catalogue": DIGEST, "synapse": {}, "modules": []}
    host = Supervisor(Clock(), Clock(), lambda: command, {}, lambda _: initialize, 30, lambda *_: None, HostEvents())
    words = rf"the shim \(9\.9\.9, protocol {PROTOCOL + 1}\) has started a host .* protocol {PROTOCOL}\): install"
    with pytest.raises(StartupProblem, match=words):
        host.start()
    observed(2, "a fault that names both versions", on="real host")
