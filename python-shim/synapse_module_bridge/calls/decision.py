"""Records decisions, without content: as a line in Synapse's log, a count in its metrics, and a span in its traces.

Those that count are also given to a ledger, which keeps them in Synapse's database.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import MappingProxyType
from typing import Any, NamedTuple

import attr
from synapse.logging import opentracing

from synapse_module_bridge.codec.match import lookup
from synapse_module_bridge.codec.replies import GivenReason
from synapse_module_bridge.routing.entry import Entry
from synapse_module_bridge.schema.catalogue import TYPES, Callback
from synapse_module_bridge.supervision.versions import Version
from synapse_module_bridge.telemetry import metrics
from synapse_module_bridge.telemetry.log_text import one_line
from synapse_module_bridge.telemetry.outcomes import ERRORS, REFUSALS

logger = logging.getLogger("synapse_module_bridge.decision")

# Outcomes that are logged at DEBUG.
_QUIET = frozenset({"allowed", "answered", "would_allow", "would_answer"})
# Outcomes that no ledger gets: nobody has objected.
_UNKEPT = _QUIET | {"left"}
# Whether the library `opentracing` is installed.
TRACING = getattr(opentracing, "opentracing", None) is not None
_UNTRACED = nullcontext()
# Of calls that no ledger keeps: one for all of them, since each call would make its own.
_NO_VERSIONS: Mapping[str, Version] = MappingProxyType({})
# Information; and of a follow-up, that it has edited nothing. What a module lets pass is counted as its reply is read.
_ANSWERS = frozenset({"answered", "would_answer", "allowed"})
# Outcomes whose spans are marked as errors.
_FAILURES = frozenset({"fault", "policy", "would_fault", "would_policy"})


class Really:
    """The outcome of the modules that decide, for the record of the shadow modules that are asked the same."""

    __slots__ = ("is_known", "outcome")

    def __init__(self) -> None:
        self.is_known = False
        # None where nothing was decided.
        self.outcome: str | None = None

    def settle(self, outcome: str | None) -> None:
        """The call has ended with this outcome."""
        self.is_known, self.outcome = True, outcome


class Decision(NamedTuple):
    """A decision that counts, as a ledger gets it. Users may have written the ids."""

    callback: str
    # Several names have commas between them.
    module: str
    outcome: str
    answer: str | None
    # Why policy has answered, or what the module says.
    reason: str | None
    # JSON.
    details: str | None
    user: str | None
    room: str | None
    event: str | None
    # None where the module is not known.
    version: Version | None
    # For a shadow module.
    really: Really | None


@attr.s(slots=True, auto_attribs=True, eq=False)
class Ledger:
    """Where decisions are kept. `keep` must not raise, nor take long."""

    keep: Callable[[Decision], None]
    # By name, the version of each module. Replaced as a whole.
    versions: Mapping[str, Version] = attr.Factory(dict)


class CallCounts:
    """Where the calls of one callback are counted."""

    __slots__ = ("allowed", "times")

    def __init__(self, callback: str, server_name: str) -> None:
        self.allowed = metrics.CALLS.begin(callback, "", "allowed", "", server_name)
        self.times = metrics.SECONDS.begin(callback, server_name)


class Recorded:
    """Something that is decided, and recorded. It is one with `Call`, whose attributes it needs."""

    callback: Callback
    params: Mapping[str, Any]
    # A label of metrics.
    server_name: str
    # When Synapse asked, on the monotonic clock.
    started: float
    counts: CallCounts
    # None where decisions are not kept.
    ledger: Ledger | None
    # Of the modules, when the call began.
    versions: Mapping[str, Version] = _NO_VERSIONS
    # Where shadow modules are asked, too. They share it with the call that decides.
    really: Really | None = None
    _span: Any = None
    _outcome: str | None = None

    def traced(self, entries: Iterable[Entry]) -> AbstractContextManager[None]:
        """Opens a span for the block, if Synapse's tracing is on. What is recorded meanwhile becomes its tags."""
        return self._traced([entry.module for entry in entries]) if TRACING else _UNTRACED

    @contextmanager
    def _traced(self, modules: Sequence[str]) -> Iterator[None]:
        with opentracing.start_active_span(f"module_bridge.{self.callback.name}") as scope:
            if scope is None:
                yield
                return
            self._span = scope.span
            subject = {f"{key}_id": value for key, value in self.subject().items()}
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
        given: GivenReason | None = None,
    ) -> None:
        """Records one decision.

        `outcome` is allowed, answered, left (to the next), refused, replaced, edited, error, fault or policy; for a
        shadow module it is would_allow and so on. `module` has several names where the one that decided is not known.
        The metric's label is empty then, since sets of modules would make too many labels. `reason` is why policy has
        answered, and a label as well. `given` is what the module says about its own decision.
        """
        label = module if isinstance(module, str) else module[0] if module is not None and len(module) == 1 else ""
        metrics.CALLS.add(self.callback.name, label, outcome, reason or "", self.server_name)
        for name in (module,) if isinstance(module, str) else module or ():
            self._count(name, outcome)
        self._outcome = outcome
        level = logging.DEBUG if outcome in _QUIET else logging.INFO
        ledger = None if outcome in _UNKEPT else self.ledger
        is_logged = logger.isEnabledFor(level)
        if ledger is None and self._span is None and not is_logged:
            return
        modules = module if isinstance(module, str) else ",".join(module or ())
        text = reason or (given.text if given is not None else None)
        details = given.details if given is not None else None
        subject = self.subject()
        if ledger is not None:
            version = self.versions.get(modules)
            really = self.really if outcome.startswith("would_") else None
            at = subject["user"], subject["room"], subject["event"]
            ledger.keep(Decision(self.callback.name, modules, outcome, answer, text, details, *at, version, really))
        if self._span is not None:
            # Of several decisions about one call, the last one is final.
            self._tag({"module": modules, "outcome": outcome, "answer": answer or "", "reason": reason or ""})
            if outcome in _FAILURES:
                self._tag({opentracing.tags.ERROR: True})
        if not is_logged:
            return
        fields = {
            "callback": self.callback.name,
            "module": modules or "-",
            "outcome": outcome,
            "answer": answer,
            "reason": text,
            "details": details,
            **subject,
            "ms": f"{(time.monotonic() - self.started) * 1000:.1f}",
        }
        safe = {key: one_line(value) for key, value in fields.items() if value is not None}
        line = " ".join(f"{key}={_quoted(value)}" for key, value in safe.items())
        logger.log(level, "%s", line, extra=_attributes(safe))

    def allowed(self) -> None:
        """As `record("allowed")`: what nearly all calls come to."""
        if self._span is not None or logger.isEnabledFor(logging.DEBUG):
            self.record("allowed")
        else:
            self.counts.allowed[0] += 1
            self._outcome = "allowed"

    def _count(self, module: str, outcome: str) -> None:
        count = metrics.MODULES.of(module, self.callback.name, self.server_name)
        if count is None:
            return
        if outcome in REFUSALS:
            count.refusals += 1
        elif outcome in ERRORS:
            count.errors += 1
        elif outcome in _ANSWERS:
            count.passed += 1

    def finish(self) -> None:
        """Counts the time of the call: Synapse has its answer."""
        self.counts.times.took(time.monotonic() - self.started)
        if self.really is not None:
            self.really.settle(self._outcome)

    def subject(self) -> dict[str, str | None]:
        """The ids of the room, the user and the event that the call is about; None for those that there are not."""
        callback, params = self.callback, self.params
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


def _attributes(fields: Mapping[str, str]) -> dict[str, str | float]:
    """The fields as attributes of a log record, which Synapse's JSON formatters print as keys."""
    # Python's log records have an attribute `module` of their own, which these formatters leave out.
    present = {key: value for key, value in fields.items() if key != "module"}
    named = {"module_name": fields["module"]} if fields["module"] != "-" else {}
    return {**present, **named, "ms": float(fields["ms"])}


def _quoted(text: str) -> str:
    return repr(text) if " " in text or not text else text


def summarise(callback: Callback, answer: Any, *, decided: bool) -> tuple[str, str | None]:
    """The outcome of a normalised answer, and the part of the answer that may be logged: a code, or None.

    `decided` is whether a module gave it. Otherwise all modules passed.
    """
    if callback.result == "Edits" and answer is not None:
        return "edited", None
    if not decided:
        return "allowed", None
    refusals = TYPES[callback.result].get("refuses")
    if refusals is not None and not any(answer is value for value in refusals):
        # It is information, such as a name or a limit, and no verdict.
        return "answered", None
    if isinstance(answer, dict):
        return "replaced", None
    if isinstance(answer, list):
        return "refused", str(answer[0])
    return "refused", answer if isinstance(answer, str) and answer.isidentifier() else None
