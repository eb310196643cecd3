"""What leaves for Node when, and how much of what comes from it is taken in one turn of the reactor."""

import os
import select
import time
from collections.abc import Iterator
from typing import Any

import pytest
from synapse_module_bridge.bridge import CLOCK
from synapse_module_bridge.process.child import Child
from synapse_module_bridge.process.logs import LogRelay
from synapse_module_bridge.transport import answer_reader
from synapse_module_bridge.transport.answer_reader import BURST_CALLS, FEW_BYTES, YIELD_SECONDS
from synapse_module_bridge.transport.framing import encode
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
    readable, _, _ = select.select([child._stdout], [], [], SECONDS if child.unsent_bytes == 0 else 0.1)
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
    turn_until(lambda: child.unsent_bytes == 0)
    together = received(child)
    assert b'"second"' in together and b'"third"' in together


def test_a_burst_begins_to_leave_within_the_turn_that_brings_it(child: Child) -> None:
    for number in range(40):
        child.rpc.request("one of many", {"number": number, "filling": "x" * 1_000})
    assert 0 < child.unsent_bytes <= BATCH_BYTES


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


def test_a_turn_takes_answers_for_a_short_while_and_of_a_large_one_all_that_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken: list[bytes] = []
    child = Child(["sleep", "60"], dict(os.environ), lambda *_: None, LogRelay())
    child.attach(reactor, CLOCK, lambda _: None)
    [reader, *_] = child._readers
    reader.stopReading()
    answers, into = os.pipe()
    os.set_blocking(into, False)
    own, reader.fd = reader.fd, answers
    try:
        monkeypatch.setattr(answer_reader, "TURN_SECONDS", 0)
        pauses: list[float] = []
        monkeypatch.setattr(time, "sleep", pauses.append)
        small = encode({"jsonrpc": "2.0", "id": 1, "result": None})
        data_received = child.rpc.data_received

        def seen(data: bytes) -> None:
            taken.append(data)
            data_received(data)

        child.rpc.data_received = seen  # type: ignore[method-assign]
        os.write(into, small * 200)
        reader.doRead()
        assert [len(data) for data in taken] == [FEW_BYTES]
        assert pauses == []
        for number in range(BURST_CALLS + 1):
            child.rpc.request("one of many", {"number": number})
        monkeypatch.setattr(answer_reader, "TURN_SECONDS", 60)
        monkeypatch.setattr(answer_reader, "BURST_TURN_SECONDS", 0)
        reader.doRead()
        # Amid a burst, a turn is used up sooner, and then lets other threads run.
        assert [len(data) for data in taken] == [FEW_BYTES] * 2
        assert pauses == [YIELD_SECONDS]
        while sum(map(len, taken)) < 200 * len(small):
            reader.doRead()
        taken.clear()
        os.write(into, encode({"jsonrpc": "2.0", "id": 2, "result": "x" * 30_000}))
        reader.doRead()
        reader.doRead()
        assert [len(data) for data in taken] == [FEW_BYTES, pytest.approx(28_000, abs=200)]
        monkeypatch.setattr(answer_reader, "BURST_TURN_SECONDS", 60)
        taken.clear()
        pauses.clear()
        os.write(into, small * 200)
        reader.doRead()
        assert len(taken) > 1 and pauses == []
    finally:
        reader.fd = own
        for fd in (answers, into):
            os.close(fd)
        child.kill()
        turn_until(lambda: not child._open)
