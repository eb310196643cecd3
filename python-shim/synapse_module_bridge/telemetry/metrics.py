"""Declares the bridge's metrics, in the registry and with the `server_name` label of Synapse's own."""

from collections.abc import Callable, Iterable, Sequence

from prometheus_client import Counter, Gauge

from synapse_module_bridge.schema.protocol import CAUSES
from synapse_module_bridge.telemetry.counters import Counters, Durations
from synapse_module_bridge.telemetry.module_counts import ModuleCounts
from synapse_module_bridge.telemetry.readings import Readings

SERVER = "server_name"
_PREFIX = "synapse_module_bridge_"

CALLS = Counters(
    _PREFIX + "calls",
    "Calls of callbacks, by the module that decided and by outcome. `reason` says why policy had to answer.",
    ["callback", "module", "outcome", "reason", SERVER],
)
SECONDS = Durations(
    _PREFIX + "call_seconds",
    "How long calls of a callback took, from Synapse's question to its answer.",
    ["callback", SERVER],
)
MODULES = ModuleCounts(_PREFIX + "module_", SERVER)
REMEMBERED = Counter(
    _PREFIX + "remembered",
    "Questions that were answered from the answer cache: a module had answered an equal one within its `ttl`.",
    ["callback", "module", SERVER],
)
DROPPED = Counter(
    _PREFIX + "notifications_dropped",
    "Notifications that no module got to see.",
    ["callback", "reason", SERVER],
)
QUEUED = Gauge(_PREFIX + "notifications_queued", "Notifications that wait for their turn.", [SERVER])
IN_FLIGHT = Gauge(_PREFIX + "calls_in_flight", "Calls that Node works on.", [SERVER])
WAITING = Gauge(_PREFIX + "calls_waiting", "Calls that wait in line for Node.", [SERVER])
UP = Gauge(_PREFIX + "up", "1 while the module host answers; with several, while all do.", [SERVER])
ENDS = Counter(_PREFIX + "host_ends", "How often the module host has ended, by cause.", ["cause", SERVER])
LATE = Counter(_PREFIX + "late_answers", "Answers that came after their deadline.", [SERVER])
BREAKERS = Readings(
    _PREFIX + "breakers_open",
    "1 while a module is not asked about a callback by somebody, since it missed deadlines.",
    ["module", "callback", SERVER],
    max,
)
QUARANTINES = Readings(
    _PREFIX + "quarantines",
    "Authors, servers and questions that a module is not asked about, and web paths that are not served, since they "
    "have ended or hung Node.",
    ["module", SERVER],
)
THREAD_ENDS = Counter(
    _PREFIX + "thread_ends",
    "How often a thread of modules that run apart from the others has ended, by the module that did it and cause.",
    ["module", "cause", SERVER],
)
SETUP_FAILURES = Gauge(_PREFIX + "modules_not_set_up", "Modules whose setup has not succeeded.", [SERVER])
SET_UP = Readings(_PREFIX + "module_set_up", "1 while a module's setup has succeeded.", ["module", SERVER], min)
MODES = Readings(
    _PREFIX + "module_mode",
    "1 for the mode that a module is in: off, shadow or enforce.",
    ["module", "mode", SERVER],
    max,
)
OVERRIDES = Readings(
    _PREFIX + "module_overridden",
    "1 while a mode is in force that an admin has set while Synapse ran, and that is not the one of homeserver.yaml.",
    ["module", SERVER],
    max,
)
INFO = Readings(
    _PREFIX + "info",
    "The versions of the bridge, of Synapse and of Node.",
    ["version", "synapse", "node", SERVER],
    max,
)
MODULE_INFO = Readings(
    _PREFIX + "module_info",
    "The version of a module that runs: hashes of its files and of its config.",
    ["module", "files", "config", SERVER],
    max,
)
DECISIONS_DROPPED = Counter(
    _PREFIX + "decisions_dropped",
    "Decisions that were counted, and not stored in Synapse's database, since there were too many or it failed.",
    [SERVER],
)
MEMORY = Gauge(_PREFIX + "node_memory_bytes", "Memory of Node, by kind: rss, heap_used.", ["kind", SERVER])
SPURIOUS = Counter(
    _PREFIX + "spurious_answers", "Messages of the module host that are not JSON, or that answer no open request."
)
BROADCASTS = Counter(
    _PREFIX + "broadcasts",
    "Broadcasts that came for a module in this process, by outcome: done, failed (its handler threw or took too long) "
    "or dropped (Node was down, or too many were waiting).",
    ["module", "outcome", SERVER],
)
LOG_DROPPED = Counter(
    _PREFIX + "log_lines_dropped",
    "Log lines of the host and its modules that were dropped, by the host or by the shim.",
)


def begin(server_name: str, ends: Iterable[str], modules: Sequence[str]) -> None:
    """Lets counters begin at 0, so that Prometheus sees their first increase. `ends` are causes of an end."""
    LATE.labels(server_name)
    DECISIONS_DROPPED.labels(server_name)
    for cause in ends:
        ENDS.labels(cause, server_name)
    for cause in CAUSES.values():
        for module in ("", *modules):
            THREAD_ENDS.labels(module, cause, server_name)


_watched: dict[tuple[Gauge, tuple[str, ...]], list[Callable[[], float]]] = {}


def watch(
    gauge: Gauge,
    labels: tuple[str, ...],
    read: Callable[[], float],
    combine: Callable[[Sequence[float]], float] = sum,
) -> None:
    """Lets a gauge read its value whenever Prometheus collects it.

    Where homeserver.yaml lists several bridges, `combine` makes one value of their values.
    """
    reads = _watched.setdefault((gauge, labels), [])
    reads.append(read)
    gauge.labels(*labels).set_function(lambda: combine([read() for read in reads]))
