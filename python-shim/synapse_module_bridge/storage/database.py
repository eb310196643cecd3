"""Runs a list of a module's statements as one transaction, by ModuleApi's `run_db_interaction`, which retries it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from synapse.module_api import ModuleApi
from synapse.storage.database import LoggingTransaction
from synapse.storage.engines import PostgresEngine

from synapse_module_bridge.storage.database_errors import database_error
from synapse_module_bridge.storage.guard import guarded
from synapse_module_bridge.storage.statements import Results, Statement, read_statement
from synapse_module_bridge.storage.time_box import TimeBox
from synapse_module_bridge.transport.rpc import RpcError

# Each name becomes a label of Synapse's metrics.
MOST_DESCS = 200


class Descs:
    """Names transactions in Synapse's log and metrics. Keeps the number of names bounded."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def name(self, module: str, desc: Any) -> str:
        """The name for a module's `desc`, or a common name once there are too many."""
        name = "module_bridge_" + re.sub(r"[^A-Za-z0-9_.-]", "_", f"{module}_{desc}"[:80])
        if len(self._known) < MOST_DESCS:
            self._known.add(name)
        return name if name in self._known else "module_bridge"


class Database:
    """For all modules of one process."""

    def __init__(self, api: ModuleApi, descs: Descs) -> None:
        self._api = api
        self._descs = descs

    async def run(self, module: str, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Runs the statements of a request, and returns a result for each, once they are committed. Raises RpcError."""
        interaction = _Interaction(params["statements"])
        desc = self._descs.name(module, params["desc"])
        try:
            results: list[dict[str, Any]] = await self._api.run_db_interaction(desc, interaction.run)
            return results
        except Exception as e:
            raise interaction.error(e) from None


class _Interaction:
    """The statements of one request. They are read and run in a thread of Synapse's database pool."""

    def __init__(self, given: Sequence[Mapping[str, Any]]) -> None:
        self._given = given
        self._statements: list[Statement] = []
        # The index of the statement that is being read or run.
        self._at: int | None = None

    def run(self, txn: LoggingTransaction) -> list[dict[str, Any]]:
        """Synapse calls this again after a deadlock, or where it lost the database (DatabasePool.new_transaction)."""
        if not self._statements:
            self._read(isinstance(txn.database_engine, PostgresEngine))
        results = Results()
        answers = []
        with guarded(txn, TimeBox("transaction_statements_ms")) as guard:
            for at, statement in enumerate(self._statements):
                self._at = at
                answers.append(results.run(txn, guard, statement))
            self._at = None
            guard.finish()
        return answers

    def _read(self, postgres: bool) -> None:
        """Reads all statements: here, and not in the reactor's thread, since they may be long."""
        for at, statement in enumerate(self._given):
            self._at = at
            self._statements.append(read_statement(statement, postgres))

    def error(self, e: Exception) -> RpcError:
        """The error for the module, where the transaction has failed with `e`."""
        params = [value for statement in self._statements for value in statement.all_params]
        failed = None if self._at is None or self._at >= len(self._statements) else self._statements[self._at]
        return database_error(e, self._at, failed, params)
