"""What the database gives and takes as JSON, its errors without parameters, and the removal of what has expired."""

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from synapse.storage.database import LoggingTransaction
from synapse.storage.engines import Sqlite3Engine
from synapse_module_bridge import store as store_module
from synapse_module_bridge.database import MOST_DESCS, Descs
from synapse_module_bridge.database_errors import database_error
from synapse_module_bridge.sql_values import decode_param, encode_cell
from synapse_module_bridge.statements import BadStatement, read_statement
from synapse_module_bridge.store import TABLE, Store
from synapse_module_bridge.wire import encode


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, None),
        (True, True),
        (2**63, 2**63),
        (0.5, 0.5),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
        ("☃", "☃"),
        (b"\0\xff", {"bytes": "AP8="}),
        (memoryview(b"'"), {"bytes": "Jw=="}),
        (Decimal("6"), 6),
        (Decimal("1.50"), 1.5),
        (Decimal("1e400"), "Infinity"),
        (Decimal("NaN"), "NaN"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc), "2026-01-02T03:04:05+00:00"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ({"bytes": "x"}, {"json": {"bytes": "x"}}),
        ([Decimal("1"), None, b"a"], {"json": [1, None, "YQ=="]}),
    ],
)
def test_a_cell_travels_as_json(value: Any, cell: Any) -> None:
    assert encode_cell(value) == cell
    encode(encode_cell(value))


def test_bytes_are_parameters() -> None:
    assert decode_param({"bytes": "AP8="}) == b"\0\xff"


class PostgresError(Exception):
    """Has what psycopg2's errors have."""

    def __init__(self, sqlstate: str, message: str) -> None:
        super().__init__(f"{message}\nDETAIL:  Key (name)=(hunter2) already exists.\n")
        self.pgcode = sqlstate
        self.diag = type("Diagnostics", (), {"message_primary": message})


@pytest.mark.parametrize(
    ("error", "params", "told"),
    [
        (PostgresError("23505", "duplicate key"), ["hunter2"], "PostgresError: duplicate key (statement 2)"),
        (PostgresError("22P02", 'invalid input syntax: "hunter2"'), [], "PostgresError (statement 2)"),
        (PostgresError("42601", "syntax error at or near \"'hunter2'\""), [], "PostgresError (statement 2)"),
        (PostgresError("42703", 'column "x" does not exist'), [1, None, True], None),
        (sqlite3.OperationalError("bad JSON path: 'hunter2'"), ["hunter2"], "OperationalError (statement 2)"),
        (sqlite3.OperationalError("no such table: x"), ["hunter2", 2], None),
        (sqlite3.OperationalError("it was 12345"), [12345], "OperationalError (statement 2)"),
    ],
)
def test_an_error_tells_no_parameter(error: Exception, params: list[Any], told: str | None) -> None:
    refused = database_error(error, 1, params)
    assert "hunter2" not in refused.message
    assert refused.message == (told or f"{type(error).__name__}: {str(error).splitlines()[0]} (statement 2)")
    assert refused.data["statement"] == 1


def test_transactions_are_named_as_long_as_there_are_few_names() -> None:
    descs = Descs()
    assert descs.name("no links", "count") == "module_bridge_no_links_count"
    names = {descs.name("m", str(number)) for number in range(2 * MOST_DESCS)}
    assert len(names) == MOST_DESCS and "module_bridge" in names
    assert descs.name("no links", "count") == "module_bridge_no_links_count"


class Api:
    """What the store uses of Synapse's ModuleApi, over a database in memory."""

    def __init__(self, background: bool) -> None:
        self._background = background
        self.connection = sqlite3.connect(":memory:")
        self.looping: list[tuple[Callable[[], Any], float]] = []

    def should_run_background_tasks(self) -> bool:
        return self._background

    def looping_background_call(self, func: Callable[[], Any], msec: float, desc: str) -> None:
        self.looping.append((func, msec))

    async def run_db_interaction(self, desc: str, func: Callable[[Any], Any], **_: Any) -> Any:
        cursor: Any = self.connection.cursor()
        engine: Any = Sqlite3Engine({})
        txn = LoggingTransaction(txn=cursor, name=desc, server_name="test", database_engine=engine)
        result = func(txn)
        self.connection.commit()
        return result

    def keys(self) -> list[str]:
        return [key for (key,) in self.connection.execute(f"SELECT key FROM {TABLE} ORDER BY key")]


def test_what_has_expired_is_removed_where_background_tasks_run(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api(background=True)
    store = Store(api)  # type: ignore[arg-type]
    store.clean_up_regularly()
    [(clean_up, _)] = api.looping
    now = 1_000_000
    monkeypatch.setattr(store_module, "_now", lambda: now)
    monkeypatch.setattr(store_module, "_REMOVED_AT_ONCE", 2)
    asyncio.run(clean_up())
    assert api.connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    asyncio.run(store.set("m", {"key": "kept", "value": 1}))
    for number in range(5):
        asyncio.run(store.set("m", {"key": f"brief{number}", "value": 1, "ttl": 1_000}))
    asyncio.run(store.set("m", {"key": "later", "value": 1, "ttl": "1h"}))
    asyncio.run(clean_up())
    assert len(api.keys()) == 7
    now += 1_000
    assert asyncio.run(store.get("m", {"key": "brief0"})) is None
    asyncio.run(clean_up())
    assert api.keys() == ["kept", "later"]


def test_no_other_process_removes_anything() -> None:
    api = Api(background=False)
    Store(api).clean_up_regularly()  # type: ignore[arg-type]
    assert api.looping == []


def test_a_prefix_ends_where_no_key_has_it_any_more() -> None:
    assert store_module._end_of("ab") == "ac"
    assert store_module._end_of("a\U0010ffff") == "b"
    assert store_module._end_of("\ud7ff") == "\ue000"
    assert store_module._end_of("\U0010ffff") is None


@pytest.mark.parametrize("before", ["", " ", ";", "-- done\n", "/* all * of it */ -- done\n;"])
@pytest.mark.parametrize("end", ["COMMIT", "rollback", "BEGIN"])
def test_a_statement_that_ends_the_transaction_is_refused_whatever_stands_before_it(before: str, end: str) -> None:
    with pytest.raises(BadStatement, match="may not begin or end a transaction"):
        read_statement({"sql": before + end})
    read_statement({"sql": f"{before}SELECT 1 -- {end}"})
    read_statement({"sql": f"{before}ROLLBACK TO a"})
