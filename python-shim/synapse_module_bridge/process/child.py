"""One Node process, its four pipes, and the one that ends it with us.

In order: it is spawned; the handshake either blocks (while Synapse starts, before its reactor may turn) or not; then
the pipes belong to the reactor; its end is noticed by the end of its output, it is reaped, and `on_end` is told why.
"""

import os
import select
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.process import ProcessReader, ProcessWriter
from twisted.python.failure import Failure

from synapse_module_bridge.process.exit_cause import describe_exit
from synapse_module_bridge.process.logs import LogRelay
from synapse_module_bridge.process.reaping import kill_all, when_exited
from synapse_module_bridge.process.spawn import close_all, killed, spawn
from synapse_module_bridge.process.stall_trace import StallTrace
from synapse_module_bridge.reactor.unexpected import contained, log_unexpected
from synapse_module_bridge.schema.protocol import CAUSES, fits, method_name
from synapse_module_bridge.telemetry.log_levels import LogLevels
from synapse_module_bridge.telemetry.log_text import one_line
from synapse_module_bridge.transport.answer_reader import CHUNK_BYTES, AnswerReader
from synapse_module_bridge.transport.blocking_io import BlockingIO
from synapse_module_bridge.transport.framing import BrokenStream
from synapse_module_bridge.transport.rpc import Answer, Refuse, RequestHandler, Rpc

_PULSE = method_name("pulse")
_LOADING = method_name("loading")
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
        spawned = spawn(command, env)
        self._popen, self._lifeline, self._open = spawned.popen, spawned.lifeline, spawned.pipes
        self._stdin, self._stdout = self._open["stdin"], self._open["stdout"]
        self._stderr, self._records = self._open["stderr"], self._open["records"]
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
        # The module that it loads, as its place in the configuration and its name; all that it has begun to load.
        self.loading: tuple[int, str] | None = None
        self.begun: dict[int, str] = {}
        # What it was told first.
        self.told: Mapping[str, Any] = {}
        # The modules whose setup has not succeeded, as it has said last.
        self.not_set_up: Sequence[str] = ()
        # What it has declared, once it has.
        self.modules: Sequence[Mapping[str, Any]] = ()
        # It has sent something since this was last looked at.
        self.has_spoken = False
        # Told how it is, as it says.
        self.on_pulse: Callable[[Mapping[str, Any]], None] = lambda _: None
        self._handle_request = handle_request
        self.rpc = Rpc(self._unsent.extend, self._requested)
        self._log_levels = LogLevels(self.rpc.notify)

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def culprit(self) -> str | None:
        """The module that has ended it, as far as its last words tell."""
        return self._log.culprit

    @property
    def has_ended(self) -> bool:
        """Whether the process is dead, also before the reactor has noticed."""
        return self._popen.poll() is not None

    @property
    def is_there(self) -> bool:
        """Whether what is sent now may arrive. One look at the process is for all that is sent together."""
        return "stdin" in self._open and (bool(self.rpc.held) or not self._input.poll(0))

    def _requested(self, method: str, params: Mapping[str, Any], answer: Answer, refuse: Refuse) -> None:
        if method == _PULSE:
            self._log.turn()
            self._log_levels.tell(self.modules)
            if fits("Pulse", params):
                self.on_pulse(params)
        elif method == _LOADING:
            if fits("Loading", params):
                self._loads(params["index"], params["name"])
        else:
            self._handle_request(method, params, answer, refuse)

    def _loads(self, index: int, name: str) -> None:
        self.loading = (index, one_line(name))
        self.begun[index] = name

    @property
    def last_lines(self) -> Sequence[str]:
        """What it has printed last on standard error."""
        return self._log.last_lines

    def wait_for(self, deferred: "Deferred[Any]", timeout: float) -> Any:
        """Blocks until the Deferred has fired: for the handshake, before Synapse's reactor turns.

        Raises what the Deferred failed with, TimeoutError, or ChildProcessError if the process ended.
        """
        logs = {self._stderr: self._log.received, self._records: self._log.received_records}
        exchange = BlockingIO(self._stdin, self._stdout, self._unsent, self.rpc.data_received, logs)
        try:
            return exchange.until(deferred, timeout)
        except EOFError:
            code = self._wait()
            # Its last words: all of them are in the pipe, which others may hold open.
            self.read_last_words(code)
            raise ChildProcessError(self._why(code)) from None

    def attach(self, reactor: Any, clock: Any, on_end: Callable[[str], None]) -> None:
        """Hands the pipes to the reactor. `on_end` is called once, with why the process ended."""
        self._clock, self._on_end = clock, on_end
        self._writer = ProcessWriter(reactor, self, "stdin", self._stdin)
        self._readers = [
            AnswerReader(reactor, self, "stdout", self._stdout),  # type: ignore[no-untyped-call]
            ProcessReader(reactor, self, "stderr", self._stderr),
            ProcessReader(reactor, self, "records", self._records),
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
        """Twisted calls this with what the process has written. It would drop a reader that raises."""
        if name in ("stderr", "records"):
            heard = self._log.received if name == "stderr" else self._log.received_records
            contained("reading the host's log", lambda: heard(data), None)
            return
        self.has_spoken = True
        self._reading = True
        try:
            self.rpc.data_received(data)
        except BrokenStream as e:
            self.kill(f"{CAUSES['broken']}: {e}")
        except Exception as e:
            log_unexpected("reading what the host sends", e)
            self.kill(CAUSES["broken"])
        finally:
            self._reading = False

    def childConnectionLost(self, name: str, reason: Failure) -> None:
        """Twisted calls this when a pipe has ended, and leaves closing it to us."""
        if name == "stdin":
            # The descriptor's number may soon be that of a client's connection, and ProcessWriter.write would take that
            # out of the reactor: nobody would ever read it again.
            self.rpc.write = _to_nobody
        os.close(self._open.pop(name))
        if name in ("stderr", "records"):
            self.childDataReceived(name, b"")
        elif name == "stdout" or not self.stopping:
            self._reap()

    def _reap(self) -> None:
        on_end, self._on_end = self._on_end, None
        if on_end is None:
            return
        seconds = EXIT_SECONDS if self.stopping else SUDDEN_EXIT_SECONDS
        when_exited(self._popen, self._clock, seconds, self._is_overdue, lambda code: self._reaped(code, on_end))

    def _is_overdue(self) -> None:
        self._cause = self._cause or "it closed the wire"

    def _reaped(self, code: int | None, on_end: Callable[[str], None]) -> None:
        # Nothing that it leaves behind may keep its end from being told.
        contained("reading the host's last words", lambda: self._read_last(code), None)
        contained("letting go of the host's pipes", self._let_go, None)
        loading = f" while it loaded {self.loading[1]}" if self.loading is not None else ""
        on_end(self._why(code) + loading)

    def _read_last(self, code: int | None) -> None:
        self._read_rest("stdout", self._stdout)
        self.read_last_words(code)

    def read_last_words(self, code: int | None) -> None:
        """Logs what it has said and nobody has read."""
        self._read_rest("records", self._records)
        self._read_rest("stderr", self._stderr)
        self._log.ended(code, self.pid)

    def _let_go(self) -> None:
        self._lifeline.cut()
        # Somebody else may hold its output open; and what it has not read, it will not.
        pipes: tuple[Any, ...] = (self._readers[0], self._writer)
        for pipe in pipes:
            if pipe is not None and pipe.connected:
                pipe.connectionLost(Failure(ConnectionDone()))

    def _why(self, code: int | None) -> str:
        was_interrupted = code == -signal.SIGINT and self._log.interrupted
        left = "it could not be killed" if code is None else describe_exit(code)
        cause = CAUSES["silent"] if was_interrupted else left
        return self._log.cause or self._cause or cause

    def _read_rest(self, name: str, fd: int) -> None:
        for _ in range(MOST_LAST_CHUNKS):
            try:
                data = os.read(fd, CHUNK_BYTES) if name in self._open else b""
            except OSError:
                return
            if not data:
                return
            self.childDataReceived(name, data)

    def _wait(self) -> int | None:
        """Blocks: for a start that fails."""
        with suppress(subprocess.TimeoutExpired):
            return self._popen.wait(timeout=SUDDEN_EXIT_SECONDS)
        self._is_overdue()
        kill_all(self._popen)
        return killed(self._popen)

    def close_input(self) -> None:
        """Asks the process to finish: it does when its input ends."""
        self.stopping = True
        if self._writer is not None:
            self._writer.loseConnection()

    def interrupt(self, silent_seconds: float) -> None:
        """Lets Node say where it is, and end: it was started with --trace-sigint."""
        if self._popen.poll() is None:
            self._log.interrupted = StallTrace(silent_seconds, self.modules)
            self._popen.send_signal(signal.SIGINT)

    def kill(self, cause: str | None = None) -> None:
        """Ends the process at once, also if a process of its own holds its output open."""
        if self._popen.poll() is None:
            self._cause = self._cause or cause
            kill_all(self._popen)
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
        killed(self._popen)
        self._lifeline.cut()
        if self._writer is None:
            close_all(self._open)


def _to_nobody(frame: bytes) -> None:
    """What is still written to a process that does not read any more."""
