"""The tables of modes and of requests for a reload: how they are made, read and written.

The transaction is one of Synapse's, or of the command `mode`.
"""

from collections.abc import Mapping
from typing import Any

import attr

from synapse_module_bridge.schema.admin import ADMIN_LIMITS
from synapse_module_bridge.schema.modes import MODES, Mode
from synapse_module_bridge.shared.moments import LAST_TS, local_time
from synapse_module_bridge.storage.own_tables import Txn, is_made
from synapse_module_bridge.telemetry.log_text import one_line

MODES_TABLE = "module_bridge_modes"
CHANGES_TABLE = "module_bridge_mode_changes"
RELOADS_TABLE = "module_bridge_reloads"
OUTCOMES_TABLE = "module_bridge_reload_outcomes"
CREATE = (
    f"CREATE TABLE IF NOT EXISTS {MODES_TABLE} (module TEXT NOT NULL PRIMARY KEY, mode TEXT NOT NULL, "
    "by TEXT NOT NULL, ts BIGINT NOT NULL, until BIGINT, note TEXT)",
    f"CREATE TABLE IF NOT EXISTS {CHANGES_TABLE} (module TEXT NOT NULL, ts BIGINT NOT NULL, by TEXT NOT NULL, "
    "from_mode TEXT NOT NULL, to_mode TEXT NOT NULL, until BIGINT, note TEXT)",
    f"CREATE INDEX IF NOT EXISTS {CHANGES_TABLE}_ts ON {CHANGES_TABLE} (ts)",
    f"CREATE TABLE IF NOT EXISTS {RELOADS_TABLE} (id BIGINT NOT NULL PRIMARY KEY, by TEXT NOT NULL, "
    "ts BIGINT NOT NULL)",
    f"CREATE TABLE IF NOT EXISTS {OUTCOMES_TABLE} (id BIGINT NOT NULL, process TEXT NOT NULL, outcome TEXT NOT NULL, "
    "PRIMARY KEY (id, process))",
)
# The history keeps so many changes.
MOST_CHANGES = 1_000
MOST_NOTE_CHARACTERS = ADMIN_LIMITS["note_characters"]
MOST_BY_CHARACTERS = 255
# No request for a reload has a greater number. With it, the next one would not fit into the table.
LAST_RELOAD = 2**53 - 1


@attr.s(frozen=True, slots=True, auto_attribs=True, kw_only=True)
class Override:
    """A mode that an admin has set. Times are in milliseconds since the epoch."""

    mode: Mode
    # The admin's user id, or `command`.
    by: str
    ts: int
    # When it ends by itself.
    until: int | None = None
    note: str | None = None

    def lasts(self, now: int) -> bool:
        """Whether it has not ended by itself."""
        return self.until is None or now < self.until

    def when_and_why(self) -> str:
        """The end of a sentence about who has set it."""
        until = "" if self.until is None else f", until {local_time(self.until)}"
        note = f": {one_line(self.note)}" if self.note else ""
        return f"at {local_time(self.ts)}{until}{note}"


@attr.s(frozen=True, slots=True, auto_attribs=True, kw_only=True)
class Change:
    """A line of the history. `to_mode` is the mode that was in force then, also where the YAML's came back."""

    module: str
    ts: int
    by: str
    from_mode: str
    to_mode: str
    until: int | None
    note: str | None


@attr.s(frozen=True, slots=True, auto_attribs=True, kw_only=True)
class Reading:
    """What one look at the tables has found."""

    overrides: Mapping[str, Override]
    # The newest request for a reload.
    latest_reload: int


def are_made(txn: Txn, postgres: bool) -> bool:
    """Whether the tables exist."""
    return is_made(txn, MODES_TABLE, postgres)


def make(txn: Txn) -> None:
    """Makes the tables that do not exist yet."""
    for statement in CREATE:
        txn.execute(statement)


def read(txn: Txn) -> Reading:
    """Everything that each process looks at regularly, in one query.

    A row that no bridge writes counts for nothing: it must not keep the others from being read.
    """
    # Nobody wants a text that is longer than it may be, each second.
    texts = f"SUBSTR(m.by, 1, {MOST_BY_CHARACTERS}), m.ts, m.until, SUBSTR(m.note, 1, {MOST_NOTE_CHARACTERS})"
    txn.execute(
        f"SELECT latest.id, m.module, m.mode, {texts} "
        f"FROM (SELECT MAX(id) AS id FROM {RELOADS_TABLE} WHERE id <= ?) latest LEFT JOIN {MODES_TABLE} m ON 1 = 1",
        (LAST_RELOAD,),
    )
    rows = txn.fetchall()
    read = {module: _override(*row) for _, module, *row in rows if isinstance(module, str)}
    overrides = {module: override for module, override in read.items() if override is not None}
    return Reading(overrides=overrides, latest_reload=rows[0][0] or 0)


def _override(mode: Any, by: Any, ts: Any, until: Any, note: Any) -> Override | None:
    """The columns of a row; None where it is none of the bridge's. SQLite keeps values of any type in any column."""
    times = (ts,) if until is None else (ts, until)
    if mode not in MODES or not all(isinstance(time, int) and 0 <= time <= LAST_TS for time in times):
        return None
    if not isinstance(by, str) or not isinstance(note, str | None):
        return None
    return Override(mode=mode, by=by, ts=ts, until=until, note=note)


def override(txn: Txn, module: str, wanted: Override, yaml_mode: Mode) -> None:
    """Sets a module's mode, in place of the one that was set before."""
    before = _in_force(txn, module, yaml_mode, wanted.ts)
    txn.execute(
        f"INSERT INTO {MODES_TABLE} (module, mode, by, ts, until, note) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (module) DO UPDATE SET mode = excluded.mode, by = excluded.by, ts = excluded.ts, "
        "until = excluded.until, note = excluded.note",
        (module, wanted.mode, wanted.by, wanted.ts, wanted.until, wanted.note),
    )
    _note(txn, module, before, wanted.mode, wanted)


def reset(txn: Txn, module: str, yaml_mode: Mode, by: str, ts: int, note: str | None = None) -> bool:
    """Lets the YAML's mode come back. Returns whether another was set."""
    before = _in_force(txn, module, yaml_mode, ts)
    txn.execute(f"SELECT 1 FROM {MODES_TABLE} WHERE module = ?", (module,))
    if txn.fetchone() is None:
        return False
    txn.execute(f"DELETE FROM {MODES_TABLE} WHERE module = ?", (module,))
    _note(txn, module, before, yaml_mode, Override(mode=yaml_mode, by=by, ts=ts, note=note))
    return True


def end(txn: Txn, module: str, until: int, yaml_mode: Mode) -> None:
    """Removes a mode that has ended by itself, unless another was set meanwhile."""
    txn.execute(f"SELECT mode FROM {MODES_TABLE} WHERE module = ? AND until = ?", (module, until))
    row = txn.fetchone()
    if row is None:
        return
    txn.execute(f"DELETE FROM {MODES_TABLE} WHERE module = ? AND until = ?", (module, until))
    _note(txn, module, row[0], yaml_mode, Override(mode=yaml_mode, by="until", ts=until))


def changes(txn: Txn, module: str | None, limit: int) -> list[Change]:
    """The history, the newest change first."""
    where, values = ("", ()) if module is None else ("WHERE module = ? ", (module,))
    txn.execute(
        f"SELECT module, ts, by, from_mode, to_mode, until, note FROM {CHANGES_TABLE} {where}ORDER BY ts DESC LIMIT ?",
        (*values, limit),
    )
    names = ("module", "ts", "by", "from_mode", "to_mode", "until", "note")
    return [Change(**dict(zip(names, row, strict=True))) for row in txn.fetchall()]


def _in_force(txn: Txn, module: str, yaml_mode: Mode, now: int) -> str:
    txn.execute(f"SELECT mode, by, ts, until, note FROM {MODES_TABLE} WHERE module = ?", (module,))
    row = txn.fetchone()
    found = None if row is None else _override(*row)
    return yaml_mode if found is None or not found.lasts(now) else found.mode


def _note(txn: Txn, module: str, before: str, after: str, what: Override) -> None:
    txn.execute(
        f"INSERT INTO {CHANGES_TABLE} (module, ts, by, from_mode, to_mode, until, note) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (module, what.ts, what.by, before, after, what.until, what.note),
    )
    txn.execute(f"SELECT ts FROM {CHANGES_TABLE} ORDER BY ts DESC LIMIT 1 OFFSET ?", (MOST_CHANGES,))
    row = txn.fetchone()
    if row is not None:
        txn.execute(f"DELETE FROM {CHANGES_TABLE} WHERE ts <= ?", (row[0],))


def note_of(text: str | None) -> str | None:
    """The note as it is kept; None where there is none. Raises ValueError where a database could not keep it."""
    if not text:
        return None
    if len(text) > MOST_NOTE_CHARACTERS:
        raise ValueError(f"note may have at most {MOST_NOTE_CHARACTERS} characters, and this one has {len(text)}")
    # A database takes no half of a surrogate pair, and PostgreSQL no NUL.
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("note must be well-formed Unicode, without the character U+0000")
    return text
