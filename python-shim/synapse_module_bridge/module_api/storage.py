"""Names the methods for storage, which Synapse's ModuleApi lacks or has for Python alone, by the host's requests."""

from collections.abc import Mapping
from typing import Any

from synapse.module_api import ModuleApi

from synapse_module_bridge.module_api.api import AddedMethod
from synapse_module_bridge.schema.protocol import API, method_name
from synapse_module_bridge.storage.database import Database, Descs
from synapse_module_bridge.storage.store import Store
from synapse_module_bridge.storage.transactions import Transactions


class Storage:
    """`methods` are for `ApiRequests`."""

    def __init__(self, api: ModuleApi, reactor: Any, clock: Any) -> None:
        descs = Descs()
        database, store = Database(api, descs), Store(api)
        self._transactions = Transactions(api, reactor, clock, descs)
        self.methods: Mapping[str, AddedMethod] = {
            API + "run_db_interaction": database.run,
            method_name("api/run_db_interaction/begin"): self._transactions.begin,
            method_name("api/run_db_interaction/execute"): self._transactions.execute,
            method_name("api/run_db_interaction/commit"): self._transactions.commit,
            method_name("api/run_db_interaction/roll_back"): self._transactions.roll_back,
            API + "store.get": store.get,
            API + "store.set": store.set,
            API + "store.delete": store.delete,
            API + "store.list": store.list,
            API + "store.compare_and_set": store.compare_and_set,
            API + "store.increment": store.increment,
        }

    def host_ended(self) -> None:
        """Rolls back the transactions that the host has left open."""
        self._transactions.abandon()
