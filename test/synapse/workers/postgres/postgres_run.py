"""Runs statements of a module on a PostgreSQL, as they are run within a transaction of Synapse's."""

import importlib
from collections.abc import Mapping
from typing import Any

from synapse.storage.database import LoggingTransaction
from synapse.storage.engines import PostgresEngine
from synapse_module_bridge.storage.guard import guarded
from synapse_module_bridge.storage.statements import Results, Statement, read_statement
from synapse_module_bridge.storage.time_box import TimeBox

LIMIT = "transaction_statements_ms"
psycopg2: Any = importlib.import_module("psycopg2")
ENGINE: Any = PostgresEngine({})


def connect() -> Any:
    """By PGHOST and the like."""
    connection = psycopg2.connect("")
    connection.set_isolation_level(ENGINE.default_isolation_level)
    return connection


def transaction(connection: Any, name: str = "module_bridge_test-1") -> LoggingTransaction:
    return LoggingTransaction(txn=connection.cursor(), name=name, server_name="test", database_engine=ENGINE)


class Failed(Exception):
    """A statement has failed with its cause, and the transaction was rolled back."""

    def __init__(self, cause: Exception, at: int | None, statement: Statement | None, params: list[Any]) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.at = at
        self.statement = statement
        self.params = params


def run(connection: Any, *given: Mapping[str, Any] | str) -> list[Any]:
    """Their rows."""
    txn = transaction(connection)
    at: int | None = None
    statement: Statement | None = None
    params: list[Any] = []
    rows = []
    try:
        with guarded(txn, TimeBox(LIMIT)) as guard:
            for number, each in enumerate(given):
                at, statement = number, None
                statement = read_statement({"sql": each} if isinstance(each, str) else each, postgres=True)
                params += statement.all_params
                rows.append(Results().run(txn, guard, statement)["rows"])
        connection.commit()
    except Exception as e:
        txn.txn.close()
        connection.rollback()
        raise Failed(e, at, statement, params) from e
    return rows
