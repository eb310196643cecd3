"""Writes requests to Node: at once while it has nothing else to do, and otherwise those of one reactor turn together.

It is the counterpart of answer_reader.py, and works on Twisted's writer of a child's standard input.
"""

import os
from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.process import ProcessWriter
from twisted.python.failure import Failure

from synapse_module_bridge.transport.rpc import Rpc

# Requests of one turn of the reactor are sent before its end once they are so many bytes.
BATCH_BYTES = 32 * 1024


class RequestWriter:
    """Writes to `stdin`, a descriptor that does not block."""

    def __init__(self, stdin: int) -> None:
        self._stdin = stdin
        # What the handshake sends, until the reactor has the descriptor.
        self.unsent = bytearray()
        # Whether `unsent_bytes` may be more than 0.
        self.is_behind = False
        # Whether Node's messages are being handled.
        self.is_handling_answers = False
        self._rpc: Rpc | None = None
        self._writer: ProcessWriter | None = None
        self._is_closing = False

    def attach(self, reactor: Any, process: Any, rpc: Rpc) -> None:
        """Hands the descriptor to the reactor. `rpc` writes here from now on; Twisted tells `process` of its end."""
        self._rpc = rpc
        self._writer = ProcessWriter(reactor, process, "stdin", self._stdin)
        rpc.write = self._write
        if self.unsent:
            self._writer.write(bytes(self.unsent))
            self.is_behind = True

    @property
    def unsent_bytes(self) -> int:
        """How many bytes wait until Node reads its input."""
        if self._writer is None:
            return len(self.unsent)
        return len(self._writer.dataBuffer) - self._writer.offset + self._writer._tempDataLen

    def _write(self, data: bytes) -> None:
        """Sends at once while no other request is open, or while answers are being handled: that saves a turn of the
        reactor. Otherwise, what one turn brings is sent together.
        """
        assert self._writer is not None and self._rpc is not None
        before = self.unsent_bytes if self.is_behind else 0
        if before == 0 and (self.is_handling_answers or len(self._rpc.pending) <= 1):
            try:
                sent = os.write(self._stdin, data)
            except OSError:
                sent = 0  # the pipe is full or broken: the writer finds out which
            data = data[sent:]
        self.is_behind = bool(data)
        if data:
            self._writer.write(data)
            # Node can work on a full batch while this turn brings more. Not where Node does not read, nor where the
            # writer is going to close the pipe after the last byte.
            if before <= BATCH_BYTES < self.unsent_bytes and not self._is_closing:
                self._writer.doWrite()

    def close(self) -> None:
        """Closes the pipe once all is sent."""
        self._is_closing = True
        if self._writer is not None:
            self._writer.loseConnection()

    def lost(self) -> None:
        """Twisted has given up the descriptor, or nothing reads from it: what is still written is dropped."""
        if self._rpc is not None:
            # A client's connection may get the same descriptor soon. ProcessWriter.write would remove that from the
            # reactor, and nothing would read it any more.
            self._rpc.write = _drop

    def let_go(self) -> None:
        """Ends the pipe without sending the rest: the process has ended."""
        if self._writer is not None and self._writer.connected:
            self._writer.connectionLost(Failure(ConnectionDone()))


def _drop(frame: bytes) -> None:
    pass
