"""How much of Node's answers is read in one turn of the reactor."""

import os
import time

import pytest
from synapse_module_bridge.bridge import CLOCK
from synapse_module_bridge.process.child import Child
from synapse_module_bridge.process.logs import LogRelay
from synapse_module_bridge.transport import answer_reader
from synapse_module_bridge.transport.answer_reader import BURST_CALLS, FEW_BYTES, YIELD_SECONDS
from synapse_module_bridge.transport.framing import encode
from turning import reactor, turn_until


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
        monkeypatch.setattr(answer_reader, "READ_SECONDS", 0)
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
        monkeypatch.setattr(answer_reader, "READ_SECONDS", 60)
        monkeypatch.setattr(answer_reader, "BURST_READ_SECONDS", 0)
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
        monkeypatch.setattr(answer_reader, "BURST_READ_SECONDS", 60)
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
