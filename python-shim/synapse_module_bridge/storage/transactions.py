"""Implements `api.run_db_interaction` with a function: a transaction that is open while the module decides what to do.

In order: `begin` takes one of a few places, and waits for a connection. The connection's thread then takes statements
from a queue, until it gets a commit or a rollback, a statement fails, or its time is up. It waits no longer than that,
whatever happens to the host. For PostgreSQL only: SQLite has a single connection, for which all of Synapse would wait.
"""

import time
from collections.abc import Mapping
from queue import Empty, SimpleQueue
from typing import Any

from synapse.logging.context import PreserveLoggingContext, make_deferred_yieldable
from synapse.module_api import ModuleApi
from synapse.storage.database import LoggingTransaction
from synapse.storage.engines import PostgresEngine
from twisted.internet.defer import Deferred, DeferredSemaphore

from synapse_module_bridge.reactor.background import run_in_background_process
from synapse_module_bridge.reactor.deadline import DeadlinePassed, within
from synapse_module_bridge.schema.protocol import LIMITS
from synapse_module_bridge.storage.database import Descs
from synapse_module_bridge.storage.database_errors import database_error
from synapse_module_bridge.storage.guard import Guard, guarded
from synapse_module_bridge.storage.statements import Results, Statement, read_statement
from synapse_module_bridge.storage.time_box import TimeBox, TransactionOver, over_text
from synapse_module_bridge.transport.rpc import RpcError

# Counted from the moment at which the transaction has a connection.
_LIMIT = "transaction_function_ms"
# Of Synapse's connections, which are five by default, and often ten (`cp_max`).
MOST_OPEN = 2
# For a place and a connection.
WAIT_SECONDS = 5.0

_NOT_ON_SQLITE = (
    "run_db_interaction takes `func` on PostgreSQL only: SQLite has a single connection, for which all of Synapse "
    "would wait; use `statements`"
)
_OVER = over_text(LIMITS[_LIMIT])
_NOT_COMMITTED = "the transaction's commit failed"
_ROLLED_BACK = "the transaction was rolled back"
# In some versions of Python, the thread waits by the system's clock. A timer ends the wait if that is set back.
SPARE_SECONDS = 0.1
_BUSY = f"no transaction could begin within {WAIT_SECONDS:g} s: {MOST_OPEN} are run at a time"

# A statement as the host sends it, and the Deferred that gets its result or an RpcError. None ends the transaction.
_Task = tuple[Mapping[str, Any], "Deferred[Any]"]


class _Transaction:
    """One transaction. `run` runs in a thread of Synapse's database pool, all else in the reactor's."""

    def __init__(self, module: str, reactor: Any) -> None:
        self.module = module
        self._reactor = reactor
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        # Why it is to be rolled back, once it is.
        self._rolled_back: str | None = None
        self._has_run = False
        # The parameters of all its statements.
        self._params: list[Any] = []
        # The error of the statement that failed.
        self._failure: RpcError | None = None
        # Fires with None once there is a connection, or the transaction has failed.
        self.begun: Deferred[None] = Deferred()
        # Fires once it is over; `outcome` then says why it was not committed, or is None.
        self.ended: Deferred[None] = Deferred()
        self.outcome: RpcError | None = None

    def execute(self, given: Mapping[str, Any]) -> "Deferred[Any]":
        """Queues a statement. The Deferred fires with its result, or with an RpcError."""
        answer: Deferred[Any] = Deferred()
        self._tasks.put((given, answer))
        return answer

    def commit(self) -> None:
        """Commits after the queued statements."""
        self._tasks.put(None)

    def roll_back(self, why: str) -> None:
        """Rolls back; queued statements fail."""
        self._rolled_back = why
        self._tasks.put(None)

    def run(self, txn: LoggingTransaction) -> None:
        """Runs statements until the transaction is to end. Raises TransactionOver to roll it back."""
        if self._has_run:
            # Synapse has tried to commit, and retries. It logs why.
            raise TransactionOver(_NOT_COMMITTED)
        self._has_run = True
        box = TimeBox(_LIMIT)
        self._fire(self.begun, None)
        with guarded(txn, box) as guard:
            while (task := self._next(box)) is not None:
                self._do(txn, guard, *task)
            if self._rolled_back is not None:
                raise TransactionOver(self._rolled_back)
            try:
                guard.finish()
            except Exception as e:
                raise self._failed(e, None) from None

    def _next(self, box: TimeBox) -> "_Task | None":
        try:
            return self._tasks.get(timeout=box.left_ms / 1000)
        except Empty:
            raise box.over() from None

    def _do(self, txn: LoggingTransaction, guard: Guard, given: Mapping[str, Any], answer: "Deferred[Any]") -> None:
        statement: Statement | None = None
        try:
            if self._rolled_back is not None:
                raise TransactionOver(_OVER)
            statement = read_statement(given, postgres=True)
            self._params += statement.all_params
            result = Results().run(txn, guard, statement)
        except Exception as e:
            # After an error, PostgreSQL refuses all further statements of the transaction.
            over = self._failed(e, statement)
            self._fire(answer, self._failure)
            raise over from None
        self._fire(answer, result)

    def _failed(self, e: Exception, statement: Statement | None) -> TransactionOver:
        self._failure = database_error(e, None, statement, self._params)
        return TransactionOver(self._failure.message)

    def _fire(self, deferred: "Deferred[Any]", result: Any) -> None:
        self._reactor.callFromThread(_fire, deferred, result)

    def over(self, e: Exception | None) -> None:
        """The transaction was committed, or has failed with `e`."""
        if e is not None:
            self.outcome = self._failure or database_error(e, None, None, self._params)
        _fire(self.begun, None)
        while not self._tasks.empty():
            if (task := self._tasks.get()) is not None:
                _fire(task[1], transaction_over(_OVER))
        _fire(self.ended, None)


def _fire(deferred: "Deferred[Any]", result: Any) -> None:
    # It may have been cancelled.
    if not deferred.called:
        with PreserveLoggingContext():
            deferred.callback(result)


def transaction_over(why: str) -> RpcError:
    """The error for a module whose transaction was rolled back."""
    return database_error(TransactionOver(why), None, None, ())


class Transactions:
    """The open transactions, which the host's requests name by number.

    The methods for those requests get the module's name, and the parameters of `schemas/protocol.json`.
    """

    def __init__(self, api: ModuleApi, reactor: Any, clock: Any, descs: Descs) -> None:
        self._api = api
        self._reactor = reactor
        self._clock = clock
        self._descs = descs
        self._places = DeferredSemaphore(MOST_OPEN)
        self._open: dict[int, _Transaction] = {}
        self._last = 0

    async def begin(self, module: str, params: Mapping[str, Any]) -> dict[str, int]:
        """Begins a transaction. Raises RuntimeError on SQLite, and where none can begin in time; RpcError."""
        if not isinstance(self._api._store.db_pool.engine, PostgresEngine):
            raise RuntimeError(_NOT_ON_SQLITE)
        until = time.monotonic() + WAIT_SECONDS
        await self._wait(self._places.acquire(), until)
        self._last += 1
        number, transaction = self._last, _Transaction(module, self._reactor)
        self._open[number] = transaction
        desc = self._descs.name(module, params["desc"])
        run_in_background_process(self._api, "module_bridge_transaction", lambda: self._carry_out(number, desc))
        try:
            await self._wait(transaction.begun, until)
        except RuntimeError:
            transaction.roll_back(_BUSY)
            raise
        if transaction.outcome is not None:
            raise transaction.outcome
        timer = self._clock.callLater(LIMITS[_LIMIT] / 1000 + SPARE_SECONDS, lambda: transaction.roll_back(_OVER))
        transaction.ended.addCallback(lambda _: timer.active() and timer.cancel())
        return {"transaction": number}

    async def _wait(self, deferred: "Deferred[Any]", until: float) -> None:
        try:
            await within(deferred, until - time.monotonic(), self._clock)
        except DeadlinePassed:
            raise RuntimeError(_BUSY) from None

    async def _carry_out(self, number: int, desc: str) -> None:
        transaction = self._open[number]
        failure: Exception | None = None
        try:
            await self._api.run_db_interaction(desc, transaction.run)
        except Exception as e:
            failure = e
        del self._open[number]
        with PreserveLoggingContext():
            self._places.release()
        transaction.over(failure)

    async def execute(self, module: str, params: Mapping[str, Any]) -> Any:
        """Runs a statement, and returns its result. Raises RpcError."""
        transaction = self._find(module, params)
        result = await make_deferred_yieldable(transaction.execute(params["statement"]))
        if isinstance(result, RpcError):
            raise result
        return result

    async def commit(self, module: str, params: Mapping[str, Any]) -> None:
        """Commits a transaction, and waits for that. Raises RpcError."""
        transaction = self._find(module, params)
        transaction.commit()
        await make_deferred_yieldable(transaction.ended)
        if transaction.outcome is not None:
            raise transaction.outcome

    async def roll_back(self, module: str, params: Mapping[str, Any]) -> None:
        """Rolls a transaction back, and waits for that. Raises RpcError where it is over already."""
        transaction = self._find(module, params)
        transaction.roll_back(_ROLLED_BACK)
        await make_deferred_yieldable(transaction.ended)

    def _find(self, module: str, params: Mapping[str, Any]) -> _Transaction:
        transaction = self._open.get(params["transaction"])
        if transaction is None or transaction.module != module:
            raise transaction_over(_OVER)
        return transaction

    def abandon(self) -> None:
        """Rolls all transactions back: the host that began them has ended."""
        for transaction in self._open.values():
            transaction.roll_back(_ROLLED_BACK)
