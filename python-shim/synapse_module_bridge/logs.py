"""Turns what the host writes to standard error into records of Python's logging.

A line of JSON is a record of pino's: it goes to the logger of its module at its level. Any other line (a native
crash, a module's raw print) is a warning.
"""

import json
import logging
import re
import time
from typing import Any

from synapse_module_bridge import metrics
from synapse_module_bridge.blocked import Blocked

logger = logging.getLogger("synapse_module_bridge.host")
MODULE_LOGGERS = "synapse_module_bridge.module."

# A longer line is cut: one record must not fill the log.
MAX_LINE_BYTES = 64 * 1024
# A flood of lines must not fill the disk, nor keep Synapse busy.
MOST_LINES = 2_000
RATE_SECONDS = 10.0
# Node's last words when its heap is full.
OUT_OF_MEMORY = b"heap out of memory"
# In the host's own last line: why it ends.
END_FIELD = "host_ends"
FATAL = 60
_LEVELS = {10: logging.DEBUG, 20: logging.DEBUG, 30: logging.INFO, 40: logging.WARNING, 50: logging.ERROR}
# Line ends and escape sequences would let a text pass for records of its own, as would text that runs backwards; a lone
# surrogate cannot be written to a file.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_OWN_FIELDS = {"level", "time", "msg", "module", "request", "err", END_FIELD}


class LogRelay:
    """Collects bytes, and logs each line as it becomes complete; empty bytes mean the end."""

    def __init__(self) -> None:
        self._partial = b""
        self._skipping = False
        self._rate = _Rate()
        # What the last lines say of why the process ends.
        self.cause: str | None = None
        # Once Node is to say where it is.
        self.interrupted: Blocked | None = None

    def received(self, data: bytes) -> None:
        if not data:
            self.ended()
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            if self._skipping:
                self._skipping = False
            elif line.strip():
                self._log(line)
        if len(self._partial) > MAX_LINE_BYTES:
            if not self._skipping:
                self._log(self._partial)
            self._partial, self._skipping = b"", True

    def ended(self) -> None:
        """There will be no more: what has come is logged. May be told twice."""
        partial, self._partial = self._partial, b""
        if partial and not self._skipping:
            self._log(partial)
        record = None if self.interrupted is None or self.cause else self.interrupted.record()
        if record is not None:
            self.cause = record[END_FIELD]
            log_record(record)

    def _log(self, line: bytes) -> None:
        if self.interrupted is not None:
            line = self.interrupted.without_trace(line)
            if not line.strip():
                return
        if line.startswith(b"FATAL ERROR:") and OUT_OF_MEMORY in line:
            self.cause = "out of memory"
        if self._rate.admits():
            record = log_line(line)
            if record is not None and record["level"] == FATAL and isinstance(record.get(END_FIELD), str):
                self.cause = one_line(record[END_FIELD])


class _Rate:
    """So many lines in so many seconds; the rest is counted, and told in one line."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._lines = 0

    def admits(self) -> bool:
        now = time.monotonic()
        if now - self._since >= RATE_SECONDS:
            if self._lines > MOST_LINES:
                dropped = self._lines - MOST_LINES
                logger.warning("%d lines of the host's log were dropped in %.0f s", dropped, now - self._since)
            self._since, self._lines = now, 0
        self._lines += 1
        if self._lines > MOST_LINES:
            metrics.LOG_DROPPED.inc()
        return self._lines <= MOST_LINES


def log_line(line: bytes) -> dict[str, Any] | None:
    """Logs one line, and gives the record that it holds, if it holds one."""
    text = line[:MAX_LINE_BYTES].decode("utf-8", "replace")
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict) or "level" not in record:
        logger.warning("%s", one_line(text))
        return None
    log_record(record)
    return record


def log_record(record: dict[str, Any]) -> None:
    """Logs a record of pino's."""
    module = record.get("module")
    target = logging.getLogger(MODULE_LOGGERS + one_line(module)) if isinstance(module, str) else logger
    level = _LEVELS.get(record["level"], logging.CRITICAL) if isinstance(record["level"], int) else logging.WARNING
    if not target.isEnabledFor(level):
        return
    entry = target.makeRecord(target.name, level, __name__, 0, "%s", (_message(record),), None)
    request = record.get("request")
    if isinstance(request, str):
        # Synapse's formatter shows it, and outside of a request's log context its filter leaves it alone.
        entry.request = one_line(request)
    target.handle(entry)


def _message(record: dict[str, Any]) -> str:
    text = one_line(str(record.get("msg", "")))
    rest = {key: value for key, value in record.items() if key not in _OWN_FIELDS}
    if rest:
        text = f"{text} {json.dumps(rest)}".lstrip()
    error = record.get("err")
    if isinstance(error, dict):
        stack = str(error.get("stack") or error.get("message"))
        # Each line of a stack is marked as a continuation, so that none passes for a record.
        text += "".join("\n  | " + one_line(line) for line in stack.splitlines())
    return text


def one_line(text: str) -> str:
    """The text with control characters (line ends, escape sequences) made visible."""
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)
