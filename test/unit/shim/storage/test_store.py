"""What the database gives and takes as JSON, and the removal of what has expired."""

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
from synapse_module_bridge.storage import store as store_module
from synapse_module_bridge.storage.database import MOST_DESCS, Descs
from synapse_module_bridge.storage.sql_values import decode_param, encode_cell
from synapse_module_bridge.storage.store import TABLE, Store
from synapse_module_bridge.transport.framing import encode


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
