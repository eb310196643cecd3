"""Hands the host's records to Python's logging, with the name of their module and the id of their request.

The text in a record is untrusted. Its level, module and request are trusted, since the host writes them first: where a
key occurs twice, the first one counts.
"""

import json
import logging
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from synapse_module_bridge.schema.protocol import LOG_LEVELS, record_kind
from synapse_module_bridge.telemetry.log_text import one_line

logger = logging.getLogger("synapse_module_bridge.host")
MODULE_LOGGERS = "synapse_module_bridge.module."

LOG = record_kind("log")
PRINTED = record_kind("printed")
DROPPED = record_kind("dropped")
ENDS = record_kind("ends")

# The levels of Python's logging, each with the host's number for it, the lowest first.
LEVELS = (
    (logging.DEBUG, LOG_LEVELS["debug"]),
    (logging.INFO, LOG_LEVELS["info"]),
    (logging.WARNING, LOG_LEVELS["warn"]),
    (logging.ERROR, LOG_LEVELS["error"]),
    (logging.CRITICAL, LOG_LEVELS["fatal"]),
)
# The beginning of a record, which the host writes before any untrusted text.
_TEXT = r'("(?:[^"\\]|\\.)*"|null)'
_HEAD = re.compile(rf'{{"{LOG}":{{"level":(\d{{1,3}}),"time":\d+(?:,"module":{_TEXT})?(?:,"request":{_TEXT})?')
# How many characters of an unreadable record are logged.
MOST_UNREADABLE = 1_000
# An error's stack begins with its message, which may have any number of lines.
MOST_LINES_OF_STACK = 100
_OWN_FIELDS = frozenset({"level", "time", "msg", "module", "request", "err"})


def parse(line: bytes) -> tuple[str, dict[str, Any]]:
    """The kind of a record and its fields. What cannot be parsed becomes a `log` record with its text. Never raises."""
    text = line.decode("utf-8", "replace")
    with suppress(ValueError, RecursionError):
        parsed = json.loads(text, object_pairs_hook=_first_wins)
        if isinstance(parsed, dict) and len(parsed) == 1:
            [(kind, record)] = parsed.items()
            if isinstance(record, dict):
                return kind, record
    return LOG, _unreadable(text)


def _unreadable(text: str) -> dict[str, Any]:
    """The fields of a record that was cut, or is nested too deeply: those at its beginning, and its text."""
    head = _HEAD.match(text)
    level, module, request = (None, None, None) if head is None else head.groups()
    return {
        "level": int(level) if level else LOG_LEVELS["warn"],
        "module": json.loads(module) if module else None,
        "request": json.loads(request) if request else None,
        "msg": text[:MOST_UNREADABLE],
    }


def _first_wins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    found = {}
    for key, value in pairs:
        # The others are logged under a changed key.
        while key in found:
            key += "'"
        found[key] = value
    return found


def logger_of(module: str | None) -> logging.Logger:
    """The logger of a module; for None, that of the host."""
    return logger if module is None else logging.getLogger(MODULE_LOGGERS + one_line(module))


def level_of(record: Mapping[str, Any]) -> int:
    """The level in Python's logging for a record of pino's."""
    level = record.get("level")
    if not isinstance(level, int):
        return logging.INFO
    return next((ours for ours, theirs in reversed(LEVELS) if level >= theirs), logging.DEBUG)


def emit(module: str | None, level: int, text: str, request: object) -> None:
    """Logs one text, for the request with this id. The caller has marked all lines but the first as continuations."""
    target = logger_of(module)
    entry = target.makeRecord(target.name, level, __name__, 0, "%s", (text,), None)
    if isinstance(request, str):
        # Synapse's formatter prints it. Its LoggingContextFilter keeps it, since no request's context is current here.
        entry.request = one_line(request)
    target.handle(entry)


def message_of(record: Mapping[str, Any]) -> str:
    """The text to log for a record of pino's: its message, its other fields as JSON, and its error's stack."""
    text = one_line(_shown(record.get("msg", "")))
    rest = {key: value for key, value in record.items() if key not in _OWN_FIELDS}
    if rest:
        text = f"{text} {_json(rest)}".lstrip()
    error = record.get("err")
    if isinstance(error, dict):
        text += continued(_shown(error.get("stack") or error.get("message")))
    elif error is not None:
        text += continued(_shown(error))
    return text


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    try:
        return json.dumps(value)
    except RecursionError:
        # The parser allows deeper nesting than the writer.
        return "(nested too deeply to be shown)"


def continued(stack: str) -> str:
    """The lines of a stack, each marked as a continuation, so that none can pose as a record."""
    lines = stack.splitlines()
    if len(lines) > MOST_LINES_OF_STACK:
        lines[MOST_LINES_OF_STACK:] = [f"... and {len(lines) - MOST_LINES_OF_STACK} lines more"]
    return "".join("\n  | " + one_line(line) for line in lines)
