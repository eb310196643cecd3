"""Hands the host's records to Python's logging, under the name of their module and the id of their request.

The text in a record may come from anybody. What a record means (its level, module, request) is what the host has put
first: of a key that comes twice, the first counts.
"""

import json
import logging
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from synapse_module_bridge.schema.protocol import record_kind
from synapse_module_bridge.telemetry.log_text import one_line

logger = logging.getLogger("synapse_module_bridge.host")
MODULE_LOGGERS = "synapse_module_bridge.module."

LOG = record_kind("log")
PRINTED = record_kind("printed")
DROPPED = record_kind("dropped")
ENDS = record_kind("ends")

# A record of this level, and above.
_LEVELS = ((60, logging.CRITICAL), (50, logging.ERROR), (40, logging.WARNING), (30, logging.INFO))
# What the host writes of a record before anybody's text.
_TEXT = r'("(?:[^"\\]|\\.)*"|null)'
_HEAD = re.compile(rf'{{"{LOG}":{{"level":(\d{{1,3}}),"time":\d+(?:,"module":{_TEXT})?(?:,"request":{_TEXT})?')
# Of a record that cannot be read, so much is logged.
MOST_UNREADABLE = 1_000
# A message is part of it, and may have any number of lines.
MOST_LINES_OF_STACK = 100
_OWN_FIELDS = frozenset({"level", "time", "msg", "module", "request", "err"})


def parse(line: bytes) -> tuple[str, dict[str, Any]]:
    """The kind of a record, and what it holds."""
    text = line.decode("utf-8", "replace")
    with suppress(ValueError, RecursionError):
        parsed = json.loads(text, object_pairs_hook=_first_wins)
        if isinstance(parsed, dict) and len(parsed) == 1:
            [(kind, record)] = parsed.items()
            if isinstance(record, dict):
                return kind, record
    return LOG, _unreadable(text)


def _unreadable(text: str) -> dict[str, Any]:
    """Of a record that is cut or too deep: what it begins with, and its text."""
    head = _HEAD.match(text)
    level, module, request = (None, None, None) if head is None else head.groups()
    return {
        "level": int(level) if level else 40,
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
        # The others are shown, and mean nothing.
        while key in found:
            key += "'"
        found[key] = value
    return found


def logger_of(module: str | None) -> logging.Logger:
    return logger if module is None else logging.getLogger(MODULE_LOGGERS + one_line(module))


def level_of(record: Mapping[str, Any]) -> int:
    """Of a record of pino's, as Python's logging has it."""
    level = record.get("level")
    if not isinstance(level, int):
        return logging.INFO
    return next((ours for theirs, ours in _LEVELS if level >= theirs), logging.DEBUG)


def emit(module: str | None, level: int, text: str, request: object) -> None:
    """Logs one text. It may have several lines, each of which the caller has marked."""
    target = logger_of(module)
    entry = target.makeRecord(target.name, level, __name__, 0, "%s", (text,), None)
    if isinstance(request, str):
        # Synapse's formatter shows it, and outside of a request's log context its filter leaves it alone.
        entry.request = one_line(request)
    target.handle(entry)


def message_of(record: Mapping[str, Any]) -> str:
    """The text of a record of pino's."""
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
        # What can be read may still be too deep to be written.
        return "(too deep to be shown)"


def continued(stack: str) -> str:
    """Each line of a stack, marked as a continuation, so that none passes for a record."""
    lines = stack.splitlines()
    if len(lines) > MOST_LINES_OF_STACK:
        lines[MOST_LINES_OF_STACK:] = [f"... and {len(lines) - MOST_LINES_OF_STACK} lines more"]
    return "".join("\n  | " + one_line(line) for line in lines)
