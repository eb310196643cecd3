"""One Node process, its three pipes, and the one that ends it with us.

In order: it is spawned; the handshake either blocks (while Synapse starts, before its reactor may turn) or not; then
the pipes belong to the reactor; its end is noticed by the end of its output, it is reaped, and `on_end` is told why.
"""

import os
import select
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted.internet import threads
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.process import ProcessReader, ProcessWriter
from twisted.python.failure import Failure

from synapse_module_bridge.answer_reader import CHUNK_BYTES, AnswerReader
from synapse_module_bridge.blocked import Blocked
from synapse_module_bridge.ends import describe_exit
from synapse_module_bridge.exchange import Exchange
from synapse_module_bridge.lifeline import Lifeline
from synapse_module_bridge.logs import LogRelay
from synapse_module_bridge.rpc import Answer, Refuse, RequestHandler, Rpc
from synapse_module_bridge.wire import BrokenStream

# Of what is written in one turn of the reactor: it leaves once it is so much.
BATCH_BYTES = 32 * 1024
# A pipe holds one such chunk, unless somebody else writes to it.
MOST_LAST_CHUNKS = 16
# How long a process that was asked to finish may take to exit once its output has ended.
EXIT_SECONDS = 3.0
# And one that was not: its calls wait meanwhile.
SUDDEN_EXIT_SECONDS = 0.5


class Child:
    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        handle_request: RequestHandler,
        log: LogRelay,
    ) -> None:
        self._lifeline = Lifeline()
        try:
            # subprocess uses vfork; Twisted's spawnProcess would fork all of a big Synapse.
            self._popen = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(env),
                bufsize=0,
                pass_fds=[self._lifeline.their_end],
                # A terminal's Ctrl-C is for Synapse, which then ends the process in order.
                start_new_session=True,
            )
        except BaseException:
            self._lifeline.cut()
            raise
        self._lifeline.tie(self._popen.pid)
        assert self._popen.stdin and self._popen.stdout and self._popen.stderr
        # Twisted closes what it is given: it gets descriptors of its own.
        self._stdin = _take(self._popen.stdin)
        self._stdout = _take(self._popen.stdout)
        self._stderr = _take(self._popen.stderr)
        self._open = {"stdin": self._stdin, "stdout": self._stdout, "stderr": self._stderr}
        # Tells of the input that nobody is left to read it.
        self._input = select.poll()
        self._input.register(self._stdin, 0)
        self._log = log
        self._unsent = bytearray()
        # It may not have read all that was written: `unsent_bytes` tells.
        self.is_behind = False
        self._writer: ProcessWriter | None = None
        self._reading = False
        self._readers: list[ProcessReader] = []
        self._on_end: Callable[[str], None] | None = None
        # Why we ended it, where we did.
        self._cause: str | None = None
        self.stopping = False
        # What it has declared, once it has.
        self.modules: Sequence[Mapping[str, Any]] = ()
        # It has sent something since this was last looked at.
        self.has_spoken = False
        # Told how it is, as it says.
        self.on_pulse: Callable[[Mapping[str, Any]], None] = lambda _: None
        self._handle_request = handle_request
        self.rpc = Rpc(self._unsent.extend, self._requested)

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def has_ended(self) -> bool:
        """Whether the process is dead, also before the reactor has noticed."""
        return self._popen.poll() is not None

    @property
    def is_there(self) -> bool:
        """Whether what is sent now may arrive. One look at the process is for all that is sent together."""
        return "stdin" in self._open and (bool(self.rpc.held) or not self._input.poll(0))

    def _requested(self, method: str, params: Mapping[str, Any], answer: Answer, refuse: Refuse) -> None:
        if method == "pulse":
            self.on_pulse(params)
        else:
            self._handle_request(method, params, answer, refuse)

    def wait_for(self, deferred: "Deferred[Any]", timeout: float) -> Any:
        """Blocks until the Deferred has fired: for the handshake, before Synapse's reactor turns.

        Raises what the Deferred failed with, TimeoutError, or ChildProcessError if the process ended.
        """
        received, logged = self.rpc.data_received, self._log.received
        exchange = Exchange(self._stdin, self._stdout, self._stderr, self._unsent, received, logged)
        try:
            return exchange.until(deferred, timeout)
        except EOFError:
            raise ChildProcessError(describe_exit(self._popen.wait())) from None

    def attach(self, reactor: Any, on_end: Callable[[str], None]) -> None:
        """Hands the pipes to the reactor. `on_end` is called once, with why the process ended."""
        self._on_end = on_end
        self._writer = ProcessWriter(reactor, self, "stdin", self._stdin)
        self._readers = [
            AnswerReader(reactor, self, "stdout", self._stdout),  # type: ignore[no-untyped-call]
            ProcessReader(reactor, self, "stderr", self._stderr),
        ]
        self.rpc.write = self._write
        if self._unsent:
            self._writer.write(bytes(self._unsent))
            self.is_behind = True

    def _write(self, data: bytes) -> None:
        """At once while no other answer is awaited, or when answers have brought it about, which spares a turn of the
        reactor; else together with others.
        """
        assert self._writer is not None
        before = self.unsent_bytes if self.is_behind else 0
        if before == 0 and (self._reading or len(self.rpc.pending) <= 1):
            try:
                sent = os.write(self._stdin, data)
            except OSError:
                sent = 0  # where the pipe is full, or broken, the writer finds out which
            data = data[sent:]
        self.is_behind = bool(data)
        if data:
            self._writer.write(data)
            # Once so much has come together, Node works on it while this turn brings more. Not where Node does not read
            # it, nor where the writer is to close the pipe behind it.
            if before <= BATCH_BYTES < self.unsent_bytes and not self.stopping:
                self._writer.doWrite()

    def childDataReceived(self, name: str, data: bytes) -> None:
        """Twisted calls this with what the process has written."""
        if name == "stderr":
            self._log.received(data)
            return
        self.has_spoken = True
        self._reading = True
        try:
            self.rpc.data_received(data)
        except BrokenStream as e:
            self.kill(f"it broke the stream: {e}")
        finally:
            self._reading = False

    def childConnectionLost(self, name: str, reason: Failure) -> None:
        """Twisted calls this when a pipe has ended, and leaves closing it to us."""
        if name == "stdin":
            # The descriptor's number may soon be that of a client's connection, and ProcessWriter.write would take that
            # out of the reactor: nobody would ever read it again.
            self.rpc.write = _to_nobody
        os.close(self._open.pop(name))
        if name == "stderr":
            self._log.received(b"")
        elif name == "stdout" or not self.stopping:
            self._reap()

    def _reap(self) -> None:
        on_end, self._on_end = self._on_end, None
        if on_end is None:
            return
        reaped = threads.deferToThread(self._wait)
        reaped.addCallback(self._reaped, on_end)

    def _reaped(self, code: int, on_end: Callable[[str], None]) -> None:
        # Its last answers, and its last words.
        self._read_rest("stdout", self._stdout)
        self._read_rest("stderr", self._stderr)
        self._log.ended()
        self._lifeline.cut()
        # Somebody else may hold its output open; and what it has not read, it will not.
        pipes: tuple[Any, ...] = (self._readers[0], self._writer)
        for pipe in pipes:
            if pipe is not None and pipe.connected:
                pipe.connectionLost(Failure(ConnectionDone()))
        was_interrupted = code == -signal.SIGINT and self._log.interrupted
        cause = "it did not answer" if was_interrupted else describe_exit(code)
        on_end(self._log.cause or self._cause or cause)

    def _read_rest(self, name: str, fd: int) -> None:
        for _ in range(MOST_LAST_CHUNKS):
            try:
                data = os.read(fd, CHUNK_BYTES) if name in self._open else b""
            except BlockingIOError:
                return
            if not data:
                return
            self.childDataReceived(name, data)

    def _wait(self) -> int:
        try:
            return self._popen.wait(timeout=EXIT_SECONDS if self.stopping else SUDDEN_EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            self._cause = self._cause or "it closed the wire"
            self._popen.kill()
            return self._popen.wait()

    def close_input(self) -> None:
        """Asks the process to finish: it does when its input ends."""
        self.stopping = True
        if self._writer is not None:
            self._writer.loseConnection()

    def interrupt(self, silent_seconds: float) -> None:
        """Lets Node say where it is, and end: it was started with --trace-sigint."""
        if self._popen.poll() is None:
            self._log.interrupted = Blocked(silent_seconds, self.modules)
            self._popen.send_signal(signal.SIGINT)

    def kill(self, cause: str | None = None) -> None:
        """Ends the process at once, also if a process of its own holds its output open."""
        if self._popen.poll() is None:
            self._cause = self._cause or cause
            self._popen.kill()
        self._reap()

    @property
    def unsent_bytes(self) -> int:
        """What waits for the process to read it."""
        if self._writer is None:
            return len(self._unsent)
        return len(self._writer.dataBuffer) - self._writer.offset + self._writer._tempDataLen

    def kill_and_wait(self) -> None:
        """Ends the process at once: for a failed start, after which Synapse exits without another turn."""
        self.kill()
        self._popen.wait()
        self._lifeline.cut()
        if self._writer is None:
            while self._open:
                os.close(self._open.popitem()[1])


def _to_nobody(frame: bytes) -> None:
    """What is still written to a process that does not read any more."""


def _take(pipe: Any) -> int:
    fd = os.dup(pipe.fileno())
    os.set_blocking(fd, False)
    pipe.close()
    return fd
