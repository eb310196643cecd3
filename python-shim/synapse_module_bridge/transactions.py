"""`api.run_db_interaction` with a function: a transaction that is open while the host decides what comes next.

In order: `begin` takes one of a few places and waits for a connection; the connection's thread then takes statements
from a queue, until it is told to commit or to roll back, a statement fails, or its time is up. It never waits longer
than that, whatever becomes of the host. For PostgreSQL only: SQLite has a single connection, and all of Synapse would
wait.
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

from synapse_module_bridge.background import run_in_background_process
from synapse_module_bridge.catalogue import ERROR_CODES
from synapse_module_bridge.database import Descs
from synapse_module_bridge.database_errors import bad_statement, database_error
from synapse_module_bridge.deadline import DeadlinePassed, within
from synapse_module_bridge.rpc import RpcError
from synapse_module_bridge.statements import BadStatement, Results, Statement, read_statement

# From the moment it has a connection, which nobody else can use meanwhile.
OPEN_SECONDS = 0.5
# Synapse has ten connections unless it is told otherwise.
MOST_OPEN = 2
# How long one may wait for a place and a connection.
WAIT_SECONDS = 5.0

_NOT_ON_SQLITE = (
    "run_db_interaction takes `func` on PostgreSQL only: SQLite has a single connection, for which all of Synapse "
    "would wait; use `statements`"
)
_OVER = f"the transaction was rolled back: it took longer than {OPEN_SECONDS * 1000:.0f} ms"
_ROLLED_BACK = "the transaction was rolled back"
# The thread's own wait is by the system's clock on some Pythons: should that be set back, this ends it.
SPARE_SECONDS = 0.1
_BUSY = f"no transaction could begin within {WAIT_SECONDS:g} s: {MOST_OPEN} are run at a time"
# What PostgreSQL says when a statement takes longer than it may.
_QUERY_CANCELED = "57014"


class _Ended(Exception):
    """Rolls the transaction back. Not an exception of the database's: Synapse would run the transaction again."""


class _Transaction:
    def __init__(self, module: str, reactor: Any) -> None:
        self.module = module
        self._reactor = reactor
        self._tasks: SimpleQueue[tuple[Statement, Deferred[Any]] | None] = SimpleQueue()
        # Why it is to be rolled back, once that is so.
        self._rolled_back: str | None = None
        self._has_run = False
        self._params: list[Any] = []
        # Fires with None once there is a connection.
        self.begun: Deferred[None] = Deferred()
        # Fires once it is over; `outcome` then says why it was not committed.
        self.ended: Deferred[None] = Deferred()
        self.outcome: RpcError | None = None

    def execute(self, statement: Statement) -> "Deferred[Any]":
        answer: Deferred[Any] = Deferred()
        self._tasks.put((statement, answer))
        return answer

    def commit(self) -> None:
        self._tasks.put(None)

    def roll_back(self, why: str) -> None:
        self._rolled_back = why
        self._tasks.put(None)

    def run(self, txn: LoggingTransaction) -> None:
        """In a thread of the database's."""
        if self._has_run:
            # Only the commit can have failed so.
            raise _Ended(_OVER)
        self._has_run = True
        until = time.monotonic() + OPEN_SECONDS
        self._fire(self.begun, None)
        while (task := self._next(until)) is not None:
            self._do(txn, *task, until)
        if self._rolled_back is not None:
            raise _Ended(self._rolled_back)

    def _next(self, until: float) -> "tuple[Statement, Deferred[Any]] | None":
        try:
            return self._tasks.get(timeout=max(0.0, until - time.monotonic()))
        except Empty:
            raise _Ended(_OVER) from None

    def _do(self, txn: LoggingTransaction, statement: Statement, answer: "Deferred[Any]", until: float) -> None:
        self._params += statement.all_params
        left_ms = int((until - time.monotonic()) * 1000)
        try:
            if left_ms <= 0 or self._rolled_back is not None:
                raise _Ended(_OVER)
            txn.execute(f"SET LOCAL statement_timeout = {left_ms}")
            result = Results().run(txn, statement)
        except Exception as e:
            # PostgreSQL takes nothing more in this transaction.
            self._fire(answer, self._error(e))
            raise _Ended(str(e)) from None
        self._fire(answer, result)

    def _error(self, e: Exception) -> RpcError:
        if isinstance(e, _Ended) or getattr(e, "pgcode", None) == _QUERY_CANCELED:
            return transaction_over(_OVER)
        return bad_statement(e, None) if isinstance(e, BadStatement) else database_error(e, None, self._params)

    def _fire(self, deferred: "Deferred[Any]", result: Any) -> None:
        self._reactor.callFromThread(_fire, deferred, result)

    def over(self, e: Exception | None) -> None:
        """Has been committed, or has failed with this; in the reactor's thread."""
        if e is not None:
            self.outcome = transaction_over(str(e)) if isinstance(e, _Ended) else self._error(e)
        _fire(self.begun, None)
        while not self._tasks.empty():
            if (task := self._tasks.get()) is not None:
                _fire(task[1], transaction_over(_OVER))
        _fire(self.ended, None)


def _fire(deferred: "Deferred[Any]", result: Any) -> None:
    # Nobody may be waiting any more.
    if not deferred.called:
        with PreserveLoggingContext():
            deferred.callback(result)


def transaction_over(why: str) -> RpcError:
    return RpcError(
        ERROR_CODES["database_error"], why, {"class": "TransactionOver", "sqlstate": None, "statement": None}
    )


class Transactions:
    """By number, in the host's requests."""

    def __init__(self, api: ModuleApi, reactor: Any, clock: Any, descs: Descs) -> None:
        self._api = api
        self._reactor = reactor
        self._clock = clock
        self._descs = descs
        self._places = DeferredSemaphore(MOST_OPEN)
        self._open: dict[int, _Transaction] = {}
        self._last = 0

    async def begin(self, module: str, params: Mapping[str, Any]) -> dict[str, int]:
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
        timer = self._clock.callLater(OPEN_SECONDS + SPARE_SECONDS, lambda: transaction.roll_back(_OVER))
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
        transaction = self._find(module, params)
        try:
            statement = read_statement(params["statement"])
        except BadStatement as e:
            raise bad_statement(e, None) from None
        result = await make_deferred_yieldable(transaction.execute(statement))
        if isinstance(result, RpcError):
            raise result
        return result

    async def commit(self, module: str, params: Mapping[str, Any]) -> None:
        transaction = self._find(module, params)
        transaction.commit()
        await make_deferred_yieldable(transaction.ended)
        if transaction.outcome is not None:
            raise transaction.outcome

    async def roll_back(self, module: str, params: Mapping[str, Any]) -> None:
        transaction = self._find(module, params)
        transaction.roll_back(_ROLLED_BACK)
        await make_deferred_yieldable(transaction.ended)

    def _find(self, module: str, params: Mapping[str, Any]) -> _Transaction:
        transaction = self._open.get(params["transaction"])
        if transaction is None or transaction.module != module:
            raise transaction_over(_OVER)
        return transaction

    def abandon(self) -> None:
        """The host that began them has ended."""
        for transaction in self._open.values():
            transaction.roll_back(_ROLLED_BACK)
