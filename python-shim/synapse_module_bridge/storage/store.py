"""Implements `api.store`: each module's keys and values, in a table of Synapse's database, which all processes share.

Every operation that writes is one statement, and atomic. An expired entry counts as absent, and is removed later, by
the process that runs background tasks.
"""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from synapse.config._base import Config as SynapseConfig
from synapse.module_api import ModuleApi
from synapse.storage.database import LoggingTransaction
from synapse.storage.engines import PostgresEngine

from synapse_module_bridge.schema.protocol import LIMITS
from synapse_module_bridge.storage.own_tables import OwnTables, is_made

# The store is for small entries. For large ones, a module makes a table of its own.
MOST_KEY_BYTES = LIMITS["store_key_bytes"]
MOST_VALUE_BYTES = LIMITS["store_value_bytes"]
# Entries in one answer of `list`: at most, and by default.
MOST_LISTED = LIMITS["store_list_entries"]
LISTED = LIMITS["store_list_default_entries"]
MOST_COUNT = LIMITS["store_count"]
MOST_SKEW_MS = LIMITS["store_clock_ms"]
# 100 years.
MOST_TTL_MS = LIMITS["store_ttl_ms"]
CLEAN_UP_MS = 15 * 60 * 1000
# A longer transaction would block others on SQLite.
_REMOVED_AT_ONCE = 1_000

TABLE = "module_bridge_store"
_CREATE = (
    # Synapse wants its databases to have the collation C, which orders keys by their bytes.
    f"CREATE TABLE IF NOT EXISTS {TABLE} (module TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, "
    "expires_ts BIGINT, PRIMARY KEY (module, key))",
    f"CREATE INDEX IF NOT EXISTS {TABLE}_expires_ts ON {TABLE} (expires_ts)",
)
_ALIVE = f"({TABLE}.expires_ts IS NULL OR {TABLE}.expires_ts > ?)"
_INSERT = (
    f"INSERT INTO {TABLE} (module, key, value, expires_ts) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (module, key) DO UPDATE SET value = excluded.value, expires_ts = excluded.expires_ts"
)
_ENTRY = "module = ? AND key = ?"
# NULL where the value is no count. Only CASE keeps PostgreSQL from casting such a value all the same.
_COUNT = (
    f"CASE WHEN LENGTH({TABLE}.value) BETWEEN 1 AND {len(str(MOST_COUNT))} AND LTRIM({TABLE}.value, '0123456789') = '' "
    f"THEN CAST({TABLE}.value AS BIGINT) END"
)
# An entry that lives longer than its `ttl` allows is from before the clock was set back: it would count for too long.
_COUNTS = f"({TABLE}.expires_ts IS NULL OR ({TABLE}.expires_ts > ? AND {TABLE}.expires_ts <= ?))"
_INCREMENT = (
    f"INSERT INTO {TABLE} (module, key, value, expires_ts) VALUES (?, ?, ?, ?) ON CONFLICT (module, key) DO UPDATE SET "
    f"value = CASE WHEN {_COUNTS} THEN CAST({_COUNT} + ? AS TEXT) ELSE excluded.value END, "
    f"expires_ts = CASE WHEN {_COUNTS} THEN {TABLE}.expires_ts ELSE excluded.expires_ts END "
    f"WHERE NOT {_COUNTS} OR {_COUNT} + ? <= ?"
)


class Store:
    """Its methods get the module's name and the parameters of `schemas/api.json`.

    They raise ValueError for a key, a value or a duration that is not allowed, and what the database raises.
    """

    def __init__(self, api: ModuleApi) -> None:
        self._api = api
        self._tables = OwnTables(api, "module_bridge_store", _CREATE)

    async def get(self, module: str, params: Mapping[str, Any]) -> dict[str, Any] | None:
        """The entry as `{"value": ...}`, or None."""
        rows = await self._run(
            f"SELECT value FROM {TABLE} WHERE {_ENTRY} AND {_ALIVE}", (module, _key(params["key"]), _now())
        )
        return {"value": json.loads(rows[0][0])} if rows else None

    async def set(self, module: str, params: Mapping[str, Any]) -> None:
        """Writes the entry, with its `ttl`, if there is one."""
        await self._run(_INSERT, (module, _key(params["key"]), _value(params["value"]), _expiry(params)))

    async def delete(self, module: str, params: Mapping[str, Any]) -> bool:
        """Deletes the entry. Returns whether there was one."""
        sql = f"DELETE FROM {TABLE} WHERE {_ENTRY} AND {_ALIVE}"
        return bool(await self._change(sql, (module, _key(params["key"]), _now())))

    async def list(self, module: str, params: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
        """The entries, in the order of their keys' bytes: those with `prefix`, `after` a key, up to `limit`."""
        prefix, limit = params.get("prefix", ""), params.get("limit", LISTED)
        if not 1 <= limit <= MOST_LISTED:
            raise ValueError(f"limit must be from 1 to {MOST_LISTED}")
        where, values = [f"module = ? AND {_ALIVE}"], [module, _now()]
        if prefix:
            where.append("key >= ?")
            values.append(_key(prefix))
            if (end := _end_of(prefix)) is not None:
                where.append("key < ?")
                values.append(end)
        if "after" in params:
            where.append("key > ?")
            values.append(_key(params["after"]))
        rows = await self._run(
            f"SELECT key, value FROM {TABLE} WHERE {' AND '.join(where)} ORDER BY key LIMIT ?", (*values, limit)
        )
        return [{"key": key, "value": json.loads(value)} for key, value in rows]

    async def compare_and_set(self, module: str, params: Mapping[str, Any]) -> bool:
        """Writes `value` where the entry's value is `expected`. Returns whether it was.

        Without `expected`, there must be no entry. Without `value`, the entry is deleted.
        """
        key, expires = _key(params["key"]), _expiry(params)
        value = _value(params["value"]) if "value" in params else None
        if "expected" not in params:
            if value is None:
                return await self.get(module, params) is None
            sql = f"{_INSERT} WHERE NOT {_ALIVE}"
            return bool(await self._change(sql, (module, key, value, expires, _now())))
        expected = (module, key, _value(params["expected"]), _now())
        where = f"WHERE {_ENTRY} AND value = ? AND {_ALIVE}"
        if value is None:
            return bool(await self._change(f"DELETE FROM {TABLE} {where}", expected))
        sql = f"UPDATE {TABLE} SET value = ?, expires_ts = ? {where}"
        return bool(await self._change(sql, (value, expires, *expected)))

    async def increment(self, module: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Adds `by`, which is 1 by default, to the entry's number, unless it would exceed `limit`.

        The first one makes the entry, with its `ttl`. Later ones leave the time when it expires.
        """
        key, by, limit = _key(params["key"]), _count(params, "by", 1, 1), _count(params, "limit", MOST_COUNT, 0)
        expires, now = _expiry(params), _now()
        counts = (now, now + MOST_TTL_MS if expires is None else expires + MOST_SKEW_MS)

        def add(txn: LoggingTransaction) -> tuple[bool, Any]:
            done = False
            if by <= limit:
                entry = (module, key, str(by), expires)
                txn.execute(_INCREMENT, (*entry, *counts, by, *counts, *counts, by, limit))
                done = txn.rowcount > 0
            txn.execute(
                f"SELECT {_COUNT}, expires_ts FROM {TABLE} WHERE {_ENTRY} AND {_COUNTS}", (module, key, *counts)
            )
            return done, txn.fetchone()

        done, row = await self._tables.interact(add)
        value, until = row or (0, None)
        if value is None:
            raise ValueError("the value is not a count: only increment may write it")
        return {"done": done, "value": value, "expires_in_ms": None if until is None else until - now}

    def clean_up_regularly(self) -> None:
        """Removes expired entries every CLEAN_UP_MS, if this process runs Synapse's background tasks."""
        if self._api.should_run_background_tasks():
            self._api.looping_background_call(self.remove_expired, CLEAN_UP_MS, desc="module_bridge_store_clean_up")

    async def remove_expired(self) -> None:
        """Removes all expired entries. Does nothing where the table does not exist yet."""

        def remove(txn: LoggingTransaction) -> int:
            if not is_made(txn, TABLE, isinstance(txn.database_engine, PostgresEngine)):
                return 0
            txn.execute(
                f"DELETE FROM {TABLE} WHERE (module, key) IN "
                f"(SELECT module, key FROM {TABLE} WHERE expires_ts <= ? LIMIT {_REMOVED_AT_ONCE})",
                (_now(),),
            )
            return txn.rowcount

        while await self._tables.interact_as_is(remove) >= _REMOVED_AT_ONCE:
            pass

    async def _run(self, sql: str, values: tuple[Any, ...]) -> Sequence[tuple[Any, ...]]:
        def run(txn: LoggingTransaction) -> Sequence[tuple[Any, ...]]:
            txn.execute(sql, values)
            return [] if txn.description is None else txn.fetchall()

        return await self._tables.interact(run)

    async def _change(self, sql: str, values: tuple[Any, ...]) -> int:
        """Runs a statement that changes entries, and returns how many it has changed."""

        def change(txn: LoggingTransaction) -> int:
            txn.execute(sql, values)
            return txn.rowcount

        return await self._tables.interact(change)


def _now() -> int:
    return int(time.time() * 1000)


def _key(key: str) -> str:
    try:
        size = len(key.encode("utf-8"))
    except UnicodeEncodeError:
        raise ValueError("a key must be well-formed Unicode") from None
    if not 1 <= size <= MOST_KEY_BYTES:
        raise ValueError(f"the key has {size} bytes: it must have from 1 to {MOST_KEY_BYTES}")
    if "\0" in key:
        raise ValueError("a key may not hold the character U+0000")
    return key


def _value(value: Any) -> str:
    """The value as JSON, the same text for equal values."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError:
        # It has a lone surrogate.
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
        size = len(text)
    if size > MOST_VALUE_BYTES:
        raise ValueError(f"the value has {size} bytes as JSON: it may have {MOST_VALUE_BYTES}")
    return text


def _count(params: Mapping[str, Any], name: str, default: int, least: int) -> int:
    count = params.get(name, default)
    if type(count) is not int or not least <= count <= MOST_COUNT:
        raise ValueError(f"{name} must be from {least} to {MOST_COUNT}")
    return count


def _expiry(params: Mapping[str, Any]) -> int | None:
    if "ttl" not in params:
        return None
    try:
        ttl = SynapseConfig.parse_duration(params["ttl"])
    except (TypeError, ValueError):
        raise ValueError('ttl must be milliseconds, or a duration such as "10m"') from None
    if not 1 <= ttl <= MOST_TTL_MS:
        raise ValueError("ttl must be from 1 ms to 100 years")
    return _now() + ttl


def _end_of(prefix: str) -> str | None:
    """The least text after all texts with the prefix, in the order of their bytes; None if there is none."""
    for index in range(len(prefix) - 1, -1, -1):
        point = ord(prefix[index])
        if point < 0x10FFFF:
            # Surrogates, which lie in between, do not occur in keys.
            return prefix[:index] + chr(0xE000 if point == 0xD7FF else point + 1)
    return None
