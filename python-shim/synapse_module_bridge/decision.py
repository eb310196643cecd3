"""The record of one call, as one line in Synapse's log: what was decided, by whom, about whom; never content."""

import logging
from collections.abc import Mapping
from typing import Any

from synapse_module_bridge.catalogue import Callback
from synapse_module_bridge.logs import one_line
from synapse_module_bridge.match import lookup

logger = logging.getLogger(__name__)

# Outcomes that a person who reads the log is not looking for.
_QUIET = frozenset({"allowed"})


def record(
    callback: Callback,
    params: Mapping[str, Any],
    *,
    outcome: str,
    module: str | None,
    milliseconds: float,
    answer: str | None = None,
    reason: str | None = None,
) -> None:
    """`outcome` is allowed, refused, replaced, edited, error, fault or policy."""
    level = logging.DEBUG if outcome in _QUIET else logging.INFO
    if not logger.isEnabledFor(level):
        return
    fields = {
        "callback": callback.name,
        "module": module or "-",
        "outcome": outcome,
        "answer": answer,
        "reason": reason,
        **_subject(callback, params),
        "ms": f"{milliseconds:.1f}",
    }
    logger.log(level, "%s", " ".join(f"{key}={_value(value)}" for key, value in fields.items() if value is not None))


def _subject(callback: Callback, params: Mapping[str, Any]) -> dict[str, Any]:
    """Which room, user and event the call is about."""
    room = callback.param_of_type("RoomId")
    found = {
        "room": params.get(room) if room else None,
        "user": lookup(params, callback.subject) if callback.subject else None,
        "event": None,
    }
    event = callback.param_of_type("Event")
    if event is not None:
        found["room"] = params[event].room_id
        found["event"] = params[event].event_id
    return {key: value if isinstance(value, str) else None for key, value in found.items()}


def _value(text: str) -> str:
    text = one_line(text)
    return repr(text) if " " in text or not text else text


def summarise(callback: Callback, answer: Any, *, decided: bool) -> tuple[str, str | None]:
    """The outcome that a normalised answer stands for, and the part of it that may be logged."""
    if callback.result == "Edits" and answer is not None:
        return "edited", None
    if not decided:
        return "allowed", None
    if isinstance(answer, dict):
        return "replaced", None
    if isinstance(answer, list):
        return "refused", str(answer[0])
    return "refused", answer if isinstance(answer, str) and answer.isidentifier() else None
