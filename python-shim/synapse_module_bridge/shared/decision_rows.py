"""Reads rows of decisions: the newest of some kinds, and a row as the admin API tells it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from synapse.storage.database import LoggingTransaction

from synapse_module_bridge.shared.decision_table import KINDS, TABLE, Kind, placeholders, ts_of

# In one statement: SQLite takes up to 500 terms.
KINDS_AT_ONCE = 200
COLUMNS = "id, kind, last_ts, count, user_id, room_id, event_id, answer, reason, details, really"

# A row with these columns.
Row = tuple[Any, ...]
# A condition in SQL, and its values.
Condition = tuple[str, Sequence[Any]]


def newest_of(columns: str, of_row: Condition, most: int) -> str:
    """A SELECT of the newest rows of one kind. Its values are the kind, and those of the condition."""
    # SQLite takes a limit only in a SELECT of its own, and PostgreSQL wants that to have a name.
    newest = f"SELECT {columns} FROM {TABLE} WHERE kind = ? AND {of_row[0]} ORDER BY id DESC LIMIT {most}"
    return f"SELECT {columns} FROM ({newest}) AS newest"


def find_by_kind(txn: LoggingTransaction, of_kind: Condition, of_row: Condition, most: int) -> list[Row]:
    """The newest rows of all kinds for which a condition holds: of the newest of each, the newest."""
    ids: list[int] = []
    for some in in_parts(kinds_where(txn, of_kind)):
        txn.execute(
            " UNION ALL ".join(newest_of("id", of_row, most) for _ in some),
            [value for kind in some for value in (kind, *of_row[1])],
        )
        ids = sorted([*ids, *(row_id for (row_id,) in txn.fetchall())], reverse=True)[:most]
    if not ids:
        return []
    txn.execute(f"SELECT {COLUMNS} FROM {TABLE} WHERE id IN {placeholders(ids)} ORDER BY id DESC", ids)
    return txn.fetchall()


def kinds_where(txn: LoggingTransaction, of_kind: Condition) -> Sequence[int]:
    """The ids of the kinds for which a condition holds."""
    txn.execute(f"SELECT id FROM {KINDS} WHERE {of_kind[0]}", of_kind[1])
    return [kind for (kind,) in txn.fetchall()]


def in_parts(kinds: Sequence[int]) -> Sequence[Sequence[int]]:
    """The kinds, so many at a time as fit into one statement."""
    return [kinds[start : start + KINDS_AT_ONCE] for start in range(0, len(kinds), KINDS_AT_ONCE)]


def told(txn: LoggingTransaction, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows as `Decision` of admin.json."""
    kinds = _kinds(txn, list({row[1] for row in rows}))
    # An old kind may be removed together with its last rows.
    return [_told(row, kinds[row[1]]) for row in rows if row[1] in kinds and _is_whole(row)]


def _is_whole(row: Row) -> bool:
    """Whether the bridge writes such rows. SQLite keeps any type in any column, and an answer must be JSON."""
    _, _, last_ts, count, *texts = row
    return isinstance(last_ts, int) and isinstance(count, int) and all(isinstance(one, str | None) for one in texts)


def _kinds(txn: LoggingTransaction, ids: Sequence[int]) -> Mapping[int, Kind]:
    if not ids:
        return {}
    columns = "id, module, callback, outcome, process, files, config"
    txn.execute(f"SELECT {columns} FROM {KINDS} WHERE id IN {placeholders(ids)}", ids)
    return {row[0]: Kind(*row[1:]) for row in txn.fetchall()}


def _told(row: Row, kind: Kind) -> dict[str, Any]:
    row_id, _, last_ts, count, user, room, event, answer, reason, details, really = row
    found = {
        "id": str(row_id),
        "ts": ts_of(row_id),
        "last_ts": last_ts,
        "count": count,
        **kind._asdict(),
        "answer": answer,
        "reason": reason,
        "details": _details(details),
        "user": user,
        "room": room,
        "event": event,
        "really": really,
    }
    return {key: value for key, value in found.items() if value is not None}


def _details(text: str | None) -> Any:
    """None also where it is no JSON: one row must not hide the others."""
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        return None
