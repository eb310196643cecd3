"""Answers who decided what about whom, from the decisions that all processes have stored, and erases them."""

from collections.abc import Sequence
from typing import Any

import attr
from synapse.module_api import ModuleApi
from synapse.storage.database import LoggingTransaction

from synapse_module_bridge.schema.admin import ADMIN_LIMITS
from synapse_module_bridge.shared.decision_rows import COLUMNS, Row, find_by_kind, told
from synapse_module_bridge.shared.decision_table import (
    KINDS,
    TABLE,
    decision_tables,
    first_id,
)
from synapse_module_bridge.shared.decision_writer import SPAN_MS
from synapse_module_bridge.shared.safe_text import is_safe
from synapse_module_bridge.shared.shadow_reports import shadow_reports

MOST_FOUND = ADMIN_LIMITS["decisions_limit"]
FOUND = ADMIN_LIMITS["decisions_default_limit"]
# A longer transaction would block others on SQLite.
ERASED_AT_ONCE = 200
# After all ids.
_END = 1 << 62


@attr.s(frozen=True, slots=True, auto_attribs=True, kw_only=True)
class Filters:
    """Which decisions are wanted. All that are given must hold."""

    user: str | None = None
    room: str | None = None
    # The first one of a row with a count.
    event: str | None = None
    # Also where several modules would have decided.
    module: str | None = None
    callback: str | None = None
    outcome: str | None = None
    # The hashes of a version.
    files: str | None = None
    config: str | None = None
    # In milliseconds since the epoch.
    since: int | None = None
    limit: int = FOUND
    # `next` of an earlier answer.
    from_: str | None = None


class Decisions:
    """Reads and erases decisions. Works in every process."""

    def __init__(self, api: ModuleApi) -> None:
        self._tables = decision_tables(api)

    async def find(self, filters: Filters) -> tuple[list[dict[str, Any]], str | None]:
        """The newest decisions (`Decision` of admin.json), and `next` for the ones after them.

        What is added meanwhile changes nothing in the answers to `next`. Raises ValueError for a filter that is none.
        """
        if not 1 <= filters.limit <= MOST_FOUND:
            raise ValueError(f"limit must be from 1 to {MOST_FOUND}")
        before = _END if filters.from_ is None else _cursor(filters.from_)
        if not all(is_safe(value) for value in attr.astuple(filters) if isinstance(value, str)):
            return [], None

        def find(txn: LoggingTransaction) -> tuple[list[dict[str, Any]], str | None]:
            found = _find(txn, filters, before)
            rows = found[: filters.limit]
            return told(txn, rows), str(rows[-1][0]) if len(found) > len(rows) else None

        return await self._tables.interact(find)

    async def shadow(self, since: int) -> list[dict[str, Any]]:
        """What each shadow module would have done (`ShadowReport` of admin.json), of whole hours."""
        return await self._tables.interact(lambda txn: shadow_reports(txn, since))

    async def erase(self, user: str) -> int:
        """Deletes all decisions about this user, and returns how many rows there were."""
        erased = 0
        if not is_safe(user):
            return erased
        while True:
            some = await self._tables.interact(lambda txn: _delete(txn, "user_id = ?", user))
            erased += some
            if some < ERASED_AT_ONCE:
                return erased


def _delete(txn: LoggingTransaction, where: str, value: object) -> int:
    txn.execute(
        f"DELETE FROM {TABLE} WHERE id IN (SELECT id FROM {TABLE} WHERE {where} LIMIT {ERASED_AT_ONCE})", (value,)
    )
    return txn.rowcount


def _cursor(text: str) -> int:
    # `isdecimal` also holds for other scripts' digits, which `int` takes.
    if not (text.isascii() and text.isdecimal() and len(text) < 20) or int(text) > _END:
        raise ValueError("from must be the `next` of an answer")
    return int(text)


def _find(txn: LoggingTransaction, filters: Filters, before: int) -> list[Row]:
    """One row more than wanted, if there are so many."""
    where: list[str] = ["id < ?"]
    values: list[Any] = [before]
    if filters.since is not None:
        # The first decision of a row may be older than the last one.
        where.append("id >= ?")
        values.append(first_id(filters.since - SPAN_MS))
        # Most ids say so already, without a look at the row itself.
        where.append("(id >= ? OR last_ts >= ?)")
        values += [first_id(filters.since), filters.since]
    subject = _subjects(filters)
    of_kind, kind_values = _of_kind(filters)
    if of_kind and not subject:
        return find_by_kind(txn, (of_kind, kind_values), (" AND ".join(where), values), filters.limit + 1)
    for column, value in subject:
        where.append(f"{column} = ?")
        values.append(value)
    if of_kind:
        # With the sign, no database takes the index of kinds instead of that of the subject.
        where.append(f"+kind IN (SELECT id FROM {KINDS} WHERE {of_kind})")
        values += kind_values
    txn.execute(
        f"SELECT {COLUMNS} FROM {TABLE} WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT ?",
        (*values, filters.limit + 1),
    )
    return txn.fetchall()


def _subjects(filters: Filters) -> Sequence[tuple[str, str]]:
    """The columns with an id that is wanted, and the id."""
    wanted = (("event_id", filters.event), ("user_id", filters.user), ("room_id", filters.room))
    return [(column, value) for column, value in wanted if value is not None]


def _of_kind(filters: Filters) -> tuple[str, list[str]]:
    """The condition on the table of kinds, and its values; empty where all kinds are wanted."""
    where: list[str] = []
    values: list[str] = []
    if filters.module is not None:
        # Several names have commas between them.
        where.append("(module = ? OR REPLACE(',' || module || ',', ?, '') <> ',' || module || ',')")
        values += [filters.module, f",{filters.module},"]
    for column in ("callback", "outcome", "files", "config"):
        value = getattr(filters, column)
        if value is not None:
            where.append(f"{column} = ?")
            values.append(value)
    return " AND ".join(where), values
