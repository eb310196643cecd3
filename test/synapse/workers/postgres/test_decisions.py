"""The record of decisions on a real PostgreSQL, by two processes at the same time."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from deciding import START, Process
from postgres_run import ENGINE, connect, transaction
from synapse.storage.database import LoggingTransaction
from synapse.storage.engines import PostgresEngine
from synapse_module_bridge.configuration.config import KeptDecisions
from synapse_module_bridge.shared.decision_expiry import DecisionExpiry
from synapse_module_bridge.shared.decision_table import HOURLY, HOURLY_SHADOW, KINDS, TABLE
from synapse_module_bridge.shared.decisions import Decisions, Filters
from synapse_module_bridge.shared.hourly import Hourly
from synapse_module_bridge.telemetry import metrics
from turning import outcome
from twisted.internet.defer import ensureDeferred


class Database:
    """What the tables need of Synapse's ModuleApi, over a connection of its own."""

    def __init__(self) -> None:
        self.connection = connect()

    def should_run_background_tasks(self) -> bool:
        return True

    async def run_db_interaction(self, desc: str, func: Callable[[Any], Any], **more: Any) -> Any:
        level = ENGINE.isolation_level_map[more["isolation_level"]]
        self.connection.set_isolation_level(level)
        try:
            result = func(transaction(self.connection, desc))
        except BaseException:
            self.connection.rollback()
            raise
        self.connection.commit()
        return result


def result(awaitable: Any) -> Any:
    found: Any = outcome(ensureDeferred(awaitable))
    if isinstance(found, Exception):
        raise found
    return found


@pytest.fixture
def databases() -> Iterator[list[Any]]:
    assert isinstance(ENGINE, PostgresEngine)
    databases = [Database(), Database()]
    yield databases
    cursor = databases[0].connection.cursor()
    for table in (TABLE, KINDS, HOURLY, HOURLY_SHADOW):
        cursor.execute(f"DROP TABLE IF EXISTS {table}")
    databases[0].connection.commit()
    for database in databases:
        database.connection.close()


def test_what_is_written_is_found_and_erased(databases: list[Any]) -> None:
    processes = [Process(database, f"worker{number}") for number, database in enumerate(databases)]
    for process in processes:
        for number in range(20):
            process.decide(user=f"@u{number % 4}:test", room=f"!{number}:test", details='{"a":"\\u0000\\ud800"}')
        process.decide(user="@\0:test", reason="\0\ud800", details="\0")
        process.object("refused")
        process.advance(2)
    decisions = Decisions(databases[0])
    rows, more = result(decisions.find(Filters(limit=1000)))
    assert len(rows) == 44 and more is None
    rows, more = result(decisions.find(Filters(limit=7, module="no-links", since=int(START * 1000))))
    assert len(rows) == 7
    assert rows[-1]["id"] == more
    rows, _ = result(decisions.find(Filters(limit=1000, module="no-links", from_=more)))
    assert len(rows) == 42 - 7
    assert len(result(decisions.find(Filters(user="@u1:test", module="no-links", files="f" * 12)))[0]) == 10
    assert len(result(decisions.find(Filters(room="!3:test")))[0]) == 2
    assert len(result(decisions.find(Filters(event="$e", outcome="would_refuse")))[0]) == 2
    assert result(decisions.find(Filters(user="\0"))) == ([], None)
    assert result(decisions.erase("@u1:test")) == 10
    assert result(decisions.erase("\ud800")) == 0
    kept = KeptDecisions(keep_ms=60_000, limit=10)
    result(DecisionExpiry(databases[1], kept, lambda: START + 2).remove())
    assert len(result(decisions.find(Filters(limit=1000)))[0]) == 10
    result(DecisionExpiry(databases[1], kept, lambda: START + 3 * 3600).remove())
    assert result(decisions.find(Filters())) == ([], None)


def test_hours_and_shadow_reports_are_those_of_all_processes(databases: list[Any]) -> None:
    for number, database in enumerate(databases):
        process = Process(database, f"hours{number}")
        count = metrics.MODULES.begin("new-idea", "check_event_for_spam", f"hours{number}")
        count.passed = 100
        for _ in range(100):
            count.took(0.002)
        process.object("allowed", user="@eve:test")
        process.advance(1)
        result(process.hourly.write())
        del metrics.MODULES._counts["new-idea", "check_event_for_spam", f"hours{number}"]
    [hour] = result(Hourly(databases[0]).counters(int(START * 1000)))
    assert (hour["calls"], hour["p50_ms"]) == (200, pytest.approx(1.75))
    [report] = result(Decisions(databases[0]).shadow(int(START * 1000)))
    assert (report["asked"], report["would_refuse"], report["really"]) == (200, 2, {"allowed": 2})
    assert report["users"] == [{"id": "@eve:test", "count": 2}]


def test_two_processes_that_write_at_once_lose_nothing(databases: list[Any]) -> None:
    counts = 40
    failures: list[BaseException] = []

    def work(number: int) -> None:
        process = Process(databases[number], f"at-once{number}")
        try:
            for _ in range(counts):
                for module in ("b", "a", "c"):
                    process.object(module=module, user=f"@u{number}:test")
                process.advance(1)
                result(process.hourly.write())
            result(process.writer.finish())
        except BaseException as e:
            failures.append(e)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    reports = result(Decisions(databases[0]).shadow(int(START * 1000)))
    assert [report["would_refuse"] for report in reports] == [2 * counts] * 3
    rows, _ = result(Decisions(databases[0]).find(Filters(limit=1000)))
    assert sum(row["count"] for row in rows) == 2 * 3 * counts


def test_the_index_of_what_is_asked_for_is_used(databases: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    process = Process(databases[0])
    for number in range(50):
        process.decide(user=f"@u{number}:test", room=f"!{number}:test", event=f"${number}")
    process.advance(2)
    plans: list[str] = []
    execute = LoggingTransaction.execute

    def execute_and_explain(txn: LoggingTransaction, sql: str, parameters: Any = ()) -> None:
        if sql.startswith("SELECT") and TABLE in sql:
            execute(txn, "SET LOCAL enable_seqscan = off")
            execute(txn, f"EXPLAIN {sql}", parameters)
            plans.append("\n".join(line for (line,) in txn.fetchall()))
        execute(txn, sql, parameters)

    monkeypatch.setattr(LoggingTransaction, "execute", execute_and_explain)
    for filters, index in (
        (Filters(user="@u1:test", module="no-links"), "user"),
        (Filters(room="!1:test"), "room"),
        (Filters(event="$1"), "event"),
        (Filters(module="no-links", since=1), "kind"),
    ):
        del plans[:]
        result(Decisions(databases[0]).find(filters))
        assert f"{TABLE}_{index}" in plans[0]
