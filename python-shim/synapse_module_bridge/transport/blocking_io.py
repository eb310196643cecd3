"""Exchanges bytes with a process and blocks meanwhile: for the handshake, before Synapse's reactor runs."""

import os
import selectors
import time
from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from synapse_module_bridge.transport.answer_reader import CHUNK_BYTES


class BlockingIO:
    """Uses the process's pipes, by their descriptors.

    `unsent` is sent, and emptied. `received` gets what arrives on `stdout`; `logs` has for each of the other pipes the
    function that gets what arrives there, and empty bytes once it ends.
    """

    def __init__(
        self,
        stdin: int,
        stdout: int,
        unsent: bytearray,
        received: Callable[[bytes], None],
        logs: Mapping[int, Callable[[bytes], None]],
    ) -> None:
        self._stdin, self._stdout = stdin, stdout
        self._unsent = unsent
        self._received = received
        self._logs = logs

    def until(self, deferred: "Deferred[Any]", timeout: float) -> Any:
        """Blocks until the Deferred has fired, and returns its result.

        Raises the exception that it failed with; TimeoutError after `timeout` seconds; EOFError where `stdout` ends.
        """
        outcome: list[Any] = []
        deferred.addBoth(outcome.append)
        until = time.monotonic() + timeout
        with selectors.DefaultSelector() as selector:
            selector.register(self._stdout, selectors.EVENT_READ)
            for fd in self._logs:
                selector.register(fd, selectors.EVENT_READ)
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
        if fd in self._logs:
            self._logs[fd](data)
            if not data:
                selector.unregister(fd)
        elif data:
            self._received(data)
        else:
            raise EOFError
