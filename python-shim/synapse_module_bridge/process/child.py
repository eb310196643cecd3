"""One Node process, from its start to its end, with its pipes.

In order: it is spawned; the handshake either blocks (while Synapse starts, and its reactor does not run yet) or not;
then the reactor has the pipes; the process has ended once its output ends; it is reaped, and `on_end` gets the cause.
"""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.process import ProcessReader
from twisted.python.failure import Failure

from synapse_module_bridge.process.exit_cause import describe_exit
from synapse_module_bridge.process.logs import LogRelay
from synapse_module_bridge.process.reaping import kill_all, when_exited
from synapse_module_bridge.process.spawn import Spawned, close_all, killed, spawn
from synapse_module_bridge.process.stall_trace import StallTrace
from synapse_module_bridge.reactor.unexpected import contained, log_unexpected
from synapse_module_bridge.schema.protocol import CAUSES, fits, method_name
from synapse_module_bridge.telemetry.log_levels import LogLevels
from synapse_module_bridge.telemetry.log_text import one_line
from synapse_module_bridge.transport.answer_reader import CHUNK_BYTES, AnswerReader
from synapse_module_bridge.transport.blocking_io import BlockingIO
from synapse_module_bridge.transport.framing import BrokenStream
from synapse_module_bridge.transport.request_writer import RequestWriter
from synapse_module_bridge.transport.rpc import Refuse, RequestHandler, Respond, Rpc

_PULSE = method_name("pulse")
_LOADING = method_name("loading")
# A pipe holds one chunk, unless another process still writes to it.
MOST_LAST_CHUNKS = 16
# How long a process that was asked to finish may take to exit after its output has ended.
EXIT_SECONDS = 3.0
# The same for one that was not asked: its calls wait meanwhile.
SUDDEN_EXIT_SECONDS = 0.5


class Child:
    """Spawns the process, with `env` as its whole environment. Raises OSError.

    `handle_request` answers the host's requests, but for those about the process itself. `log` gets what it logs.
    `start` may give a process that was started before, with the same command and environment.
    """

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        handle_request: RequestHandler,
        log: LogRelay,
        start: Callable[[Sequence[str], Mapping[str, str]], Spawned] = spawn,
    ) -> None:
        spawned = start(command, env)
        self._popen, self._lifeline, self._open = spawned.popen, spawned.lifeline, spawned.pipes
        self._stdin, self._stdout = self._open["stdin"], self._open["stdout"]
        self._stderr, self._records = self._open["stderr"], self._open["records"]
        # Polled for no event: it still reports that the pipe has lost its reader.
        self._input = select.poll()
        self._input.register(self._stdin, 0)
        self._log = log
        self.writer = RequestWriter(self._stdin)
        self._readers: list[ProcessReader] = []
        self._on_end: Callable[[str], None] | None = None
        # Why the shim has ended it, where it has.
        self._cause: str | None = None
        self.stopping = False
        # The module that it is loading, by its place in the configuration and its name.
        self.loading: tuple[int, str] | None = None
        # The names of all modules that it has begun to load, by their place.
        self.begun: dict[int, str] = {}
        # The parameters of its `initialize`.
        self.told: Mapping[str, Any] = {}
        # The modules whose setup has not succeeded, as of its last pulse.
        self.not_set_up: Sequence[str] = ()
        # The declarations of its modules, after the handshake.
        self.modules: Sequence[Mapping[str, Any]] = ()
        # Whether it has sent anything since the watchdog has reset this.
        self.has_spoken = False
        # When it has sent something for the last time, on the monotonic clock.
        self.heard_at = time.monotonic()
        # Gets its pulses.
        self.on_pulse: Callable[[Mapping[str, Any]], None] = lambda _: None
        self._handle_request = handle_request
        self.rpc = Rpc(self.writer.unsent.extend, self._requested)
        self._log_levels = LogLevels(self.rpc.notify)

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def culprit(self) -> str | None:
        """The module that has ended it, where its last records name one."""
        return self._log.culprit

    @property
    def has_ended(self) -> bool:
        """Whether the process is dead, even where the reactor has not noticed yet."""
        return self._popen.poll() is not None

    @property
    def is_there(self) -> bool:
        """Whether something still reads its input. Requests that are sent together share one check."""
        return "stdin" in self._open and (bool(self.rpc.held) or not self._input.poll(0))

    def _requested(self, method: str, params: Mapping[str, Any], answer: Respond, refuse: Refuse) -> None:
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
        """The last lines of its standard error."""
        return self._log.last_lines

    def wait_for(self, deferred: "Deferred[Any]", timeout: float) -> Any:
        """Blocks until the Deferred has fired, and returns its result: for the handshake, before the reactor runs.

        Raises the exception that the Deferred failed with; TimeoutError; ChildProcessError where the process ended.
        """
        logs = {self._stderr: self._log.received, self._records: self._log.received_records}
        exchange = BlockingIO(self._stdin, self._stdout, self.writer.unsent, self.rpc.data_received, logs)
        try:
            return exchange.until(deferred, timeout)
        except EOFError:
            code = self._wait()
            # Its pipes are read without waiting for their end: another process may hold them open.
            self.read_last_words(code)
            raise ChildProcessError(self._why(code)) from None

    def attach(self, reactor: Any, clock: Any, on_end: Callable[[str], None]) -> None:
        """Hands the pipes to the reactor. `on_end` is called once, with the cause of the process's end."""
        self._clock, self._on_end = clock, on_end
        self.writer.attach(reactor, self, self.rpc)
        self._readers = [
            AnswerReader(reactor, self, "stdout", self._stdout),  # type: ignore[no-untyped-call]
            ProcessReader(reactor, self, "stderr", self._stderr),
            ProcessReader(reactor, self, "records", self._records),
        ]

    def childDataReceived(self, name: str, data: bytes) -> None:
        """Twisted calls this with what the process has written. Never raises: Twisted would stop reading."""
        if name in ("stderr", "records"):
            heard = self._log.received if name == "stderr" else self._log.received_records
            contained("reading the host's log", lambda: heard(data), None)
            return
        self.has_spoken, self.heard_at = True, time.monotonic()
        self.writer.is_handling_answers = True
        try:
            self.rpc.data_received(data)
        except BrokenStream as e:
            self.kill(f"{CAUSES['broken']}: {e}")
        except Exception as e:
            log_unexpected("reading what the host sends", e)
            self.kill(CAUSES["broken"])
        finally:
            self.writer.is_handling_answers = False

    def childConnectionLost(self, name: str, reason: Failure) -> None:
        """Twisted calls this when a pipe has ended, and leaves it to the process to close the descriptor."""
        if name == "stdin":
            self.writer.lost()
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
        self._cause = self._cause or "it closed its output"

    def _reaped(self, code: int | None, on_end: Callable[[str], None]) -> None:
        # `on_end` is called whatever fails here.
        contained("reading the host's last words", lambda: self._read_last(code), None)
        contained("letting go of the host's pipes", self._let_go, None)
        loading = f" while it loaded {self.loading[1]}" if self.loading is not None else ""
        on_end(self._why(code) + loading)

    def _read_last(self, code: int | None) -> None:
        self._read_rest("stdout", self._stdout)
        self.read_last_words(code)

    def read_last_words(self, code: int | None) -> None:
        """Reads and logs what is left in the pipes of its log. `code` is as in `subprocess`; None if it is unknown."""
        self._read_rest("records", self._records)
        self._read_rest("stderr", self._stderr)
        self._log.ended(code, self.pid)

    def _let_go(self) -> None:
        self._lifeline.cut()
        # Another process may hold the output open, so that Twisted never sees its end.
        output: Any = self._readers[0]
        if output.connected:
            output.connectionLost(Failure(ConnectionDone()))
        self.writer.let_go()

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
        """Waits for the process's end, and kills it if need be. Blocks: for a start that has failed."""
        with suppress(subprocess.TimeoutExpired):
            return self._popen.wait(timeout=SUDDEN_EXIT_SECONDS)
        self._is_overdue()
        kill_all(self._popen)
        return killed(self._popen)

    def close_input(self) -> None:
        """Asks the process to finish: the host ends when its input does."""
        self.stopping = True
        self.writer.close()

    def interrupt(self, silent_seconds: float) -> None:
        """Makes Node print where it is and exit: it was started with `--trace-sigint`."""
        if self._popen.poll() is None:
            self._log.interrupted = StallTrace(silent_seconds, self.modules)
            self._popen.send_signal(signal.SIGINT)

    def kill(self, cause: str | None = None) -> None:
        """Kills the process and its group. Its end is then noticed even where another process holds its output open."""
        if self._popen.poll() is None:
            self._cause = self._cause or cause
            kill_all(self._popen)
        self._reap()

    def kill_and_wait(self) -> None:
        """Kills the process and blocks until it has ended: after a failed start, Synapse exits, and no reactor runs."""
        self.kill()
        killed(self._popen)
        self._lifeline.cut()
        if not self._readers:
            close_all(self._open)
