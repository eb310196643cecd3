"""Sends to a process and receives from it, blocking: for the handshake, before Synapse's reactor turns."""

import os
import selectors
import time
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from synapse_module_bridge.answer_reader import CHUNK_BYTES


class Exchange:
    """Over the process's three pipes. `unsent` is what it is to get; `received` and `logged` get what it writes."""

    def __init__(
        self,
        stdin: int,
        stdout: int,
        stderr: int,
        unsent: bytearray,
        received: Callable[[bytes], None],
        logged: Callable[[bytes], None],
    ) -> None:
        self._stdin, self._stdout, self._stderr = stdin, stdout, stderr
        self._unsent = unsent
        self._received = received
        self._logged = logged

    def until(self, deferred: "Deferred[Any]", timeout: float) -> Any:
        """Blocks until the Deferred has fired.

        Raises what it failed with, TimeoutError, or EOFError once the process's output, and its log, have ended.
        """
        outcome: list[Any] = []
        deferred.addBoth(outcome.append)
        until = time.monotonic() + timeout
        with selectors.DefaultSelector() as selector:
            selector.register(self._stdout, selectors.EVENT_READ)
            selector.register(self._stderr, selectors.EVENT_READ)
            selector.register(self._stdin, selectors.EVENT_WRITE)
            while not outcome:
                if time.monotonic() >= until:
                    raise TimeoutError
                for key, _ in selector.select(until - time.monotonic()):
                    if key.fd == self._stdin:
                        self._send_some(selector)
                    else:
                        self._receive_some(selector, key.fd)
        if isinstance(outcome[0], Failure):
            outcome[0].raiseException()
        return outcome[0]

    def _send_some(self, selector: selectors.BaseSelector) -> None:
        try:
            sent = os.write(self._stdin, self._unsent[:CHUNK_BYTES])
        except BrokenPipeError:
            sent = len(self._unsent)
        del self._unsent[:sent]
        if not self._unsent:
            selector.unregister(self._stdin)

    def _receive_some(self, selector: selectors.BaseSelector, fd: int) -> None:
        data = os.read(fd, CHUNK_BYTES)
        if fd == self._stderr:
            self._logged(data)
            if not data:
                selector.unregister(fd)
        elif data:
            self._received(data)
        else:
            self._drain_log()
            raise EOFError

    def _drain_log(self) -> None:
        while data := os.read(self._stderr, CHUNK_BYTES):
            self._logged(data)
