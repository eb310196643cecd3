"""Relays the host's log to Python's logging, and finds out from it why the process ends.

The host's records come on a pipe of their own. Each is a line of JSON with one key, which names its kind: `log` (a
record of pino's), `printed` (what a module printed), `dropped` (lines that the host could not hand over), `ends` (why
the process is about to end). Standard error has plain text, from native code, from processes that a module has started,
or from Node itself. Such text is untrusted and only logged, with two exceptions: Node's last lines when its heap is
full, and its stack when it is interrupted. Both count only if the process died accordingly.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from synapse_module_bridge.process.last_words import LastWords
from synapse_module_bridge.process.stall_trace import StallTrace
from synapse_module_bridge.reactor.unexpected import contained
from synapse_module_bridge.schema.protocol import CAUSES
from synapse_module_bridge.telemetry.lines import Lines
from synapse_module_bridge.telemetry.log_rate import LogRate
from synapse_module_bridge.telemetry.log_records import (
    DROPPED,
    ENDS,
    LOG,
    PRINTED,
    continued,
    emit,
    level_of,
    logger_of,
    message_of,
    parse,
)
from synapse_module_bridge.telemetry.log_text import one_line

BLOCKED = CAUSES["blocked"]
# A longer cause is cut.
MOST_OF_CAUSE = 200
# More records of this kind are ignored: one is enough, unless something else ends the host first.
MOST_ENDS = 20

T = TypeVar("T")


class LogRelay:
    """Gets the bytes of both pipes of one process, and logs each line once it is complete. Its methods never raise."""

    def __init__(self) -> None:
        self._records = Lines()
        self._texts = Lines()
        self._rate = LogRate()
        self._last_words = LastWords()
        # The `ends` records. Each names the exit code that it expects, since something else may end the host first.
        self._ends: list[Mapping[str, Any]] = []
        self._is_over = False
        # Why the process has ended, and the module that ended it, where the log says so.
        self.cause: str | None = None
        self.culprit: str | None = None
        # Set when the process is interrupted, to read its stack.
        self.interrupted: StallTrace | None = None

    @property
    def last_lines(self) -> Sequence[str]:
        """The last lines of standard error."""
        return tuple(self._last_words.lines)

    def received_records(self, data: bytes) -> None:
        """Takes bytes of the host's records; empty bytes mean the end."""
        self._each(self._record, self._records.feed(data) if data else self._records.end())

    def received(self, data: bytes) -> None:
        """Takes bytes of standard error; empty bytes mean the end."""
        self._each(self._text, self._texts.feed(data) if data else self._texts.end())

    def ended(self, code: int | None, pid: int) -> None:
        """The process has ended: sets `cause` and `culprit`. A second call changes nothing.

        `code` is as in `subprocess`, or None where it is not known.
        """
        self.received_records(b"")
        self.received(b"")
        self._rate.tell(at_once=True)
        self._each(lambda pid: self._find_cause(code, pid), [pid])

    def _each(self, take: Callable[[T], None], items: Iterable[T]) -> None:
        """Takes all items. One that fails does not keep the others from being logged, or the end from being noticed."""
        for item in items:
            contained("logging what the module host says", partial(take, item), None)

    def turn(self) -> None:
        """Reports dropped lines. To be called now and then."""
        self._rate.tell()

    def _find_cause(self, code: int | None, pid: int) -> None:
        if self._is_over:
            return
        self._is_over = True
        told = next((told for told in self._ends if told.get("code") == code), None)
        if told is not None:
            self.culprit = _text_or_none(told.get("module"))
            self.cause = one_line(str(told.get("cause")))[:MOST_OF_CAUSE]
            if self.culprit is not None:
                self.cause += f", in {self.culprit}"
        elif self.interrupted is not None:
            self.cause, self.culprit = self._read_trace(self.interrupted, code)
        elif self._last_words.tell_of_a_full_heap(code, pid):
            self.cause = CAUSES["memory"]

    def _read_trace(self, stall: StallTrace, code: int | None) -> tuple[str | None, str | None]:
        trace = stall.trace(code)
        if trace is None:
            for line in stall.held:
                self._log(None, line.decode("utf-8", "replace"), None)
            return None, None
        if trace.was_idle:
            return None, None
        text = f"{trace.module or 'something'} {trace.what}"
        emit(trace.module, logging.CRITICAL, one_line(text) + continued("\n".join(trace.frames)), None)
        return BLOCKED, trace.module

    def _record(self, line: bytes) -> None:
        kind, record = parse(line)
        module, request = _text_or_none(record.get("module")), record.get("request")
        if kind == LOG:
            level = level_of(record)
            # Records below the logger's level do not count against the rate.
            if logger_of(module).isEnabledFor(level) and self._rate.admits(module):
                emit(module, level, message_of(record), request)
        elif kind == PRINTED:
            self._log(module, str(record.get("text")), request)
        elif kind == DROPPED:
            self._rate.lost(module, int(record["lines"]))
        elif kind == ENDS and len(self._ends) < MOST_ENDS:
            self._ends.append(record)

    def _text(self, line: bytes) -> None:
        if self.interrupted is not None:
            line = self.interrupted.without_trace(line)
            if not line.strip():
                return
        self._last_words.heard(line)
        self._log(None, line.decode("utf-8", "replace"), None)

    def _log(self, module: str | None, text: str, request: object) -> None:
        if logger_of(module).isEnabledFor(logging.INFO) and self._rate.admits(module):
            emit(module, logging.INFO, one_line(text), request)


def _text_or_none(value: object) -> str | None:
    return one_line(value) if isinstance(value, str) else None
