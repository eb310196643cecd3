"""`api.run_db_interaction`: a list of statements as one transaction of Synapse's, retried as Synapse retries."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from synapse.module_api import ModuleApi
from synapse.storage.database import LoggingTransaction

from synapse_module_bridge.database_errors import bad_statement, database_error
from synapse_module_bridge.statements import BadStatement, Results, Statement, begin, read_statement

# Each becomes a label of Synapse's metrics.
MOST_DESCS = 200


class Descs:
    """Names transactions, for Synapse's log and metrics, as the modules do: as long as they are few."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def name(self, module: str, desc: Any) -> str:
        name = "module_bridge_" + re.sub(r"[^A-Za-z0-9_.-]", "_", f"{module}_{desc}"[:80])
        if len(self._known) < MOST_DESCS:
            self._known.add(name)
        return name if name in self._known else "module_bridge"


class Database:
    def __init__(self, api: ModuleApi, descs: Descs) -> None:
        self._api = api
        self._descs = descs

    async def run(self, module: str, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The results of all statements, once they are committed. Raises RpcError."""
        interaction = _Interaction()
        try:
            interaction.read(params["statements"])
            desc = self._descs.name(module, params["desc"])
            results: list[dict[str, Any]] = await self._api.run_db_interaction(desc, interaction.run)
            return results
        except BadStatement as e:
            raise bad_statement(e, interaction.at) from None
        except Exception as e:
            params_of_all = [value for statement in interaction.statements for value in statement.all_params]
            raise database_error(e, interaction.at, params_of_all) from None


class _Interaction:
    """The statements, and which of them is being read or run."""

    def __init__(self) -> None:
        self.statements: list[Statement] = []
        self.at: int | None = None

    def read(self, given: Sequence[Mapping[str, Any]]) -> None:
        for at, statement in enumerate(given):
            self.at = at
            self.statements.append(read_statement(statement))
        self.at = None

    def run(self, txn: LoggingTransaction) -> list[dict[str, Any]]:
        """Synapse runs it again after a deadlock, or when the database could not be reached."""
        begin(txn)
        results = Results()
        answers = []
        for at, statement in enumerate(self.statements):
            self.at = at
            answers.append(results.run(txn, statement))
        self.at = None
        return answers
