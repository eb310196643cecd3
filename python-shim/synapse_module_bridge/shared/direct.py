"""Opens Synapse's database without Synapse: for the command `mode`, and for a look before the reactor runs.

Connects as `synapse.storage.database.make_conn` does, whose parameters depend on the release.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, TypeVar

from synapse_module_bridge.storage.own_tables import Txn

R = TypeVar("R")

# How long to wait for a database that is locked, or for a server that does not answer.
WAIT_SECONDS = 5


class NoDatabase(Exception):
    """The database cannot be used. The message says why."""


class _Transaction:
    """A cursor whose SQL has `?`, as Synapse's transactions."""

    def __init__(self, cursor: Any, postgres: bool) -> None:
        self._cursor = cursor
        self._postgres = postgres

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Any:
        self._cursor.execute(sql.replace("?", "%s") if self._postgres else sql, tuple(values))

    def fetchone(self) -> Any:
        return self._cursor.fetchone()

    def fetchall(self) -> Any:
        return self._cursor.fetchall()


def interact(database: Mapping[str, Any], func: Callable[[Txn, bool], R]) -> R:
    """Runs `func` in one transaction. It gets whether the database is PostgreSQL.

    `database` is Synapse's configuration of it: `name` and `args`. Raises NoDatabase.
    """
    postgres = database.get("name") == "psycopg2"
    try:
        with _connected(database, postgres) as connection:
            result = func(_Transaction(connection.cursor(), postgres), postgres)
            connection.commit()
            return result
    except NoDatabase:
        raise
    except Exception as e:
        raise NoDatabase(f"{type(e).__name__}: {' '.join(str(e).split())}") from e


@contextmanager
def _connected(database: Mapping[str, Any], postgres: bool) -> Iterator[Any]:
    args = {key: value for key, value in (database.get("args") or {}).items() if not key.startswith("cp_")}
    if postgres:
        # Untyped, and not installed everywhere.
        psycopg2: Any = import_module("psycopg2")
        connection: Any = psycopg2.connect(**{"connect_timeout": WAIT_SECONDS, **args})
        connection.cursor().execute(f"SET statement_timeout = {WAIT_SECONDS * 1000}")
    else:
        path = args.get("database", ":memory:")
        # sqlite3 would make an empty one.
        if path != ":memory:" and not os.path.exists(path):
            raise NoDatabase(f"there is no database {path}: has Synapse run yet?")
        connection = sqlite3.connect(path, timeout=WAIT_SECONDS)
    try:
        yield connection
    finally:
        connection.close()
