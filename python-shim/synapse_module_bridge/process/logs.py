"""Turns what a host says beside the wire into records of Python's logging, and finds in it why the process ends.

Two pipes bring it. One has the host's own records, each a line of JSON with one key that names its kind: `log` (a
record of pino's), `printed` (what a module printed), `dropped` (lines that the host could not hand over), `ends` (why
the process is about to end). The other has the text of standard error: what native code, a process of a module's own or
Node itself prints. Whatever text comes there is logged and means nothing, but for two: Node's last words when its heap
is full, and where it was when we interrupted it. Both count only if the process died accordingly.
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
MOST_OF_CAUSE = 200
MOST_ENDS = 20

T = TypeVar("T")


class LogRelay:
    """Collects bytes of both pipes, and logs each line as it becomes complete. It never raises, whatever the bytes."""

    def __init__(self) -> None:
        self._records = Lines()
        self._texts = Lines()
        self._rate = LogRate()
        self._last_words = LastWords()
        # What the host has said of its end; a signal need not have ended it.
        self._ends: list[Mapping[str, Any]] = []
        self._is_over = False
        # Why it has ended, and the module that did it, as far as its words tell.
        self.cause: str | None = None
        self.culprit: str | None = None
        # Once Node is to say where it is.
        self.interrupted: StallTrace | None = None

    @property
    def last_lines(self) -> Sequence[str]:
        """What was printed last on standard error."""
        return tuple(self._last_words.lines)

    def received_records(self, data: bytes) -> None:
        """What came of the host's own records; empty bytes mean the end."""
        self._each(self._record, self._records.feed(data) if data else self._records.end())

    def received(self, data: bytes) -> None:
        """What came on standard error; empty bytes mean the end."""
        self._each(self._text, self._texts.feed(data) if data else self._texts.end())

    def ended(self, code: int | None, pid: int) -> None:
        """The process has ended, `code` as subprocess gives it, or None: there will be no more. May be told twice."""
        self.received_records(b"")
        self.received(b"")
        self._rate.tell(at_once=True)
        self._each(lambda pid: self._find_cause(code, pid), [pid])

    def _each(self, take: Callable[[T], None], items: Iterable[T]) -> None:
        """Nothing that a process says may keep others from being heard, nor its end from being noticed."""
        for item in items:
            contained("logging what the module host says", partial(take, item), None)

    def turn(self) -> None:
        """To be called now and then."""
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
            # What is off must not use up what is taken.
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
