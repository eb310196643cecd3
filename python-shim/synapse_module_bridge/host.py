"""Keeps one host process running: starts it, notices when it hangs, restarts it when it ends, replaces it, and stops
it with Synapse.

In order: `start` blocks for the handshake while Synapse starts. From then on everything belongs to the reactor.
When the process ends, its calls fail at once, and another is started: immediately, then after growing pauses. Calls
wait for it a short while. A process that gives no sign of life is killed. When Synapse shuts down, the
process's input is closed, it has some time to finish, and is killed.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from synapse.logging.context import PreserveLoggingContext, make_deferred_yieldable
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from synapse_module_bridge.backoff import Backoff
from synapse_module_bridge.child import Child
from synapse_module_bridge.deadline import DeadlinePassed, within
from synapse_module_bridge.drain import drained
from synapse_module_bridge.faults import Fault
from synapse_module_bridge.handshake import greet, shake_hands
from synapse_module_bridge.heartbeat import Heartbeat
from synapse_module_bridge.hold import Hold
from synapse_module_bridge.logs import LogRelay
from synapse_module_bridge.rpc import Asked, ConnectionGone, OnLate, RequestHandler
from synapse_module_bridge.timed_requests import TimedRequests
from synapse_module_bridge.unavailable import Unavailable
from synapse_module_bridge.watcher import Watcher

logger = logging.getLogger(__name__)

T = TypeVar("T")

# A host that has run so long has recovered: its next end is restarted at once again.
STEADY_SECONDS = 30.0
# How long a host may finish what is under way when Synapse shuts down.
DRAIN_SECONDS = 2.0
# How long a new host's modules may set up before they take over at a reload.
TAKEOVER_SECONDS = 30.0
# What may wait for a host that does not read; with more, calls are answered by policy.
MOST_UNSENT_BYTES = 64 * 1024 * 1024


class NodeHost:
    """`initialize` is sent to each new process. `clock` is what deadlines are told in."""

    def __init__(
        self,
        reactor: Any,
        clock: Any,
        command: Sequence[str],
        env: Mapping[str, str],
        initialize: Mapping[str, Any],
        start_timeout: float,
        handle_request: RequestHandler,
        watcher: Watcher,
        make_child: Callable[[Sequence[str], Mapping[str, str], RequestHandler, LogRelay], Child] = Child,
    ) -> None:
        self._reactor = reactor
        self._clock = clock
        self._command = command
        self._env = env
        self._initialize = initialize
        self._start_timeout = start_timeout
        self._handle_request = handle_request
        self._watcher = watcher
        self._make_child = make_child
        self._hold = Hold(clock)
        # The process that takes the calls, or is to.
        self._child: Child | None = None
        # It, and those that finish their work or are about to take over.
        self._running: set[Child] = set()
        self._heartbeats: dict[Child, Heartbeat] = {}
        self._requests: dict[Child, TimedRequests] = {}
        self._up_since = 0.0
        self._backoff = Backoff()
        self._restart_timer: Any = None
        self._stopped: Deferred[None] | None = None
        self._stop_timers: list[Any] = []
        # Something to be done before the host's input is closed, within DRAIN_SECONDS.
        self.before_stop: Callable[[], Deferred[None]] = lambda: succeed(None)

    def start(self) -> Mapping[str, Any]:
        """Starts the first process and waits for its declarations. Raises Fault; then no process is left."""
        child = self._spawn()
        try:
            manifest = shake_hands(child, self._initialize, self._start_timeout)
        except BaseException:
            child.kill_and_wait()
            raise
        self._child = child
        return manifest

    def _spawn(self) -> Child:
        try:
            return self._make_child(self._command, self._env, self._handle_request, LogRelay())
        except OSError as e:
            raise Fault(("node",), f"cannot start {self._command[0]}: {e.strerror}") from e

    def run(self) -> None:
        """Hands the process over to the reactor, and lets the modules set up."""
        assert self._child is not None
        self._attach(self._child)
        self._went_up(self._child)
        self._reactor.addSystemEventTrigger("before", "shutdown", self.stop)

    def abandon(self) -> None:
        """Ends the process at once: Synapse does not start."""
        if self._child is not None:
            self._child.kill_and_wait()

    def _attach(self, child: Child) -> None:
        self._running.add(child)
        self._requests[child] = TimedRequests(child.rpc, self._clock)
        child.attach(self._reactor, lambda cause: self._ended(child, cause))

    def _begin(self, child: Child) -> None:
        """Lets the modules set up. From then on the process must give signs of life."""
        if child not in self._heartbeats:
            child.rpc.notify("start", {})
            self._heartbeats[child] = Heartbeat(self._clock, child, lambda pulse: self._pulse(child, pulse))

    def _pulse(self, child: Child, pulse: Mapping[str, Any]) -> None:
        if child is self._child:
            self._watcher.pulse(pulse)

    def _went_up(self, child: Child) -> None:
        self._begin(child)
        self._up_since = self._clock.seconds()
        self._watcher.up(True)
        self._hold.up()

    def _went_down(self) -> None:
        self._hold.down()
        self._watcher.up(False)

    def _ended(self, child: Child, cause: str) -> None:
        self._running.discard(child)
        heartbeat = self._heartbeats.pop(child, None)
        if heartbeat is not None:
            heartbeat.stop()
        if child is not self._child:
            self._close(child, cause)
        else:
            # Before its calls fail, and are known no more.
            running = self._watcher.died(cause) if self._stopped is None else ""
            was_up, self._child = self._hold.is_up, None
            self._went_down()
            self._close(child, cause)
            if self._stopped is None:
                self._restart_later(cause, running, was_up)
        self._settle_stop()

    def _close(self, child: Child, cause: str) -> None:
        child.rpc.close(f"the module host ended ({cause})")
        self._requests.pop(child).stop()

    def _restart_later(self, cause: str, running: str, was_up: bool) -> None:
        if was_up and self._clock.seconds() - self._up_since > STEADY_SECONDS:
            self._backoff.reset()
        pause = self._backoff.pause()
        logger.error("the module host ended (%s)%s; it is restarted in %.1f s", cause, running, pause)
        self._restart_timer = self._clock.callLater(pause, self._restart)

    def _restart(self) -> None:
        try:
            child = self._spawn()
        except Fault as e:
            self._restart_later(str(e), "", was_up=False)
            return
        self._child = child
        self._attach(child)
        greeting = greet(child, self._initialize, self._start_timeout, self._clock)
        greeting.addCallback(self._restarted, child)
        greeting.addErrback(self._not_restarted, child)

    def _restarted(self, manifest: Mapping[str, Any], child: Child) -> None:
        self._watcher.manifest(manifest)
        logger.warning("the module host is back after %.2f s", self._clock.seconds() - self._hold.down_since)
        self._went_up(child)

    def _not_restarted(self, failure: Failure, child: Child) -> None:
        if not failure.check(ConnectionGone):
            # The declarations that Synapse started with stay in force; policy answers.
            logger.error("the module host cannot be restarted: %s", failure.getErrorMessage())
            child.kill()

    async def replace(self, refuse: Callable[[Mapping[str, Any]], str | None]) -> str | None:
        """Starts a new process beside the present one, and lets it take over once its modules are set up.

        `refuse` may say why its declarations cannot be taken. Gives why the present process stays, or None.
        """
        old = self._child
        if old is None or not self._hold.is_up or self._stopped is not None:
            return "the module host is down; its restart loads what is new"
        try:
            child = self._spawn()
        except Fault as e:
            return str(e)
        self._attach(child)
        try:
            greeting = greet(child, self._initialize, self._start_timeout, self._clock)
            manifest = await make_deferred_yieldable(greeting)
            reason = refuse(manifest) or await self._set_up(child)
            if reason is None and (self._child is not old or self._stopped is not None):
                reason = "the present module host ended meanwhile"
            if reason is None:
                self._watcher.manifest(manifest)
        except Exception as e:
            reason = str(e) or type(e).__name__
        if reason is not None:
            child.stopping = True
            child.kill()
            return reason
        self._child = child
        self._went_down()
        self._went_up(child)
        # What the old one works on, it finishes.
        finished = drained(self._clock, lambda: len(old.rpc.pending) > 0)
        finished.addCallback(lambda _: old.close_input())
        self._clock.callLater(TAKEOVER_SECONDS, old.kill)
        return None

    async def _set_up(self, child: Child) -> str | None:
        self._begin(child)
        waiting = child.rpc.request("set_up", {})
        try:
            failed: Mapping[str, Any] = await within(waiting, TAKEOVER_SECONDS, self._clock)
        except DeadlinePassed:
            return f"its modules were not set up within {TAKEOVER_SECONDS:g} s"
        problems = [f"{module}: setup failed: {why}" for module, why in failed["failed"].items()]
        return "; ".join(problems) or None

    @property
    def is_up(self) -> bool:
        # A call that is sent to a process which has just died, before its end was noticed, would be lost with it.
        return self._hold.is_up and self._child is not None and self._child.is_there

    async def until_up(self, deadline: float) -> None:
        """Waits for a host that is down, at most HOLD_SECONDS of its outage. Raises Unavailable."""
        if not self.is_up:
            await self._hold.until_up(deadline)

    async def until_up_again(self) -> None:
        """Waits for a host that is down, however long. Raises Unavailable when Synapse stops."""
        while not self.is_up:
            await self._hold.until_up_again()

    def within(self, deferred: "Deferred[T]", deadline: float) -> Awaitable[T]:
        return within(deferred, deadline - self._clock.seconds(), self._clock)

    def call(self, method: str, params: Asked, deadline: float, on_late: OnLate | None = None) -> "Deferred[Any]":
        """As Host has it. Raises Unavailable where a host that does not read has much to read already."""
        child = self._child
        if child is None or not self._hold.is_up:
            raise ConnectionGone("down")
        # Of those that leave together, the first was let through.
        if child.is_behind and not child.rpc.held and child.unsent_bytes > MOST_UNSENT_BYTES:
            raise Unavailable("overload")
        return self._requests[child].ask(method, params, deadline, on_late)

    def stop(self) -> "Deferred[None]":
        """Lets the process finish and end. Fires when it has ended, and all others with it."""
        if self._stopped is not None:
            return self._stopped
        self._stopped = Deferred()
        self._hold.stopping()
        if self._restart_timer is not None and self._restart_timer.active():
            self._restart_timer.cancel()
        with PreserveLoggingContext():
            for child in self._running - {self._child}:
                child.close_input()
            if self._running:
                self._stop_timers = [
                    self._clock.callLater(DRAIN_SECONDS, self._close_input),
                    self._clock.callLater(2 * DRAIN_SECONDS, self._kill_all),
                ]
            if self._child is not None:
                self.before_stop().addBoth(lambda _: self._close_input())
        self._settle_stop()
        return self._stopped

    def _close_input(self) -> None:
        if self._child is not None:
            self._child.close_input()

    def _kill_all(self) -> None:
        for child in list(self._running):
            child.kill()

    def _settle_stop(self) -> None:
        if self._stopped is None or self._running or self._stopped.called:
            return
        for timer in self._stop_timers:
            if timer.active():
                timer.cancel()
        self._hold.over()
        self._stopped.callback(None)
