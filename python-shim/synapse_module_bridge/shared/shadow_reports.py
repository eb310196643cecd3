"""Reports what shadow modules would have done, from the hourly counters and the newest decisions.

The counters hold for all that was asked. The rooms and users are those of the newest decisions, so that a report takes
no longer for a million of them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from synapse.storage.database import LoggingTransaction

from synapse_module_bridge.schema.admin import ADMIN_LIMITS
from synapse_module_bridge.shared.decision_rows import find_by_kind, in_parts, kinds_where, newest_of, told
from synapse_module_bridge.shared.decision_table import HOUR_MS, HOURLY, HOURLY_SHADOW, first_id, placeholders

TOP = ADMIN_LIMITS["shadow_top"]
# The decisions from which the rooms and users are taken, shared out among kinds: about so many, and so many of each.
MOST_READ = 20_000
LEAST_READ_OF_KIND = 100
_KEYS: Mapping[str, str] = {"would_refuse": "would_refuse", "would_edit": "would_edit", "would_replace": "would_edit"}


def shadow_reports(txn: LoggingTransaction, since: int) -> list[dict[str, Any]]:
    """Each module that was a shadow since then, in whole hours, as `ShadowReport` of admin.json."""
    hour = since - since % HOUR_MS
    reports: dict[str, dict[str, Any]] = {}
    txn.execute(
        f"SELECT module, callback, SUM(calls) FROM {HOURLY} WHERE hour >= ? AND shadow = 1 GROUP BY module, callback",
        (hour,),
    )
    for module, callback, calls in txn.fetchall():
        _add(reports, module, callback, "asked", int(calls))
    txn.execute(
        f"SELECT module, callback, outcome, really, SUM(count) FROM {HOURLY_SHADOW} WHERE hour >= ? "
        "GROUP BY module, callback, outcome, really",
        (hour,),
    )
    really: dict[str, Counter[str]] = {}
    for module, callback, outcome, outcome_really, count in txn.fetchall():
        _add(reports, module, callback, _KEYS.get(outcome, "failed"), int(count))
        if outcome in _KEYS:
            really.setdefault(module, Counter())[outcome_really or "unknown"] += int(count)
    return [
        {**report, "really": dict(really.get(module, {})), **_concerned(txn, module, hour)}
        for module, report in sorted(reports.items())
    ]


def _add(reports: dict[str, dict[str, Any]], module: str, callback: str, key: str, count: int) -> None:
    none = {"asked": 0, "would_refuse": 0, "would_edit": 0, "failed": 0}
    report = reports.setdefault(module, {"name": module, **none, "callbacks": {}})
    report[key] += count
    report["callbacks"].setdefault(callback, {**none})[key] += count


def _concerned(txn: LoggingTransaction, module: str, since: int) -> dict[str, Any]:
    outcomes = list(_KEYS)
    of_kind = f"module = ? AND outcome IN {placeholders(outcomes)}", (module, *outcomes)
    of_row = "id >= ?", (first_id(since),)
    kinds = kinds_where(txn, of_kind)
    return {
        "rooms": _top(txn, "room_id", kinds, of_row),
        "users": _top(txn, "user_id", kinds, of_row),
        "examples": told(txn, find_by_kind(txn, of_kind, of_row, TOP)),
    }


def _top(
    txn: LoggingTransaction, column: str, kinds: Sequence[int], of_row: tuple[str, Sequence[Any]]
) -> list[dict[str, Any]]:
    most = max(LEAST_READ_OF_KIND, MOST_READ // max(1, len(kinds)))
    found: Counter[str] = Counter()
    for some in in_parts(kinds):
        newest = " UNION ALL ".join(newest_of(f"{column}, count", of_row, most) for _ in some)
        txn.execute(
            f"SELECT {column}, SUM(count) AS total FROM ({newest}) AS found WHERE {column} IS NOT NULL "
            f"GROUP BY {column} ORDER BY total DESC, {column} LIMIT {MOST_READ}",
            [value for kind in some for value in (kind, *of_row[1])],
        )
        found.update({name: int(count) for name, count in txn.fetchall()})
    return [{"id": name, "count": count} for name, count in found.most_common(TOP)]
