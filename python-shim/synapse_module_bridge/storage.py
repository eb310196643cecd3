"""The methods that Synapse's ModuleApi lacks: statements in its database, transactions, and the store."""

from collections.abc import Mapping
from typing import Any

from synapse.module_api import ModuleApi

from synapse_module_bridge.api import AddedMethod
from synapse_module_bridge.database import Database, Descs
from synapse_module_bridge.store import Store
from synapse_module_bridge.transactions import Transactions


class Storage:
    def __init__(self, api: ModuleApi, reactor: Any, clock: Any) -> None:
        descs = Descs()
        database, store = Database(api, descs), Store(api)
        self._transactions = Transactions(api, reactor, clock, descs)
        self.methods: Mapping[str, AddedMethod] = {
            "run_db_interaction": database.run,
            "run_db_interaction/begin": self._transactions.begin,
            "run_db_interaction/execute": self._transactions.execute,
            "run_db_interaction/commit": self._transactions.commit,
            "run_db_interaction/roll_back": self._transactions.roll_back,
            "store.get": store.get,
            "store.set": store.set,
            "store.delete": store.delete,
            "store.list": store.list,
            "store.compare_and_set": store.compare_and_set,
        }

    def host_ended(self) -> None:
        self._transactions.abandon()
