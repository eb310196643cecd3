"""Declares the tables of decisions and of hourly counters, what the ids of decisions mean, and how a row is written.

A decision's id begins with its time, so ids are in the order of time. What many decisions have in common is its kind:
the module, the callback, the outcome, the process, and the version. So a row is small, and each question about kinds is
answered from one index.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from synapse.module_api import ModuleApi

from synapse_module_bridge.storage.own_tables import BIG_KEY, OwnTables
from synapse_module_bridge.telemetry.counters import BOUNDS

TABLE = "module_bridge_decisions"
KINDS = "module_bridge_decision_kinds"
# By hour, module and callback: what it was asked; `shadow` is 1 while it was a shadow module.
HOURLY = "module_bridge_hourly"
# By hour, module, callback and outcome: what shadow modules would have done, and what was really decided.
HOURLY_SHADOW = "module_bridge_hourly_shadow"
HOUR_MS = 60 * 60 * 1000
# How many answers took so long, by the bounds of `module_counts`.
BUCKETS = tuple(f"bucket{number}" for number in range(len(BOUNDS) + 1))
COUNTERS = ("calls", "refusals", "errors", *BUCKETS)
_CREATE = (
    f"CREATE TABLE IF NOT EXISTS {KINDS} (id {BIG_KEY} PRIMARY KEY, module TEXT NOT NULL, callback TEXT NOT NULL, "
    "outcome TEXT NOT NULL, process TEXT NOT NULL, files TEXT NOT NULL, config TEXT NOT NULL, last_ts BIGINT NOT NULL)",
    f"CREATE TABLE IF NOT EXISTS {TABLE} (id {BIG_KEY} PRIMARY KEY, kind BIGINT NOT NULL, last_ts BIGINT NOT NULL, "
    "count BIGINT NOT NULL, user_id TEXT, room_id TEXT, event_id TEXT, answer TEXT, reason TEXT, details TEXT, "
    "really TEXT)",
    f"CREATE INDEX IF NOT EXISTS {TABLE}_kind ON {TABLE} (kind, id)",
    f"CREATE INDEX IF NOT EXISTS {TABLE}_user ON {TABLE} (user_id, id) WHERE user_id IS NOT NULL",
    f"CREATE INDEX IF NOT EXISTS {TABLE}_room ON {TABLE} (room_id, id) WHERE room_id IS NOT NULL",
    f"CREATE INDEX IF NOT EXISTS {TABLE}_event ON {TABLE} (event_id, id) WHERE event_id IS NOT NULL",
    f"CREATE TABLE IF NOT EXISTS {HOURLY} (hour BIGINT NOT NULL, module TEXT NOT NULL, callback TEXT NOT NULL, "
    f"shadow INTEGER NOT NULL, {', '.join(f'{column} BIGINT NOT NULL' for column in COUNTERS)}, "
    "PRIMARY KEY (hour, module, callback, shadow))",
    f"CREATE TABLE IF NOT EXISTS {HOURLY_SHADOW} (hour BIGINT NOT NULL, module TEXT NOT NULL, "
    "callback TEXT NOT NULL, outcome TEXT NOT NULL, really TEXT NOT NULL, count BIGINT NOT NULL, "
    "PRIMARY KEY (hour, module, callback, outcome, really))",
)
# Below the milliseconds in an id, so that two decisions of the same millisecond have different ids.
_NUMBER_BITS = 20
NUMBERS = 1 << _NUMBER_BITS
# Databases have 64 bits for an id; this is in the year 2248.
_LAST_TS = (1 << 43) - 1


class Kind(NamedTuple):
    """What many decisions have in common."""

    module: str
    callback: str
    outcome: str
    process: str
    # The version; empty where it is not known.
    files: str
    config: str

    @property
    def id(self) -> int:
        """The same in all processes, so that none has to ask for it."""
        text = json.dumps(self).encode()
        return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 1


class Stored(NamedTuple):
    """One row, as it is written."""

    id: int
    kind: Kind
    last_ts: int
    times: int
    user: str | None
    room: str | None
    event: str | None
    answer: str | None
    reason: str | None
    details: str | None
    really: str | None


def first_id(ts: int) -> int:
    """The least id of a decision at this time, or later."""
    return min(max(0, ts), _LAST_TS) << _NUMBER_BITS


def ts_of(row_id: int) -> int:
    """When the row's first decision was made, in milliseconds since the epoch."""
    return row_id >> _NUMBER_BITS


def decision_tables(api: ModuleApi) -> OwnTables:
    """The tables, which are made before they are used first."""
    return OwnTables(api, "module_bridge_decisions", _CREATE)


def placeholders(values: Sequence[object]) -> str:
    """`(?, ?, ?)` for so many values."""
    return f"({', '.join('?' * len(values))})"


def write(txn: Any, inserted: Sequence[Stored], updated: Sequence[Stored]) -> None:
    """Writes the rows in a transaction, and the counts of others. It may run twice with the same rows."""
    if inserted:
        kinds = {row.kind.id: (row.kind, row.last_ts) for row in inserted}
        txn.execute_batch(
            f"INSERT INTO {KINDS} (id, module, callback, outcome, process, files, config, last_ts) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET last_ts = excluded.last_ts",
            [(kind_id, *kind, last_ts) for kind_id, (kind, last_ts) in sorted(kinds.items())],
        )
        values = [(row.id, row.kind.id, *row[2:]) for row in inserted]
        txn.execute(
            f"INSERT INTO {TABLE} (id, kind, last_ts, count, user_id, room_id, event_id, answer, reason, details, "
            f"really) VALUES {', '.join(placeholders(row) for row in values)} "
            # Where it was written though it seemed to fail.
            "ON CONFLICT (id) DO UPDATE SET count = excluded.count, last_ts = excluded.last_ts",
            [value for row in values for value in row],
        )
    if updated:
        counts = [(row.times, row.last_ts, row.id) for row in updated]
        txn.execute_batch(f"UPDATE {TABLE} SET count = ?, last_ts = ? WHERE id = ?", counts)
