"""Records what was decided, by whom and about whom: a line in Synapse's log, a count, and a span. Never content."""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import attr
from synapse.logging import opentracing

from synapse_module_bridge.codec.match import lookup
from synapse_module_bridge.routing.route import Entry
from synapse_module_bridge.schema.catalogue import TYPES, Callback
from synapse_module_bridge.telemetry import metrics
from synapse_module_bridge.telemetry.log_text import one_line

logger = logging.getLogger("synapse_module_bridge.decision")

# Outcomes that a person who reads the log is not looking for.
_QUIET = frozenset({"allowed", "answered", "would_allow", "would_answer"})
# Whether the library for it is installed.
TRACING = getattr(opentracing, "opentracing", None) is not None
_UNTRACED = nullcontext()
# What a person who looks for errors in traces is looking for.
_FAILURES = frozenset({"fault", "policy", "would_fault", "would_policy"})


@attr.s(slots=True, auto_attribs=True, kw_only=True, eq=False)
class Recorded:
    """Something whose decisions are put on record."""

    callback: Callback
    params: Mapping[str, Any]
    server_name: str
    # When Synapse asked, on the monotonic clock.
    started: float
    _span: Any = attr.ib(default=None, init=False)

    def traced(self, entries: Iterable[Entry]) -> AbstractContextManager[None]:
        """Lets a span of Synapse's tracing, if that is on, stand for the call: what is recorded becomes its tags."""
        return self._traced([entry.module for entry in entries]) if TRACING else _UNTRACED

    @contextmanager
    def _traced(self, modules: Sequence[str]) -> Iterator[None]:
        with opentracing.start_active_span(f"module_bridge.{self.callback.name}") as scope:
            if scope is None:
                yield
                return
            self._span = scope.span
            subject = {f"{key}_id": value for key, value in _subject(self.callback, self.params).items()}
            self._tag({"callback": self.callback.name, "modules": ",".join(modules), **subject})
            try:
                yield
            finally:
                self._span = None

    def _tag(self, values: Mapping[str, Any]) -> None:
        for key, value in values.items():
            if value is not None:
                self._span.set_tag(key, value)

    def record(
        self,
        outcome: str,
        module: str | Sequence[str] | None = None,
        answer: str | None = None,
        reason: str | None = None,
    ) -> None:
        """`outcome` is allowed, answered, left (to the next), refused, replaced, edited, error, fault or policy.

        For a shadow module: would_… Several modules where it is not known which. A metric's label names only one: of
        sets there are too many.
        """
        label = module if isinstance(module, str) else module[0] if module is not None and len(module) == 1 else ""
        metrics.CALLS.add(self.callback.name, label, outcome, reason or "", self.server_name)
        level = logging.DEBUG if outcome in _QUIET else logging.INFO
        if self._span is None and not logger.isEnabledFor(level):
            return
        modules = module if isinstance(module, str) else ",".join(module or ())
        if self._span is not None:
            # Of several decisions on one call, the last is the one that held.
            self._tag({"module": modules, "outcome": outcome, "answer": answer or "", "reason": reason or ""})
            if outcome in _FAILURES:
                self._tag({opentracing.tags.ERROR: True})
        fields = {
            "callback": self.callback.name,
            "module": modules or "-",
            "outcome": outcome,
            "answer": answer,
            "reason": reason,
            **_subject(self.callback, self.params),
            "ms": f"{(time.monotonic() - self.started) * 1000:.1f}",
        }
        text = " ".join(f"{key}={_value(value)}" for key, value in fields.items() if value is not None)
        logger.log(level, "%s", text)

    def finish(self) -> None:
        """Synapse has its answer."""
        metrics.SECONDS.add(time.monotonic() - self.started, self.callback.name, self.server_name)


def _subject(callback: Callback, params: Mapping[str, Any]) -> dict[str, Any]:
    """Which room, user and event the call is about."""
    room = callback.param_of_type("RoomId")
    event = callback.event_param
    found = {
        "room": params.get(room) if room else None,
        "user": lookup(params, callback.subject) if callback.subject else None,
        "event": None,
    }
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
    refusals = TYPES[callback.result].get("refuses")
    if refusals is not None and not any(answer is value for value in refusals):
        # Information, such as a name or a limit, and no verdict.
        return "answered", None
    if isinstance(answer, dict):
        return "replaced", None
    if isinstance(answer, list):
        return "refused", str(answer[0])
    return "refused", answer if isinstance(answer, str) and answer.isidentifier() else None
