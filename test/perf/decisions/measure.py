"""Measures what the record of decisions costs, and how long its questions take on many rows. Prints tables.

    measure.py ROWS [--postgres]

On SQLite, in a file of its own; or on the PostgreSQL of PGHOST and the like.
"""

import argparse
import importlib
import os
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from synapse.storage.database import LoggingTransaction
from synapse.storage.engines import PostgresEngine, Sqlite3Engine
from synapse_module_bridge.calls.decision import Decision
from synapse_module_bridge.configuration.config import KeptDecisions
from synapse_module_bridge.shared.decision_expiry import DecisionExpiry
from synapse_module_bridge.shared.decision_table import (
    HOUR_MS,
    HOURLY,
    HOURLY_SHADOW,
    KINDS,
    TABLE,
    Kind,
    Stored,
    decision_tables,
    first_id,
    write,
)
from synapse_module_bridge.shared.decision_writer import DecisionWriter
from synapse_module_bridge.shared.decisions import Decisions, Filters
from synapse_module_bridge.shared.hourly import Hourly, write_counters
from synapse_module_bridge.supervision.versions import Version
from twisted.internet.defer import ensureDeferred
from twisted.internet.task import Clock

DAY_MS = 24 * HOUR_MS
NOW_MS = 1_800_000_000_000
DAYS = 30
USERS, ROOMS, VERSIONS = 50_000, 5_000, 20
# Rows that were written by somebody who never stops.
BUSY = 0.05
MODULES = ("no-links", "invites", "media", "rooms", "new-idea")
CALLBACKS = ("check_event_for_spam", "user_may_invite", "check_media_file_for_spam", "user_may_create_room")
PROCESSES = ("main", "worker1", "worker2", "worker3")
AT_ONCE = 1_000


class Database:
    """What the tables need of Synapse's ModuleApi. The longest transaction is what others wait for on SQLite."""

    def __init__(self, connection: Any, engine: Any) -> None:
        self.connection = connection
        self.engine = engine
        self.longest = 0.0

    def should_run_background_tasks(self) -> bool:
        return True

    async def run_db_interaction(self, desc: str, func: Callable[[Any], Any], **_: Any) -> Any:
        began = time.perf_counter()
        txn = LoggingTransaction(
            txn=self.connection.cursor(), name=desc, server_name="test", database_engine=self.engine
        )
        result = func(txn)
        self.connection.commit()
        self.longest = max(self.longest, time.perf_counter() - began)
        return result

    def one(self, sql: str) -> Any:
        cursor = self.connection.cursor()
        cursor.execute(sql)
        return cursor.fetchone()[0]


def done(awaitable: Awaitable[Any]) -> Any:
    results: list[Any] = []
    ensureDeferred(awaitable).addBoth(results.append)  # type: ignore[arg-type]
    [result] = results
    if hasattr(result, "raiseException"):
        result.raiseException()
    return result


def rows(count: int) -> Iterator[list[Stored]]:
    chance = random.Random(1)
    batch = []
    for number in range(count):
        ts = NOW_MS - DAYS * DAY_MS + DAYS * DAY_MS * number // count
        version = number * VERSIONS // count
        module = chance.choice(MODULES)
        outcome = "would_refuse" if module == "new-idea" else chance.choice(("refused", "refused", "refused", "policy"))
        kind = Kind(
            *(module, chance.choice(CALLBACKS), outcome, chance.choice(PROCESSES)),
            *(f"{version:012x}", "0123456789ab"),
        )
        user = "@busy:example.org" if chance.random() < BUSY else f"@user{chance.randrange(USERS)}:example.org"
        room = f"!{chance.randrange(ROOMS):018d}:example.org"
        reason = "a link to a domain that is not allowed" if chance.random() < 0.5 else None
        really = "allowed" if module == "new-idea" else None
        at = user, room, f"${number:043d}"
        batch.append(Stored(first_id(ts) + number % 1000, kind, ts, 1, *at, "M_FORBIDDEN", reason, None, really))
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    yield batch


def fill(database: Database, count: int) -> None:
    api: Any = database
    tables = decision_tables(api)
    for batch in rows(count):
        done(tables.interact(partial(write, inserted=batch, updated=[])))
    for hour in range(DAYS * 24):
        at = NOW_MS - NOW_MS % HOUR_MS - hour * HOUR_MS
        calls = {
            (module, callback, int(module == "new-idea")): [100] * 18 for module in MODULES for callback in CALLBACKS
        }
        shadow = {("new-idea", callback, "would_refuse", "allowed"): 7 for callback in CALLBACKS}
        done(tables.interact(partial(write_counters, hour=at, calls=calls, shadow=shadow)))


def milliseconds(ask: Callable[[int], object], times: int) -> str:
    took = []
    for number in range(times):
        began = time.perf_counter()
        ask(number)
        took.append((time.perf_counter() - began) * 1000)
    return f"{statistics.median(took):.1f} | {max(took):.1f}"


def find(decisions: Decisions, filters: Callable[[int], Filters], number: int) -> None:
    done(decisions.find(filters(number)))


def questions(database: Database, count: int) -> None:
    api: Any = database
    decisions, hourly = Decisions(api), Hourly(api)
    monday, month = NOW_MS - 5 * DAY_MS, NOW_MS - 30 * DAY_MS
    asked: dict[str, Callable[[int], Filters]] = {
        "the newest 100": lambda number: Filters(),
        "a user": lambda number: Filters(user=f"@user{number}:example.org"),
        "a user with 5 % of all rows": lambda number: Filters(user="@busy:example.org"),
        "a room": lambda number: Filters(room=f"!{number:018d}:example.org"),
        "an event": lambda number: Filters(event=f"${number * 1000:043d}"),
        "a module since Monday, 1,000 rows": lambda number: Filters(
            module=MODULES[number % 5], outcome="refused", since=monday, limit=1000
        ),
        "a module under its first version": lambda number: Filters(module=MODULES[number % 5], files="0" * 12),
        "one version of any module": lambda number: Filters(files=f"{number % VERSIONS:012x}"),
        "a user and a module": lambda number: Filters(user=f"@user{number}:example.org", module="media"),
        "the busy user, what never happened": lambda number: Filters(user="@busy:example.org", outcome="replaced"),
        "the busy user in a room": lambda number: Filters(user="@busy:example.org", room=f"!{number:018d}:example.org"),
        "an outcome that never happened": lambda number: Filters(outcome="replaced"),
        "the last page": lambda number: Filters(from_=str(first_id(month + DAY_MS // 24)), since=month),
    }
    print(f"\n| question, on {count:,} rows | median ms | longest ms |\n|---|---|---|")
    for what, filters in asked.items():
        print(f"| {what} | {milliseconds(partial(find, decisions, filters), 20)} |")
    print(f"| shadow report of a month | {milliseconds(lambda _: done(decisions.shadow(month)), 5)} |")
    print(f"| counters of a day | {milliseconds(lambda _: done(hourly.counters(NOW_MS - DAY_MS)), 5)} |")
    print(f"| counters of a month | {milliseconds(lambda _: done(hourly.counters(month)), 5)} |")


def decision(number: int) -> Decision:
    at = f"@flood{number}:example.org", f"!{number % 50}:example.org", f"${number:043d}"
    version = Version("0123456789ab", "0123456789ab")
    reason = ("a link to a domain that is not allowed", '{"host":"evil.example"}')
    return Decision("check_event_for_spam", "no-links", "refused", "M_FORBIDDEN", *reason, *at, version, None)


def writing(database: Database) -> None:
    api: Any = database
    clock = Clock()
    run: Any = lambda func: ensureDeferred(func())  # noqa: E731
    now = [NOW_MS / 1000]
    writer = DecisionWriter(
        decision_tables(api), "main", "test", run, clock, lambda decision, really: None, lambda: now[0]
    )

    def microseconds(decisions: list[Decision]) -> float:
        began = time.perf_counter()
        for one in decisions:
            writer.keep(one)
        return (time.perf_counter() - began) / len(decisions) * 1e6

    print("\n| cost | |\n|---|---|")
    print(f"| a refusal on the reactor, always the same | {microseconds([decision(1)] * 100_000):.1f} µs |")
    clock.advance(2)
    now[0] += 100
    print(f"| a refusal of a flood, by 100,000 users | {microseconds([*map(decision, range(100_000))]):.1f} µs |")
    clock.advance(2)
    stored, dropped, batches, reactor = database.one(f"SELECT COUNT(*) FROM {TABLE}"), writer.dropped, [], 0.0
    for second in range(30):
        now[0] += 1
        reactor += microseconds([decision(second * 1000 + number) for number in range(1000)]) * 1000
        began = time.perf_counter()
        clock.advance(1)
        batches.append((time.perf_counter() - began) * 1000)
    stored = database.one(f"SELECT COUNT(*) FROM {TABLE}") - stored
    print(f"| flood of 1,000 a second, 30 s: rows | {stored:,}, {writer.dropped - dropped:,} only counted |")
    print(f"| … time of the reactor in a second | {reactor / 30 / 1000:.2f} ms |")
    print(f"| … a batch of 50 rows | {statistics.median(batches):.1f} ms, at most {max(batches):.1f} ms |")


def removing(database: Database, count: int) -> None:
    api: Any = database
    many = min(count // 10, 20_000)
    kept = KeptDecisions(keep_ms=365 * DAY_MS, limit=database.one(f"SELECT COUNT(*) FROM {TABLE}") - many)
    for what, remove in (
        (f"removing {many:,} rows", DecisionExpiry(api, kept, lambda: NOW_MS / 1000).remove),
        ("erasing 5 % of all rows", partial(Decisions(api).erase, "@busy:example.org")),
    ):
        database.longest = 0
        began = time.perf_counter()
        done(remove())
        seconds, longest = time.perf_counter() - began, database.longest * 1000
        print(f"| {what} | {seconds:.1f} s, the longest transaction {longest:.0f} ms |")


def measure(database: Database, count: int, size: Callable[[], int]) -> None:
    fill(database, count)
    print(f"bytes for each row, with its indexes: {size() / count:.0f}")
    questions(database, count)
    writing(database)
    removing(database, count)


def on_postgres(count: int) -> None:
    psycopg2: Any = importlib.import_module("psycopg2")
    config: Any = {}
    database = Database(psycopg2.connect(""), PostgresEngine(config))
    tables = (TABLE, KINDS, HOURLY, HOURLY_SHADOW)
    try:
        measure(database, count, lambda: database.one(f"SELECT pg_total_relation_size('{TABLE}')"))
    finally:
        database.connection.rollback()
        for table in tables:
            database.connection.cursor().execute(f"DROP TABLE IF EXISTS {table}")
        database.connection.commit()


def on_sqlite(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "homeserver.db")
        config: Any = {}
        connection = sqlite3.connect(path)
        measure(Database(connection, Sqlite3Engine(config)), count, lambda: os.stat(path).st_size)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", type=int)
    parser.add_argument("--postgres", action="store_true")
    given = parser.parse_args()
    (on_postgres if given.postgres else on_sqlite)(given.rows)
