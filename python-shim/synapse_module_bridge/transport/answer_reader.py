"""Reads Node's answers for a bounded time in each turn of the reactor, so that a burst does not block Synapse."""

import os
import time
from typing import Any

from twisted.internet.main import CONNECTION_DONE, CONNECTION_LOST
from twisted.internet.process import ProcessReader

# As much as a pipe of Linux holds.
CHUNK_BYTES = 64 * 1024
# How long answers are read in one turn of the reactor; all else in Synapse waits meanwhile.
READ_SECONDS = 0.003
# Some 16 answers: the clock is read after each chunk of this size.
FEW_BYTES = 2 * 1024
# With so many calls pending, turns are shorter, and this thread releases the interpreter's lock after each. Other
# threads would wait 5 ms for it each time, and the database threads of a single request need it a hundred times: such a
# request would take as long as the burst. With fewer calls pending, the release costs more than it gains.
BURST_CALLS = 100
BURST_READ_SECONDS = 0.001
YIELD_SECONDS = 0.0001


class AnswerReader(ProcessReader):
    """Reads the child's standard output; Twisted's `proc` is the Child."""

    def doRead(self) -> Any:
        """Twisted calls this when there is something to read. Returns None, or why the connection has ended."""
        is_burst = len(self.proc.rpc.pending) >= BURST_CALLS
        until = time.monotonic() + (BURST_READ_SECONDS if is_burst else READ_SECONDS)
        while True:
            wanted = min(CHUNK_BYTES, max(FEW_BYTES, self.proc.rpc.frames.missing_bytes))
            try:
                data = os.read(self.fd, wanted)
            except (BlockingIOError, InterruptedError):
                return None
            except OSError:
                return CONNECTION_LOST
            if not data:
                return CONNECTION_DONE
            self.proc.childDataReceived(self.name, data)
            if time.monotonic() >= until:
                if is_burst:
                    time.sleep(YIELD_SECONDS)
                return None
            # Not connected: the process was killed for what it sent.
            if len(data) < wanted or not self.connected:
                return None
