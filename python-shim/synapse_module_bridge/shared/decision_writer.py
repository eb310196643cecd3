"""Gathers the decisions of this process, and writes them to Synapse's database in batches.

A decision costs the reactor a look-up. Equal ones within a minute are one row with a count. There are so many new rows
in a second: a flood is counted and not stored. While the database is slow or fails, rows wait, and only so many.
"""

import logging
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import attr
from synapse.logging.context import PreserveLoggingContext, make_deferred_yieldable
from twisted.internet.defer import DeferredLock

from synapse_module_bridge.calls.decision import Decision, Really
from synapse_module_bridge.reactor.background import Run
from synapse_module_bridge.reactor.unexpected import log_unexpected
from synapse_module_bridge.schema.admin import ADMIN_LIMITS
from synapse_module_bridge.shared.decision_table import (
    NUMBERS,
    Kind,
    Stored,
    first_id,
    write,
)
from synapse_module_bridge.shared.safe_text import (
    MOST_ANSWER_CHARACTERS,
    MOST_REASON_CHARACTERS,
    safe_details,
    safe_id,
    safe_text,
)
from synapse_module_bridge.storage.own_tables import OwnTables
from synapse_module_bridge.supervision.versions import Version
from synapse_module_bridge.telemetry import metrics
from synapse_module_bridge.telemetry.outcomes import WOULD

logger = logging.getLogger("synapse_module_bridge.decisions")

MOST_A_SECOND = ADMIN_LIMITS["decisions_a_second"]
# Of these, shadow modules and the failure policy get so many. What modules really refuse has a place left.
MOST_OTHERS_A_SECOND = MOST_A_SECOND // 2
# Of these, one user gets so many, and the users of one other server: nobody hides others by a flood.
MOST_OF_A_USER_A_SECOND = MOST_A_SECOND // 5
MOST_OF_A_SERVER_A_SECOND = MOST_A_SECOND // 2
# What modules have really decided.
_BY_MODULES = frozenset({"refused", "replaced", "edited", "error", "fault"})
_OF_SHADOWS = frozenset(WOULD.values())
SPAN_MS = 60_000
PAUSE_SECONDS = 1.0
# After failures of the database.
LONGEST_PAUSE_SECONDS = 30.0
# Rows that wait for the database.
MOST_UNWRITTEN = 20 * MOST_A_SECOND
MOST_INSERTED_AT_ONCE = 2 * MOST_A_SECOND
MOST_UPDATED_AT_ONCE = 4 * MOST_A_SECOND
# Objections of shadow modules wait for what is really decided: so many, and so long.
MOST_WAITING = 1_000
WAIT_SECONDS = 10.0
# How often the log says that decisions are not stored.
TELL_SECONDS = 60.0

_Key = tuple[str, str, str, str | None, str | None, Version | None, str | None]


@attr.s(slots=True, auto_attribs=True, eq=False)
class _Row:
    id: int
    ts: int
    kind: Kind
    ids: tuple[str | None, str | None, str | None]
    texts: tuple[str | None, str | None, str | None]
    really: str | None
    last_ts: int
    count: int = 1
    is_stored: bool = False

    def takes(self, ts: int) -> bool:
        """Whether an equal decision of that time is counted in this row. The system's clock may have been set back."""
        return abs(ts - self.ts) < SPAN_MS

    def stored(self) -> Stored:
        return Stored(self.id, self.kind, self.last_ts, self.count, *self.ids, *self.texts, self.really)


class DecisionWriter:
    """`run` runs something in the background; `clock` is an IReactorTime; `now` gives seconds since the epoch.

    `note_shadow` gets each decision of a shadow module, also of a flood, and what was really decided.
    """

    def __init__(
        self,
        tables: OwnTables,
        process: str,
        server_name: str,
        run: Run,
        clock: Any,
        note_shadow: Callable[[Decision, str | None], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._tables = tables
        self._process = process
        self._server_name = server_name
        self._run = run
        self._clock = clock
        self._note_shadow = note_shadow
        self._now = now
        # The rows of the last minute, the oldest first.
        self._rows: dict[_Key, _Row] = {}
        # Those to insert, and those whose count has changed since they were stored.
        self._unwritten: dict[_Row, None] = {}
        self._changed: dict[_Row, None] = {}
        # Objections of shadow modules, with their time.
        self._waiting: list[tuple[int, Decision, Really]] = []
        self._number = random.randrange(NUMBERS)
        self._second, self._in_second = 0, 0
        # In this second, by user, and by server.
        self._of_user: Counter[str] = Counter()
        self._of_server: Counter[str] = Counter()
        self._timer: Any = None
        self._is_writing = False
        # Batches never overlap.
        self._lock = DeferredLock()
        self._pause = PAUSE_SECONDS
        # How many decisions were counted and not stored.
        self.dropped = 0
        self._untold = 0
        self._metric = metrics.DECISIONS_DROPPED.labels(server_name)

    def keep(self, decision: Decision) -> None:
        """Takes a decision, which is written within about a second. Never raises."""
        try:
            ts = int(self._now() * 1000)
            really = decision.really
            if really is not None and not really.is_known and len(self._waiting) < MOST_WAITING:
                self._waiting.append((ts, decision, really))
            else:
                self._count(decision, ts)
            self._write_soon()
        except Exception as e:
            log_unexpected("keeping a decision", e)

    def _count(self, decision: Decision, ts: int) -> None:
        really = decision.really.outcome if decision.really is not None else None
        if decision.outcome in _OF_SHADOWS:
            self._note_shadow(decision, really)
        user, room = safe_id(decision.user, "@"), safe_id(decision.room, "!")
        key = (decision.module, decision.callback, decision.outcome, user, room, decision.version, really)
        row = self._rows.get(key)
        if row is not None and row.takes(ts):
            row.count += 1
            row.last_ts = max(ts, row.last_ts)
            if row.is_stored:
                self._changed[row] = None
        elif self._admits(decision, user):
            # In the order of their time.
            self._rows.pop(key, None)
            row = self._rows[key] = self._new(decision, ts, user, room, really)
            self._unwritten[row] = None
        else:
            self._drop()

    def _admits(self, decision: Decision, user: str | None) -> bool:
        # Of now: objections that have waited are older.
        second = int(self._now())
        if second != self._second:
            self._second, self._in_second = second, 0
            self._of_user.clear()
            self._of_server.clear()
        most = MOST_A_SECOND if decision.outcome in _BY_MODULES else MOST_OTHERS_A_SECOND
        if self._in_second >= most or len(self._unwritten) >= MOST_UNWRITTEN:
            return False
        if user is not None and not self._admits_user(user):
            return False
        self._in_second += 1
        return True

    def _admits_user(self, user: str) -> bool:
        server = user.partition(":")[2]
        if self._of_user[user] >= MOST_OF_A_USER_A_SECOND:
            return False
        if server != self._server_name and self._of_server[server] >= MOST_OF_A_SERVER_A_SECOND:
            return False
        self._of_user[user] += 1
        self._of_server[server] += 1
        return True

    def _new(self, decision: Decision, ts: int, user: str | None, room: str | None, really: str | None) -> _Row:
        self._number = (self._number + 1) % NUMBERS
        version = decision.version or Version("", "")
        module = safe_text(decision.module, MOST_REASON_CHARACTERS) or ""
        return _Row(
            id=first_id(ts) + self._number,
            ts=ts,
            kind=Kind(module, decision.callback, decision.outcome, self._process, *version),
            ids=(user, room, safe_id(decision.event, "$")),
            texts=(
                safe_text(decision.answer, MOST_ANSWER_CHARACTERS),
                safe_text(decision.reason, MOST_REASON_CHARACTERS),
                safe_details(decision.details),
            ),
            really=really,
            last_ts=ts,
        )

    def _drop(self) -> None:
        self.dropped += 1
        self._metric.inc()
        if self._untold == 0:
            self._clock.callLater(TELL_SECONDS, self._tell)
        self._untold += 1

    def _tell(self) -> None:
        logger.warning(
            "%d decisions were not stored within %.0f s: there were too many in a second, or the database is slow",
            self._untold,
            TELL_SECONDS,
        )
        self._untold = 0

    def _write_soon(self) -> None:
        if self._timer is None and not self._is_writing and (self._waiting or self._unwritten or self._changed):
            self._timer = self._clock.callLater(self._pause, self._begin)

    def _begin(self) -> None:
        self._timer = None
        self._run(self._write)

    async def _write(self) -> None:
        """Writes one batch, and has the next one written if there is more."""
        self._is_writing = True
        try:
            self._settle()
            await self._write_batch()
            self._pause = PAUSE_SECONDS
        except Exception as e:
            # Its text may have what the row has.
            logger.warning("decisions cannot be written to the database (%s): they wait", type(e).__name__)
            self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)
        finally:
            self._is_writing = False
            self._forget_old()
            self._write_soon()

    async def finish(self) -> None:
        """Writes what is left."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self._settle(at_once=True)
        while self._unwritten or self._changed:
            await self._write_batch()

    def _settle(self, *, at_once: bool = False) -> None:
        """Counts the objections for which it is known what was really decided, and those that have waited enough."""
        now = self._now() * 1000
        waiting, self._waiting = self._waiting, []
        for ts, decision, really in waiting:
            # The system's clock may have been set back.
            has_waited = abs(now - ts) >= WAIT_SECONDS * 1000
            if really.is_known or at_once or has_waited:
                self._count(decision, ts)
            else:
                self._waiting.append((ts, decision, really))

    async def _write_batch(self) -> None:
        await make_deferred_yieldable(self._lock.acquire())
        try:
            await self._write_some()
        finally:
            with PreserveLoggingContext():
                self._lock.release()

    async def _write_some(self) -> None:
        new = list(self._unwritten)[:MOST_INSERTED_AT_ONCE]
        changed = list(self._changed)[:MOST_UPDATED_AT_ONCE]
        if not new and not changed:
            return
        inserted, updated = [row.stored() for row in new], [row.stored() for row in changed]
        await self._tables.interact(lambda txn: write(txn, inserted, updated))
        for row, stored in zip(new, inserted, strict=True):
            del self._unwritten[row]
            row.is_stored = True
            if row.count != stored.times:
                self._changed[row] = None
        for row, stored in zip(changed, updated, strict=True):
            if row.count == stored.times:
                del self._changed[row]

    def _forget_old(self) -> None:
        now = int(self._now() * 1000)
        while self._rows:
            key, row = next(iter(self._rows.items()))
            if row.takes(now):
                return
            del self._rows[key]
