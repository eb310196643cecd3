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
# Amid a burst of so many calls, turns are shorter, and other threads get the interpreter after each. They would have to
# wait 5 ms each time that they want it, and the database threads of one client's request want it a hundred times: it
# would take as long as the burst. With fewer calls, it would cost more than it gives.
BURST_CALLS = 100
BURST_TURN_SECONDS = 0.001
YIELD_SECONDS = 0.0001


class AnswerReader(ProcessReader):
    """`proc` is the Child."""

    def doRead(self) -> Any:
        is_burst = len(self.proc.rpc.pending) >= BURST_CALLS
        until = time.monotonic() + (BURST_TURN_SECONDS if is_burst else TURN_SECONDS)
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
            # The process may have been given up for what it sent.
            if len(data) < wanted or not self.connected:
                return None
