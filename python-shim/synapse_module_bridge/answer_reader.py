"""Reads what Node answers for a short while in each turn of the reactor, so that a burst leaves others their turn."""

import os
import time
from typing import Any

from twisted.internet.main import CONNECTION_DONE, CONNECTION_LOST
from twisted.internet.process import ProcessReader

CHUNK_BYTES = 64 * 1024
# How long answers are read in one turn of the reactor, and how much between two looks at the clock: some 16 answers.
TURN_SECONDS = 0.003
FEW_BYTES = 2 * 1024
# What other threads then get of the interpreter, amid a burst of so many calls. They would have to wait 5 ms each time
# that they want it, and the database threads of one client's request want it a hundred times: it would take as long as
# the burst. With fewer calls, it would cost more than it gives.
YIELD_SECONDS = 0.0002
BURST_CALLS = 100


class AnswerReader(ProcessReader):
    """`proc` is the Child."""

    def doRead(self) -> Any:
        until = time.monotonic() + TURN_SECONDS
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
                if len(self.proc.rpc.pending) >= BURST_CALLS:
                    time.sleep(YIELD_SECONDS)
                return None
            # The process may have been given up for what it sent.
            if len(data) < wanted or not self.connected:
                return None
