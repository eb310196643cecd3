"""The removal of what has expired, and where a prefix of keys ends."""

import asyncio

import pytest
from store_api import StoreApi
from synapse_module_bridge.storage import store as store_module
from synapse_module_bridge.storage.store import Store


def test_what_has_expired_is_removed_where_background_tasks_run(monkeypatch: pytest.MonkeyPatch) -> None:
    api = StoreApi(background=True)
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
    api = StoreApi(background=False)
    Store(api).clean_up_regularly()  # type: ignore[arg-type]
    assert api.looping == []


def test_a_prefix_ends_where_no_key_has_it_any_more() -> None:
    assert store_module._end_of("ab") == "ac"
    assert store_module._end_of("a\U0010ffff") == "b"
    assert store_module._end_of("\ud7ff") == "\ue000"
    assert store_module._end_of("\U0010ffff") is None
