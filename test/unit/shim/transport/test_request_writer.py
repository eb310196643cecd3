"""When requests are sent to Node."""

import os
import select
from collections.abc import Iterator
from typing import Any

import pytest
from synapse_module_bridge.bridge import CLOCK
from synapse_module_bridge.process.child import Child
from synapse_module_bridge.process.logs import LogRelay
from synapse_module_bridge.transport.request_writer import BATCH_BYTES
from turning import reactor, turn_until

SECONDS = 5


@pytest.fixture
def child() -> Iterator[Child]:
    """A process that reads until its input ends; `received` takes what it has read so far."""
    ended: list[str] = []
    child = Child(["cat"], dict(os.environ), lambda *_: None, LogRelay())
    child.attach(reactor, CLOCK, ended.append)
    # The test reads what `cat` gives back, in the place of the reactor.
    child._readers[0].stopReading()
    yield child
    child.close_input()
    child._readers[0].startReading()
    turn_until(lambda: ended)


def received(child: Child) -> bytes:
    """What the process gives back without any turn of the reactor; empty where it was sent nothing."""
    readable, _, _ = select.select([child._stdout], [], [], SECONDS if child.writer.unsent_bytes == 0 else 0.1)
    return os.read(child._stdout, 1_000_000) if readable else b""


def test_a_call_that_is_alone_leaves_at_once(child: Child) -> None:
    child.rpc.request("alone", {})
    assert b'"alone"' in received(child)


def test_calls_beside_others_leave_together_at_the_end_of_the_turn(child: Child) -> None:
    child.rpc.request("first", {})
    assert b'"first"' in received(child)
    child.rpc.request("second", {})
    child.rpc.request("third", {})
    assert received(child) == b""
    turn_until(lambda: child.writer.unsent_bytes == 0)
    together = received(child)
    assert b'"second"' in together and b'"third"' in together


def test_a_burst_begins_to_leave_within_the_turn_that_brings_it(child: Child) -> None:
    for number in range(40):
        child.rpc.request("one of many", {"number": number, "filling": "x" * 1_000})
    assert 0 < child.writer.unsent_bytes <= BATCH_BYTES


def test_a_process_that_does_not_read_is_not_tried_again_and_again(
    child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []
    write = os.write

    def counted(fd: int, data: Any) -> int:
        tried.append(len(data))
        return write(fd, data)

    monkeypatch.setattr(os, "write", counted)
    for number in range(100):
        child.rpc.request("large", {"number": number, "filling": "x" * BATCH_BYTES})
    assert len(tried) < 10
