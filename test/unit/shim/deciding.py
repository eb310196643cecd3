"""Decisions as calls record them, and a process that keeps them, on a clock that the test sets."""

from typing import Any

from own_database import Database
from synapse_module_bridge.calls.decision import Decision, Really
from synapse_module_bridge.shared.decision_table import decision_tables
from synapse_module_bridge.shared.decision_writer import DecisionWriter
from synapse_module_bridge.shared.hourly import HourlyWriter
from synapse_module_bridge.supervision.versions import Version
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import Clock

# When the tests begin, in seconds since the epoch.
START = 1_800_000_000.0
VERSION = Version("f" * 12, "c" * 12)


def decision(**of: Any) -> Decision:
    given: dict[str, Any] = {
        "callback": "check_event_for_spam",
        "module": "no-links",
        "outcome": "refused",
        "answer": "M_FORBIDDEN",
        "reason": None,
        "details": None,
        "user": "@eve:test",
        "room": "!r:test",
        "event": "$e",
        "version": VERSION,
        "really": None,
    }
    return Decision(**{**given, **of})


class Process:
    """One process of Synapse. `advance` moves its clock, and does what is due."""

    def __init__(self, database: Database, name: str = "main") -> None:
        self.database = database
        self.clock = Clock()
        api: Any = database
        # What was begun in the background.
        self.begun: list[Deferred[Any]] = []

        def run(func: Any) -> Any:
            self.begun.append(ensureDeferred(func()))
            return self.begun[-1]

        tables = decision_tables(api)
        # Modules, and whether each is a shadow module.
        self.modules = {"no-links": False, "new-idea": True}
        self.hourly = HourlyWriter(tables, name, lambda: self.modules, run, self.clock, self.now)
        self.writer = DecisionWriter(tables, name, "test", run, self.clock, self.hourly.note_shadow, self.now)

    def now(self) -> float:
        return START + self.clock.seconds()

    def decide(self, **of: Any) -> None:
        self.writer.keep(decision(**of))

    def object(self, known: str | None = "allowed", **of: Any) -> None:
        """A shadow module would have refused."""
        self.decide(**{"module": "new-idea", "outcome": "would_refuse", "really": really(known), **of})

    def advance(self, seconds: float) -> None:
        self.clock.pump([0.5] * int(seconds * 2))


def really(outcome: str | None) -> Really:
    known = Really()
    known.settle(outcome)
    return known
