"""Decisions become rows: which, how many, and what happens while the database is slow or fails."""

import random
from typing import Any

import pytest
from counted import count
from deciding import START, Process, decision, really
from own_database import Database
from synapse_module_bridge.calls.decision import Really
from synapse_module_bridge.shared.decision_table import HOURLY_SHADOW, KINDS, TABLE, ts_of
from synapse_module_bridge.shared.decision_writer import (
    MOST_A_SECOND,
    MOST_OF_A_SERVER_A_SECOND,
    MOST_OF_A_USER_A_SECOND,
    MOST_OTHERS_A_SECOND,
    MOST_UNWRITTEN,
    MOST_WAITING,
    WAIT_SECONDS,
)
from synapse_module_bridge.shared.safe_text import MOST_ANSWER_CHARACTERS, MOST_REASON_CHARACTERS
from synapse_module_bridge.supervision.versions import Version
from turning import outcome
from twisted.internet.defer import ensureDeferred


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def process(database: Database) -> Process:
    return Process(database)


def counts(database: Database) -> list[int]:
    return [times for (times,) in database.rows(f"SELECT count FROM {TABLE} ORDER BY id")]


def total(database: Database) -> int:
    return sum(counts(database))


def test_a_decision_is_a_row_with_its_version_within_about_a_second(process: Process, database: Database) -> None:
    process.decide(reason="a link", details='{"host":"evil.example"}')
    process.advance(1)
    [row] = database.rows(f"SELECT * FROM {TABLE} JOIN {KINDS} ON kind = {KINDS}.id")
    row_id, _, last_ts, *rest = row
    assert ts_of(row_id) == last_ts == START * 1000
    assert rest[:8] == [1, "@eve:test", "!r:test", "$e", "M_FORBIDDEN", "a link", '{"host":"evil.example"}', None]
    assert rest[9:15] == ["no-links", "check_event_for_spam", "refused", "main", "f" * 12, "c" * 12]


def test_equal_decisions_within_a_minute_are_one_row_with_a_count(process: Process, database: Database) -> None:
    for _ in range(40):
        process.decide()
        process.advance(1)
    process.advance(2)
    assert counts(database) == [40]
    assert database.rows(f"SELECT last_ts FROM {TABLE}") == [((START + 39) * 1000,)]
    process.advance(20)
    process.decide()
    process.advance(1)
    assert counts(database) == [40, 1]


@pytest.mark.parametrize(("seconds", "rows"), [(59.5, [2]), (60, [1, 1])])
def test_a_minute_of_equal_decisions_begins_with_the_first(
    process: Process, database: Database, seconds: float, rows: list[int]
) -> None:
    process.decide()
    process.advance(seconds)
    process.decide()
    process.advance(1)
    assert counts(database) == rows


@pytest.mark.parametrize(
    "other",
    [
        {"user": "@mallory:test"},
        {"user": None},
        {"room": "!other:test"},
        {"module": "other"},
        {"callback": "check_event_allowed"},
        {"outcome": "replaced"},
        {"version": Version("new", "c")},
        {"version": None},
    ],
)
def test_what_differs_is_a_row_of_its_own(process: Process, database: Database, other: Any) -> None:
    for _ in range(3):
        process.decide()
        process.decide(**other)
    process.advance(1)
    assert counts(database) == [3, 3]


def test_the_event_and_the_texts_are_those_of_the_first_decision(process: Process, database: Database) -> None:
    process.decide(event="$first", reason="one")
    process.decide(event="$second", reason="two")
    process.advance(1)
    assert database.rows(f"SELECT event_id, reason, count FROM {TABLE}") == [("$first", "one", 2)]


def test_a_flood_is_counted_and_not_stored(
    process: Process, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    before = count("decisions_dropped_total", server_name="test")
    for second in range(3):
        for number in range(1_000):
            process.decide(user=f"@u{second}.{number}:test")
        process.advance(1)
    process.advance(3)
    assert len(counts(database)) == 3 * MOST_A_SECOND
    assert process.writer.dropped == 3 * (1_000 - MOST_A_SECOND)
    assert count("decisions_dropped_total", server_name="test") == before + process.writer.dropped
    assert caplog.messages == []
    process.advance(60)
    assert [line.split(":")[0] for line in caplog.messages] == [
        f"{process.writer.dropped} decisions were not stored within 60 s"
    ]


def test_it_is_told_after_each_minute_in_which_a_decision_was_not_stored(
    process: Process, caplog: pytest.LogCaptureFixture
) -> None:
    for minute in range(2):
        for number in range(MOST_A_SECOND + 1):
            process.decide(user=f"@u{minute}.{number}:test")
        process.advance(60)
    assert [line.split(":")[0] for line in caplog.messages] == ["1 decisions were not stored within 60 s"] * 2


def test_a_flood_of_one_user_is_one_row(process: Process, database: Database) -> None:
    for _ in range(10_000):
        process.decide()
    process.advance(2)
    assert counts(database) == [10_000]
    assert process.writer.dropped == 0


def test_the_flood_of_a_user_or_of_another_server_leaves_places_for_others(
    process: Process, database: Database
) -> None:
    for number in range(1_000):
        process.decide(user="@flood:test", room=f"!r{number}:test")
        process.decide(user=f"@u{number}:flood.example")
    most = MOST_OF_A_USER_A_SECOND + MOST_OF_A_SERVER_A_SECOND
    for number in range(MOST_A_SECOND - most):
        process.decide(user=f"@u{number}:test")
    process.advance(2)
    assert len(counts(database)) == MOST_A_SECOND
    of_flood = f"SELECT COUNT(*) FROM {TABLE} WHERE user_id LIKE '%flood%'"
    assert database.rows(of_flood) == [(most,)]


def test_each_second_has_places_anew_for_a_user_and_for_another_server(process: Process, database: Database) -> None:
    for second in range(2):
        for number in range(MOST_A_SECOND):
            process.decide(user="@flood:test", room=f"!r{second}.{number}:test")
            process.decide(user=f"@u{second}.{number}:flood.example")
        process.advance(1)
    process.advance(1)
    assert len(counts(database)) == 2 * (MOST_OF_A_USER_A_SECOND + MOST_OF_A_SERVER_A_SECOND)


def test_servers_that_have_the_same_port_are_not_one_server(process: Process, database: Database) -> None:
    for number in range(MOST_A_SECOND):
        process.decide(user=f"@u{number}:one.example:8448")
        process.decide(user=f"@u{number}:two.example:8448")
    process.advance(1)
    for server in ("one", "two"):
        of_server = f"SELECT COUNT(*) FROM {TABLE} WHERE user_id LIKE '%:{server}.example:8448'"
        assert database.rows(of_server) == [(MOST_OF_A_SERVER_A_SECOND,)]


@pytest.mark.parametrize(
    ("outcome", "places"),
    [
        *((outcome, MOST_A_SECOND) for outcome in ("refused", "replaced", "edited", "error", "fault")),
        *((outcome, MOST_OTHERS_A_SECOND) for outcome in ("policy", "would_refuse", "would_fault")),
    ],
)
def test_all_places_are_for_what_modules_really_decide(
    process: Process, database: Database, outcome: str, places: int
) -> None:
    for number in range(MOST_A_SECOND + 1):
        process.decide(outcome=outcome, user=f"@u{number}:test")
    process.advance(1)
    assert len(counts(database)) == places


def test_what_shadow_modules_and_policy_do_leaves_places_for_refusals(process: Process, database: Database) -> None:
    for number in range(1_000):
        process.decide(outcome="would_refuse", user=f"@w{number}:test", really=really("allowed"))
        process.decide(outcome="policy", user=f"@p{number}:test")
    for number in range(MOST_A_SECOND - MOST_OTHERS_A_SECOND):
        process.decide(user=f"@r{number}:test")
    process.advance(2)
    assert database.rows(f"SELECT COUNT(*) FROM {TABLE} JOIN {KINDS} k ON kind = k.id WHERE outcome = 'refused'") == [
        (MOST_A_SECOND - MOST_OTHERS_A_SECOND,)
    ]
    assert len(counts(database)) == MOST_A_SECOND


def test_objections_that_have_waited_count_among_those_of_now(process: Process, database: Database) -> None:
    waiting = [Really() for _ in range(500)]
    for second in range(5):
        for number in range(100):
            process.decide(
                outcome="would_refuse", user=f"@w{second}.{number}:test", really=waiting[100 * second + number]
            )
            process.decide(user=f"@r{second}.{number}:test")
        if second == 3:
            for one in waiting:
                one.settle("allowed")
        process.advance(1)
    process.advance(2)
    assert len(counts(database)) <= 7 * MOST_A_SECOND


def test_batches_do_not_overlap_while_the_database_is_slow(process: Process, database: Database) -> None:
    database.holds = True
    for number in range(30):
        process.decide(user=f"@u{number}:test")
        process.advance(1)
    assert database.most_at_once == 1 and database.transactions == 1
    # Nor does any wait for its turn.
    assert process.clock.getDelayedCalls() == []
    assert sum(not writing.called for writing in process.begun) == 1
    database.let_go()
    process.advance(3)
    assert total(database) == 30 and database.most_at_once == 1


def test_nothing_is_done_while_there_is_nothing_to_write(process: Process, database: Database) -> None:
    for _ in range(2):
        process.decide()
    process.advance(1)
    # One row, and one of its kind.
    assert database.connection.total_changes == 2
    process.decide()
    process.advance(1)
    assert counts(database) == [3] and process.clock.getDelayedCalls() == []
    transactions = database.transactions
    process.decide(outcome="would_refuse", really=Really())
    process.advance(WAIT_SECONDS - 1)
    assert database.transactions == transactions


def test_what_is_over_is_forgotten_while_something_goes_on(process: Process) -> None:
    for second in range(300):
        process.decide(user=f"@u{second}:test")
        process.advance(0.5)
        process.decide()
        process.advance(0.5)
    assert len(process.writer._rows) == 60


def test_memory_is_bounded_while_the_database_stands_still(process: Process, database: Database) -> None:
    database.holds = True
    for second in range(100):
        for number in range(MOST_A_SECOND):
            process.decide(user=f"@u{second}.{number}:test")
        process.advance(1)
    kept = 100 * MOST_A_SECOND - process.writer.dropped
    # What the transaction that stands still has is still among them.
    assert kept == MOST_UNWRITTEN
    database.let_go()
    process.advance(15)
    assert total(database) == kept


def test_rows_wait_while_the_database_fails_and_are_written_once(
    process: Process, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    database.fails = True
    process.decide(reason="a secret")
    process.advance(10)
    process.decide()
    process.advance(10)
    assert 1 <= len(caplog.messages) <= 6
    assert "OperationalError" in caplog.messages[0] and "secret" not in caplog.text
    database.fails = False
    process.advance(40)
    assert counts(database) == [2]


def test_the_database_is_asked_less_often_while_it_fails_and_as_before_afterwards(
    process: Process, database: Database
) -> None:
    database.fails = True
    tried = []
    for second in range(1, 100):
        before = database.transactions
        process.decide()
        process.advance(1)
        if database.transactions > before:
            tried.append(second)
    assert tried == [1, 3, 7, 15, 31, 61, 91]
    database.fails = False
    process.advance(30)
    assert total(database) == 99
    process.decide()
    process.advance(1)
    assert total(database) == 100


def test_a_batch_that_was_written_though_it_seemed_to_fail_is_not_written_twice(
    process: Process, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    process.decide(user="@first:test")
    process.advance(1)
    run = database.run_db_interaction

    async def fails_afterwards(*args: Any, **more: Any) -> Any:
        await run(*args, **more)
        raise ConnectionError

    monkeypatch.setattr(database, "run_db_interaction", fails_afterwards)
    process.decide()
    process.decide()
    process.advance(1)
    monkeypatch.setattr(database, "run_db_interaction", run)
    process.decide()
    process.advance(5)
    assert counts(database) == [1, 3]


def test_the_last_decisions_are_written_when_synapse_stops(process: Process, database: Database) -> None:
    process.decide()
    process.decide(outcome="would_refuse", really=Really())
    assert outcome(ensureDeferred(process.writer.finish())) is None
    assert counts(database) == [1, 1] and process.clock.getDelayedCalls() == []
    # There may be none.
    assert outcome(ensureDeferred(process.writer.finish())) is None
    # Synapse goes on for a moment.
    process.decide(user="@late:test")
    process.advance(1)
    assert counts(database) == [1, 1, 1]


def test_an_objection_waits_for_what_is_really_decided(process: Process, database: Database) -> None:
    later, never = Really(), Really()
    process.decide(outcome="would_refuse", really=later)
    process.decide(outcome="would_refuse", user="@never:test", really=never)
    process.decide(outcome="would_refuse", user="@known:test", really=really("allowed"))
    process.advance(3)
    assert database.rows(f"SELECT user_id, really FROM {TABLE}") == [("@known:test", "allowed")]
    later.settle("refused")
    process.advance(1)
    assert set(database.rows(f"SELECT user_id, really FROM {TABLE}")) == {
        ("@eve:test", "refused"),
        ("@known:test", "allowed"),
    }
    process.advance(WAIT_SECONDS)
    assert ("@never:test", None) in database.rows(f"SELECT user_id, really FROM {TABLE}")


@pytest.mark.parametrize(("seconds", "rows"), [(WAIT_SECONDS - 0.5, []), (WAIT_SECONDS, [(None,)])])
def test_an_objection_waits_for_so_long(process: Process, database: Database, seconds: float, rows: Any) -> None:
    process.decide()
    process.decide(outcome="would_refuse", really=Really())
    process.advance(seconds)
    assert database.rows(f"SELECT really FROM {TABLE} JOIN {KINDS} k ON kind = k.id WHERE outcome != 'refused'") == rows


@pytest.mark.parametrize(("seconds", "is_stored"), [(WAIT_SECONDS - 0.5, False), (WAIT_SECONDS, True)])
def test_an_objection_does_not_wait_for_a_clock_that_was_set_back(
    process: Process, database: Database, seconds: float, is_stored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    process.decide()
    process.decide(outcome="would_refuse", really=Really())
    monkeypatch.setattr(process.writer, "_now", lambda: process.now() - 1 - seconds)
    process.advance(1)
    assert len(counts(database)) == 1 + is_stored


def test_so_many_objections_wait_and_others_are_stored_without_what_is_really_decided(
    process: Process, database: Database
) -> None:
    for number in range(MOST_WAITING + 1):
        process.decide(outcome="would_refuse", user=f"@u{number}:test", really=Really())
    process.advance(1)
    assert database.rows(f"SELECT user_id, really FROM {TABLE}") == [(f"@u{MOST_WAITING}:test", None)]


def test_objections_are_counted_by_the_hour_also_those_of_a_flood(process: Process, database: Database) -> None:
    for number in range(MOST_A_SECOND):
        process.object("refused", user=f"@u{number}:test")
    process.object(None)
    process.decide()
    process.advance(1)
    assert outcome(ensureDeferred(process.hourly.write())) is None
    assert database.rows(f"SELECT module, outcome, really, count FROM {HOURLY_SHADOW} ORDER BY really") == [
        ("new-idea", "would_refuse", "", 1),
        ("new-idea", "would_refuse", "refused", MOST_A_SECOND),
    ]


def test_what_was_really_decided_tells_rows_apart(process: Process, database: Database) -> None:
    for known in ("refused", "allowed", "refused"):
        process.decide(outcome="would_refuse", really=really(known))
    process.advance(1)
    assert database.rows(f"SELECT really, count FROM {TABLE} ORDER BY id") == [("refused", 2), ("allowed", 1)]


def test_nothing_that_a_decision_holds_keeps_it_from_being_written(process: Process, database: Database) -> None:
    hostile = "\0\ud800\n\u202e"
    process.decide(user=f"@{hostile}:test", room=hostile, event=f"${hostile}", module=hostile, answer=hostile)
    process.decide(reason=hostile * 1_000, details=hostile, user="alice@example.org", room="a name", event="x")
    process.decide(details='{"a":"\\ud800\\u0000\u2028"}', user="@" + "é" * 200 + ":test")
    process.advance(1)
    rows = database.rows(f"SELECT user_id, room_id, event_id, reason, details FROM {TABLE} ORDER BY id")
    assert [row[:3] for row in rows] == [(None, None, None), (None, None, None), (None, "!r:test", "$e")]
    assert len(rows[1][3]) <= MOST_REASON_CHARACTERS and "\0" not in rows[1][3]
    assert [row[4] for row in rows] == [None, None, '{"a":"\\ud800\\u0000\\u2028"}']


def test_names_and_answers_are_cut_and_a_version_that_is_not_known_is_empty(
    process: Process, database: Database
) -> None:
    process.decide(module="m" * 1_000, answer="a" * 1_000, version=None)
    process.advance(1)
    assert database.rows(f"SELECT module, answer, files, config FROM {TABLE} JOIN {KINDS} k ON kind = k.id") == [
        ("m" * MOST_REASON_CHARACTERS, "a" * MOST_ANSWER_CHARACTERS, "", "")
    ]


def test_what_policy_answers_for_no_module_is_no_modules(process: Process, database: Database) -> None:
    process.decide(module="", outcome="policy")
    process.advance(1)
    assert database.rows(f"SELECT module FROM {KINDS}") == [("",)]


def test_processes_write_rows_of_their_own(database: Database) -> None:
    for name in ("main", "worker1"):
        process = Process(database, name)
        process.decide()
        process.advance(1)
    assert database.rows(f"SELECT process, count FROM {TABLE} JOIN {KINDS} k ON kind = k.id ORDER BY process") == [
        ("main", 1),
        ("worker1", 1),
    ]


def test_a_clock_that_is_set_back_or_forward_loses_nothing(
    process: Process, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for hours in (0, -1, 2, 0):
        monkeypatch.setattr(process.writer, "_now", lambda hours=hours: process.now() + 3600 * hours)
        process.decide()
        process.advance(2)
    assert counts(database) == [1, 1, 1, 1]


@pytest.mark.parametrize("seed", range(20))
def test_what_is_stored_and_what_is_dropped_is_all_that_was_decided(seed: int) -> None:
    chance = random.Random(seed)
    database = Database()
    processes = [Process(database, name) for name in ("main", "worker1")]
    decided = 0
    waiting: list[Really] = []
    for _ in range(200):
        process = chance.choice(processes)
        many = chance.choice([1, 1, 5, 100])
        for _ in range(many):
            shadow = chance.random() < 0.3
            known = Really() if shadow else None
            if known is not None:
                waiting.append(known)
            process.decide(
                user=f"@u{chance.randrange(200)}:test",
                room=chance.choice(["!a:test", "!b:test", None]),
                outcome="would_refuse" if shadow else chance.choice(["refused", "policy"]),
                really=known,
            )
        decided += many
        if waiting and chance.random() < 0.7:
            waiting.pop(chance.randrange(len(waiting))).settle(chance.choice(["allowed", "refused"]))
        database.fails = chance.random() < 0.1
        if chance.random() < 0.1:
            database.holds = True
        elif database.holds:
            database.let_go()
        process.advance(chance.choice([0, 0, 1, 20]))
    database.fails = False
    database.let_go()
    for process in processes:
        process.advance(60)
    assert total(database) + sum(process.writer.dropped for process in processes) == decided
    assert all(row.kind.process in ("main", "worker1") for row in processes[0].writer._rows.values())


def test_a_fault_in_keeping_is_no_fault_of_the_call(process: Process, caplog: pytest.LogCaptureFixture) -> None:
    process.writer.keep(decision(user=7))
    assert "keeping a decision failed" in caplog.text
