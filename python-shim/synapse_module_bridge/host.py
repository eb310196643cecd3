"""Keeps one host process running: starts it, restarts it when it ends, stops it with Synapse.

In order: `start` blocks for the handshake while Synapse starts. From then on everything belongs to the reactor. When
the process ends, its calls fail at once, and another is started: immediately, then after growing pauses. Calls wait for
it a short while. When Synapse shuts down, its input is closed, it has some time to finish, and is killed.
"""

import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from synapse.logging.context import PreserveLoggingContext, make_deferred_yieldable
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from synapse_module_bridge.calls import Unavailable
from synapse_module_bridge.child import Child
from synapse_module_bridge.deadline import DeadlinePassed, add_deadline
from synapse_module_bridge.faults import Fault, faults_from_host
from synapse_module_bridge.logs import LogRelay
from synapse_module_bridge.rpc import ConnectionGone, RequestHandler
from synapse_module_bridge.wire import BrokenStream

logger = logging.getLogger(__name__)

# How long calls wait for a host that is down, counted from the start of the outage.
HOLD_SECONDS = 2.0
# Pauses before a restart: none at first, then doubling.
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 30.0
# A host that has run so long has recovered: its next end is restarted at once again.
STEADY_SECONDS = 30.0
# How long a host may finish what is under way when Synapse shuts down.
DRAIN_SECONDS = 2.0


class NodeHost:
    """`initialize` is sent to each new process; `on_manifest` gets what its modules declare."""

    def __init__(
        self,
        reactor: Any,
        command: Sequence[str],
        env: Mapping[str, str],
        initialize: Mapping[str, Any],
        start_timeout: float,
        handle_request: RequestHandler,
        on_manifest: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self._reactor = reactor
        self._command = command
        self._env = env
        self._initialize = initialize
        self._start_timeout = start_timeout
        self._handle_request = handle_request
        self._on_manifest = on_manifest
        self._child: Child | None = None
        self._up = False
        self._waiting: list[Deferred[None]] = []
        self._down_since = 0.0
        self._up_since = 0.0
        self._failures = 0
        self._stopped: Deferred[None] | None = None

    def start(self) -> Mapping[str, Any]:
        """Starts the first process and waits for its declarations. Raises Fault; then no process is left."""
        child = self._spawn()
        try:
            return self._shake_hands(child)
        except BaseException:
            child.kill_and_wait()
            raise

    def _spawn(self) -> Child:
        try:
            return Child(self._command, self._env, self._handle_request, LogRelay().received)
        except OSError as e:
            raise Fault(("node",), f"cannot start {self._command[0]}: {e.strerror}") from e

    def _shake_hands(self, child: Child) -> Mapping[str, Any]:
        try:
            manifest = child.wait_for(child.rpc.request("initialize", self._initialize), self._start_timeout)
        except TimeoutError:
            raise Fault(
                ("start_timeout",),
                f"the modules were not loaded within {self._start_timeout:g} s: does one wait at its top level? "
                "Move the work into `setup`, or raise start_timeout",
            ) from None
        except ChildProcessError as e:
            raise Fault(None, f"the module host ended while it loaded the modules ({e}); the log says more") from None
        except BrokenStream as e:
            raise Fault(None, f"the module host does not speak the protocol: {e}") from None
        self._child = child
        return _checked(manifest)

    def run(self) -> None:
        """Hands the process over to the reactor, and lets the modules set up."""
        assert self._child is not None
        self._child.attach(self._reactor, self._ended)
        self._went_up()
        self._reactor.addSystemEventTrigger("before", "shutdown", self.stop)

    def abandon(self) -> None:
        """Ends the process at once: Synapse does not start."""
        if self._child is not None:
            self._child.kill_and_wait()

    def _went_up(self) -> None:
        assert self._child is not None
        self._up, self._up_since = True, time.monotonic()
        self._child.rpc.notify("start", {})
        waiting, self._waiting = self._waiting, []
        for deferred in waiting:
            with PreserveLoggingContext():
                deferred.callback(None)

    def _ended(self, reason: str) -> None:
        child, self._child = self._child, None
        was_up, self._up = self._up, False
        if child is not None:
            child.rpc.close(f"the module host ended ({reason})")
        if self._stopped is not None:
            if not self._stopped.called:
                self._stopped.callback(None)
            return
        now = time.monotonic()
        if was_up:
            self._down_since = now
            self._failures = 0 if now - self._up_since > STEADY_SECONDS else self._failures
        pause = 0.0
        if self._failures > 0:
            longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(self._failures, 16))
            pause = random.uniform(longest / 2, longest)
        self._failures += 1
        logger.error("the module host ended (%s); it is restarted in %.1f s", reason, pause)
        self._reactor.callLater(pause, self._restart)

    def _restart(self) -> None:
        if self._stopped is not None:
            return
        try:
            child = self._spawn()
        except Fault as e:
            self._ended(str(e))
            return
        self._child = child
        child.attach(self._reactor, self._ended)
        shaking = child.rpc.request("initialize", self._initialize)
        add_deadline(shaking, self._start_timeout, self._reactor)
        shaking.addCallback(self._restarted)
        shaking.addErrback(self._not_restarted, child)

    def _restarted(self, manifest: Any) -> None:
        self._on_manifest(_checked(manifest))
        logger.info("the module host is back after %.2f s", time.monotonic() - self._down_since)
        self._went_up()

    def _not_restarted(self, failure: Failure, child: Child) -> None:
        if not failure.check(ConnectionGone):
            # The declarations that Synapse started with stay in force; policy answers.
            logger.error("the module host cannot be restarted: %s", failure.getErrorMessage())
            child.kill()

    async def call(self, method: str, params: Mapping[str, Any], timeout_ms: int) -> Any:
        """The result of a request within a deadline. Raises RpcError, Unavailable; ValueError for what is no JSON."""
        deadline = time.monotonic() + timeout_ms / 1000
        if not self._up:
            await self._wait_until_up(deadline)
        assert self._child is not None
        asking = self._child.rpc.request(method, params)
        add_deadline(asking, deadline - time.monotonic(), self._reactor)
        try:
            return await make_deferred_yieldable(asking)
        except DeadlinePassed:
            raise Unavailable("deadline") from None
        except ConnectionGone:
            raise Unavailable("down") from None

    async def _wait_until_up(self, deadline: float) -> None:
        patience = min(deadline, self._down_since + HOLD_SECONDS) - time.monotonic()
        if patience <= 0 or self._stopped is not None:
            raise Unavailable("down")
        waiting: Deferred[None] = Deferred()
        self._waiting.append(waiting)
        add_deadline(waiting, patience, self._reactor)
        try:
            await make_deferred_yieldable(waiting)
        except DeadlinePassed:
            raise Unavailable("down") from None
        finally:
            if waiting in self._waiting:
                self._waiting.remove(waiting)

    def stop(self) -> "Deferred[None]":
        """Lets the process finish and end. Fires when it has ended."""
        if self._stopped is None:
            self._stopped = Deferred()
            child = self._child
            if child is None:
                return succeed(None)
            with PreserveLoggingContext():
                child.close_input()
                self._reactor.callLater(DRAIN_SECONDS, child.kill)
        return self._stopped


def _checked(manifest: Any) -> Mapping[str, Any]:
    if not isinstance(manifest, dict):
        raise Fault(None, "the module host's answer to initialize is not an object")
    faults = faults_from_host(manifest.get("faults"))
    if faults:
        raise faults[0] if len(faults) == 1 else Faults(faults)
    return manifest


class Faults(Fault):
    """Several faults at once."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(None, "; ".join(map(str, faults)))
        self.faults = tuple(faults)
