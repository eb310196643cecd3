"""Transactions that are open while the host decides what comes next, on a real PostgreSQL."""

import time
from collections.abc import Callable, Iterator
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
from postgres_run import ENGINE, connect, run, transaction
from synapse.logging.context import make_deferred_yieldable
from synapse.storage.engines import Sqlite3Engine
from synapse_module_bridge.schema.protocol import LIMITS
from synapse_module_bridge.storage import transactions as subject
from synapse_module_bridge.storage.database import Descs
from synapse_module_bridge.storage.time_box import TimeBox
from synapse_module_bridge.storage.transactions import MOST_OPEN, SPARE_SECONDS, Transactions
from synapse_module_bridge.transport.rpc import RpcError
from turning import reactor, settled, turn_until
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread

LIMIT_MS = LIMITS["transaction_function_ms"]
OVER = f"the transaction was rolled back: it took longer than {LIMIT_MS} ms"


class Api:
    """What of Synapse's ModuleApi runs transactions, each on a connection of its own."""

    def __init__(self) -> None:
        self._store = SimpleNamespace(db_pool=SimpleNamespace(engine=ENGINE))
        self.descs: list[str] = []
        # Where it is not set, no connection is free.
        self.has_connection = Event()
        self.has_connection.set()
        self.before_commit: Callable[[Any], object] = lambda connection: None
        self.runs = 1
        # Why transactions were rolled back, as Synapse logs it.
        self.logged: list[str] = []

    def run_as_background_process(self, desc: str, func: Callable[[], Any]) -> None:
        assert desc == "module_bridge_transaction"
        ensureDeferred(func())

    async def run_db_interaction(self, desc: str, func: Callable[[Any], Any]) -> Any:
        self.descs.append(desc)
        return await make_deferred_yieldable(deferToThread(self._run, desc, func))

    def _run(self, desc: str, func: Callable[[Any], Any]) -> None:
        assert self.has_connection.wait(10)
        connection = connect()
        try:
            for _ in range(self.runs):
                func(transaction(connection, desc))
            self.before_commit(connection)
            connection.commit()
        except Exception as e:
            self.logged.append(str(e))
            raise
        finally:
            connection.close()


class Desk:
    """A module's requests."""

    def __init__(self, clock: Any = reactor) -> None:
        self.api = Api()
        self.transactions = Transactions(self.api, reactor, clock, Descs())  # type: ignore[arg-type]

    def ask(self, method: str, module: str = "m", **params: Any) -> "Deferred[Any]":
        return ensureDeferred(getattr(self.transactions, method)(module, params)).addCallback(no_error)

    def begin(self) -> int:
        told = settled(self.ask("begin", desc="work"))
        assert isinstance(told, dict), told
        number = told.pop("transaction")
        assert told == {} and isinstance(number, int)
        return number

    def execute(self, number: int, sql: str, *params: Any, module: str = "m") -> Any:
        return settled(self.ask("execute", module, transaction=number, statement={"sql": sql, "params": [*params]}))

    def end(self, method: str, number: int, module: str = "m") -> Any:
        return settled(self.ask(method, module, transaction=number))


def no_error(result: Any) -> Any:
    """A method raises its errors, and never returns one."""
    assert not isinstance(result, Exception)
    return result


@pytest.fixture
def desk() -> Iterator[Desk]:
    connection = connect()
    run(connection, "CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY)")
    run(connection, "CREATE TABLE IF NOT EXISTS later (id INTEGER UNIQUE DEFERRABLE INITIALLY DEFERRED)")
    run(connection, "TRUNCATE notes, later")
    connection.close()
    turn_until(lambda: True)
    timers = reactor.getDelayedCalls()
    made = Desk()
    yield made
    made.transactions.abandon()
    turn_until(lambda: not made.transactions._open)
    assert reactor.getDelayedCalls() == timers


def notes() -> list[int]:
    """As others see them."""
    connection = connect()
    [rows] = run(connection, "SELECT id FROM notes ORDER BY id")
    connection.close()
    return [row[0] for row in rows]


def waiting_statements() -> int:
    """How many statements of others wait for a lock."""
    connection = connect()
    [[[count]]] = run(connection, "SELECT COUNT(*) FROM pg_locks WHERE NOT granted")
    connection.close()
    assert isinstance(count, int)
    return count


def over(outcome: Any) -> str:
    """Why a transaction is over."""
    assert isinstance(outcome, RpcError), outcome
    assert outcome.data == {"class": "TransactionOver", "sqlstate": None, "statement": None}
    return outcome.message


def test_what_is_run_in_a_transaction_is_there_for_others_once_it_is_committed(desk: Desk) -> None:
    number = desk.begin()
    assert desk.api.descs == ["module_bridge_m_work"]
    assert desk.execute(number, "INSERT INTO notes VALUES (?), (?)", 1, 2)["rowcount"] == 2
    assert desk.execute(number, "SELECT id FROM notes ORDER BY id")["rows"] == [[1], [2]]
    assert notes() == []
    assert desk.end("commit", number) is None
    assert notes() == [1, 2]


def test_statements_are_read_as_postgresqls(desk: Desk) -> None:
    rows = desk.execute(desk.begin(), "SELECT $$a?%$$ AS a, ?::int AS b", 1)["rows"]
    assert rows == [["a?%", 1]]


def test_what_is_rolled_back_was_never_there(desk: Desk) -> None:
    number = desk.begin()
    desk.execute(number, "INSERT INTO notes VALUES (1)")
    began = time.monotonic()
    assert desk.end("roll_back", number) is None
    assert time.monotonic() - began < LIMIT_MS / 1000 / 2
    # It is over by then.
    assert over(desk.end("commit", number)) == OVER
    assert notes() == []


@pytest.mark.parametrize("method", ["execute", "commit", "roll_back"])
def test_a_transaction_is_its_modules_until_it_is_over(method: str, desk: Desk) -> None:
    ended, number = desk.begin(), desk.begin()
    desk.end("commit", ended)
    for module, of in (("m", ended), ("other", number), ("m", number + 1)):
        if method == "execute":
            assert over(desk.execute(of, "SELECT 1", module=module)) == OVER
        else:
            assert over(desk.end(method, of, module)) == OVER
    assert desk.execute(number, "SELECT 1 AS one")["rows"] == [[1]]


def test_a_statement_that_fails_ends_the_transaction(desk: Desk) -> None:
    number = desk.begin()
    desk.execute(number, "INSERT INTO notes VALUES (?)", 41414141)
    failed = desk.execute(number, "INSERT INTO notes VALUES (?)", 41414141)
    assert isinstance(failed, RpcError)
    assert failed.data == {"class": "UniqueViolation", "sqlstate": "23505", "statement": None}
    assert "notes_pkey" in failed.message and "41414141" not in failed.message
    turn_until(lambda: not desk.transactions._open)
    assert desk.api.logged == [failed.message]
    assert over(desk.end("commit", number)) == OVER
    assert notes() == []


@pytest.mark.parametrize(
    ("earlier", "message"),
    [
        ("something", ': invalid input syntax for type integer: "abc"'),
        # The text of the error has a value of the transaction.
        ("integer", ""),
    ],
)
def test_a_statement_that_fails_is_told_with_its_place_and_without_any_value(
    desk: Desk, earlier: str, message: str
) -> None:
    number = desk.begin()
    desk.execute(number, "SELECT ?::text", earlier)
    failed = desk.execute(number, "SELECT 1,\n'abc'::int4, ?", 1)
    assert isinstance(failed, RpcError)
    assert failed.message == f"InvalidTextRepresentation{message} (line 2, column 1)"


def test_a_statement_that_is_none_ends_the_transaction_without_the_database(desk: Desk) -> None:
    failed = desk.execute(desk.begin(), "COMMIT")
    assert isinstance(failed, RpcError)
    assert isinstance(failed.data, dict) and failed.data["class"] == "BadStatement"


def test_a_commit_that_the_database_refuses_says_so(desk: Desk) -> None:
    def fail(connection: Any) -> None:
        connection.cursor().execute("SELECT no_such_function()")

    desk.api.before_commit = fail
    number = desk.begin()
    desk.execute(number, "INSERT INTO notes VALUES (1)")
    outcome = desk.end("commit", number)
    assert isinstance(outcome, RpcError)
    assert isinstance(outcome.data, dict) and outcome.data["class"] == "UndefinedFunction"
    assert notes() == []


def test_what_the_database_refuses_in_the_end_is_told_as_its_own_before_the_commit(desk: Desk) -> None:
    committed: list[Any] = []
    desk.api.before_commit = committed.append
    number = desk.begin()
    desk.execute(number, "INSERT INTO later VALUES (1), (1)")
    outcome = desk.end("commit", number)
    assert isinstance(outcome, RpcError)
    assert outcome.data == {"class": "UniqueViolation", "sqlstate": "23505", "statement": None}
    assert committed == []


def test_a_transaction_that_synapse_runs_again_had_its_commit_fail(desk: Desk) -> None:
    desk.api.runs = 2
    number = desk.begin()
    assert over(desk.end("commit", number)) == "the transaction's commit failed"


def test_a_statement_may_not_take_longer_than_the_transaction(desk: Desk) -> None:
    number = desk.begin()
    began = time.monotonic()
    assert over(desk.execute(number, "SELECT pg_sleep(20)")) == OVER
    assert time.monotonic() - began < 10
    assert over(desk.end("commit", number)) == OVER


def test_a_transaction_of_which_nothing_is_heard_is_rolled_back(desk: Desk) -> None:
    number = desk.begin()
    desk.execute(number, "INSERT INTO notes VALUES (1)")
    turn_until(lambda: not desk.transactions._open)
    assert over(desk.end("commit", number)) == OVER
    assert notes() == []


def test_a_transaction_is_rolled_back_in_time_though_the_reactor_is_late(desk: Desk) -> None:
    late = Desk(Clock())
    late.execute(late.begin(), "INSERT INTO notes VALUES (1)")
    turn_until(lambda: not late.transactions._open)
    assert notes() == []
    # Also where it has done nothing yet.
    late.begin()
    turn_until(lambda: not late.transactions._open)
    assert late.api.logged == [OVER] * 2


def test_a_transaction_is_rolled_back_in_time_though_its_thread_waits_longer(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As where the system's clock is set back.
    monkeypatch.setattr(TimeBox, "left_ms", 60_000)
    clock = Clock()
    other = Desk(clock)
    number = other.begin()
    clock.advance(LIMIT_MS / 1000 + SPARE_SECONDS - 0.0001)
    assert other.execute(number, "INSERT INTO notes VALUES (1)")["rowcount"] == 1
    clock.advance(0.0002)
    turn_until(lambda: not other.transactions._open)
    assert over(other.end("commit", number)) == OVER
    assert notes() == []


def test_what_waits_for_a_statement_when_all_is_rolled_back_is_not_run(desk: Desk) -> None:
    number = desk.begin()
    connection = connect()
    connection.cursor().execute("LOCK TABLE notes")
    first, second = (
        desk.ask("execute", transaction=number, statement={"sql": f"INSERT INTO notes VALUES ({id})"}) for id in (1, 2)
    )
    turn_until(waiting_statements)
    ended = desk.ask("roll_back", transaction=number)
    connection.close()
    assert settled(first)["rowcount"] == 1 and over(settled(second)) == OVER
    assert settled(ended) is None
    assert notes() == []


def test_what_waits_when_the_host_ends_is_told_and_all_is_rolled_back(desk: Desk) -> None:
    numbers = [desk.begin(), desk.begin()]
    for number in numbers:
        desk.execute(number, "INSERT INTO notes VALUES (?)", number)
    desk.transactions.abandon()
    late = [desk.ask("execute", transaction=number, statement={"sql": "SELECT 1"}) for number in numbers]
    assert {over(settled(outcome)) for outcome in late} == {OVER}
    turn_until(lambda: not desk.transactions._open)
    assert notes() == []


def test_few_are_open_at_once_and_who_comes_later_waits_for_a_place(desk: Desk) -> None:
    numbers = [desk.begin() for _ in range(MOST_OPEN)]
    assert len({*numbers}) == MOST_OPEN
    waiting = desk.ask("begin", desc="work")
    turn_until(lambda: len(desk.api.descs) == MOST_OPEN)
    assert not waiting.called
    desk.end("roll_back", numbers[0])
    later = settled(waiting)["transaction"]
    assert later not in numbers
    assert desk.execute(later, "SELECT 1 AS one")["rows"] == [[1]]


BUSY = f"no transaction could begin within 5 s: {MOST_OPEN} are run at a time"


def test_who_waits_too_long_for_a_place_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "WAIT_SECONDS", 0.05)
    for _ in range(MOST_OPEN):
        desk.begin()
    outcome = settled(desk.ask("begin", desc="work"))
    assert isinstance(outcome, RuntimeError) and str(outcome) == BUSY
    # It does not take one later.
    turn_until(lambda: not desk.transactions._open)
    for _ in range(MOST_OPEN):
        desk.begin()


def test_who_waits_too_long_for_a_connection_is_told_and_uses_none_later(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, "WAIT_SECONDS", 0.05)
    desk.api.has_connection.clear()
    outcome = settled(desk.ask("begin", desc="work"))
    assert isinstance(outcome, RuntimeError) and str(outcome) == BUSY
    [late] = desk.transactions._open.values()
    desk.api.has_connection.set()
    turn_until(lambda: not desk.transactions._open)
    assert late.outcome is not None and late.outcome.message == BUSY


def test_a_database_that_cannot_be_reached_is_told(desk: Desk) -> None:
    def unreachable(desc: str, func: Any) -> None:
        raise RuntimeError("no database")

    desk.api._run = unreachable  # type: ignore[method-assign]
    outcome = settled(desk.ask("begin", desc="work"))
    assert isinstance(outcome, RpcError)
    assert isinstance(outcome.data, dict) and outcome.data["class"] == "RuntimeError"


def test_there_are_none_on_sqlite(desk: Desk) -> None:
    desk.api._store.db_pool.engine = Sqlite3Engine({"args": {"database": ":memory:"}})
    outcome = settled(desk.ask("begin", desc="work"))
    assert isinstance(outcome, RuntimeError)
    assert "on PostgreSQL only" in str(outcome)
    assert desk.api.descs == []
