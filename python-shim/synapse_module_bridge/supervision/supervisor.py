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

from synapse_module_bridge.process.child import Child
from synapse_module_bridge.process.logs import LogRelay
from synapse_module_bridge.reactor.deadline import DeadlinePassed, within
from synapse_module_bridge.reactor.unexpected import contained, log_unexpected
from synapse_module_bridge.reactor.when_idle import drained
from synapse_module_bridge.schema.protocol import LIMITS, Reason, fits, method_name
from synapse_module_bridge.schema.startup_problems import StartupProblem
from synapse_module_bridge.supervision.backoff import Backoff
from synapse_module_bridge.supervision.grace_period import GracePeriod
from synapse_module_bridge.supervision.handshake import cannot_start, greet, shake_hands
from synapse_module_bridge.supervision.host_events import HostEvents
from synapse_module_bridge.supervision.initialize import Initialize, Occasion
from synapse_module_bridge.supervision.watchdog import Watchdog
from synapse_module_bridge.transport.rpc import Asked, ConnectionGone, OnLate, RequestHandler, RpcError
from synapse_module_bridge.transport.timed_requests import TimedRequests
from synapse_module_bridge.transport.unavailable import Unavailable

logger = logging.getLogger("synapse_module_bridge.host")

T = TypeVar("T")

_START = method_name("start")
_SET_UP = method_name("set_up")
# A host that has run so long has recovered: its next end is restarted at once again.
STEADY_SECONDS = 30.0
# How long a host may finish what is under way when Synapse shuts down.
DRAIN_SECONDS = LIMITS["finish_ms"] / 1000
# What a new host may take to set up its modules at a reload, beside their own time.
SPARE_SECONDS = 5.0
# How long a host that was replaced may finish what it does.
FINISH_SECONDS = 30.0
# What may wait for a host that does not read; with more, calls are answered by policy.
MOST_UNSENT_BYTES = 64 * 1024 * 1024


class Supervisor:
    """`command` gives how a new process is started, `initialize` what it is told first.

    `clock` is what deadlines are told in.
    """

    def __init__(
        self,
        reactor: Any,
        clock: Any,
        command: Callable[[], Sequence[str]],
        env: Mapping[str, str],
        initialize: Initialize,
        start_timeout: float,
        handle_request: RequestHandler,
        events: HostEvents,
        make_child: Callable[[Sequence[str], Mapping[str, str], RequestHandler, LogRelay], Child] = Child,
    ) -> None:
        self._reactor = reactor
        self._clock = clock
        self._command = command
        self._env = env
        self._initialize = initialize
        self._start_timeout = start_timeout
        self._handle_request = handle_request
        self._events = events
        self._make_child = make_child
        self._grace_period = GracePeriod(clock)
        # The process that takes the calls, or is to.
        self._child: Child | None = None
        # It, and those that finish their work or are about to take over.
        self._running: set[Child] = set()
        self._watchdogs: dict[Child, Watchdog] = {}
        # Of those that were replaced: when their time to finish is over.
        self._finish_timers: dict[Child, Any] = {}
        self._requests: dict[Child, TimedRequests] = {}
        self._up_since = 0.0
        self._backoff = Backoff()
        self._restart_timer: Any = None
        self._stopped: Deferred[None] | None = None
        self._stop_timers: list[Any] = []
        # Something to be done before the host's input is closed, within DRAIN_SECONDS.
        self.before_stop: Callable[[], Deferred[None]] = lambda: succeed(None)

    def start(self) -> Mapping[str, Any]:
        """Starts the first process and waits for its declarations. Raises StartupProblem; then no process is left."""
        initialize = self._initialize("start")
        child = self._spawn()
        child.told = initialize
        try:
            manifest = shake_hands(child, initialize, self._start_timeout)
        except BaseException:
            child.kill_and_wait()
            raise
        self._child = child
        self._events.manifest(manifest, initialize)
        return manifest

    def _spawn(self) -> Child:
        command = self._command()
        try:
            return self._make_child(command, self._env, self._handle_request, LogRelay())
        except OSError as e:
            raise cannot_start(command, e) from e

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
        self._requests[child] = TimedRequests(child.rpc, self._clock)
        self._running.add(child)
        child.attach(self._reactor, self._clock, lambda cause: self._ended(child, cause))

    def _begin(self, child: Child) -> None:
        """Lets the modules set up. From then on the process must give signs of life."""
        if child not in self._watchdogs:
            child.rpc.notify(_START, {})
            self._watchdogs[child] = Watchdog(self._clock, child, lambda pulse: self._pulse(child, pulse))

    def _pulse(self, child: Child, pulse: Mapping[str, Any]) -> None:
        child.not_set_up = pulse.get("not_set_up", ())
        if child is self._child:
            self._events.pulse(pulse)

    def _went_up(self, child: Child) -> None:
        self._begin(child)
        self._up_since = self._clock.seconds()
        self._tell(True)
        self._grace_period.up()

    def _went_down(self) -> None:
        self._grace_period.down()
        self._tell(False)

    def _tell(self, up: bool) -> None:
        contained("telling whether the host is up", lambda: self._events.up(up), None)

    def _ended(self, child: Child, cause: str) -> None:
        self._running.discard(child)
        watchdog = self._watchdogs.pop(child, None)
        if watchdog is not None:
            watchdog.stop()
        finish_timer = self._finish_timers.pop(child, None)
        if finish_timer is not None and finish_timer.active():
            finish_timer.cancel()
        if child is not self._child:
            self._close(child, cause)
        else:
            # Whatever fails here, there is a next attempt.
            was_up, running = self._grace_period.is_up, ""
            if self._stopped is None:
                # Before its calls fail, and are known no more.
                running = contained("noting the host's end", lambda: self._events.died(cause, child.culprit), "")
            self._child = None
            self._went_down()
            contained("failing the host's calls", lambda: self._close(child, cause), None)
            if self._stopped is None:
                self._restart_later(f"the module host ended ({cause}){running}", was_up)
        self._settle_stop()

    def _close(self, child: Child, cause: str) -> None:
        child.rpc.close(f"the module host ended ({cause})")
        self._requests.pop(child).stop()

    def cause_is_known(self) -> None:
        """What has ended it will not do so again: the next end has another cause."""
        self._backoff.reset()

    def _restart_later(self, why: str, was_up: bool) -> None:
        if was_up and self._clock.seconds() - self._up_since > STEADY_SECONDS:
            self._backoff.reset()
        pause = self._backoff.pause()
        logger.error("%s; it is restarted in %.1f s", why, pause)
        self._restart_timer = self._clock.callLater(pause, self._restart)

    def _restart(self) -> None:
        try:
            child, greeting = self._begun(self._initialize("restart"), some_will_do=True)
        except Exception as e:
            self._restart_later(f"the module host cannot be started: {_reason(e)}", was_up=False)
            return
        self._child = child
        greeting.addCallback(self._restarted, child)
        greeting.addErrback(self._not_restarted, child)

    def _begun(
        self, initialize: Mapping[str, Any], *, some_will_do: bool
    ) -> "tuple[Child, Deferred[Mapping[str, Any]]]":
        """A new process, and what it will declare. Raises Exception; then no process is left."""
        child = self._spawn()
        child.told = initialize
        try:
            self._attach(child)
            return child, greet(child, initialize, self._start_timeout, self._clock, some_will_do)
        except BaseException:
            child.kill_and_wait()
            raise

    def _restarted(self, manifest: Mapping[str, Any], child: Child) -> None:
        self._events.manifest(manifest, child.told)
        seconds = self._clock.seconds() - self._grace_period.down_since
        self._went_up(child)
        self._events.back(seconds)

    def _not_restarted(self, failure: Failure, child: Child) -> None:
        if not failure.check(ConnectionGone):
            # The declarations that Synapse started with stay in force; policy answers.
            logger.error("the module host cannot be restarted: %s", failure.getErrorMessage())
            child.kill()

    async def replace(
        self,
        refuse: Callable[[Mapping[str, Any]], str | None],
        occasion: Occasion = "reload",
        told: Mapping[str, Any] | None = None,
    ) -> str | None:
        """Starts a new process beside the present one, and lets it take over once its modules are set up.

        `told` is what it is told, where that is known already. `refuse` may say why its declarations cannot be taken.
        Gives why the present process stays, or None.
        """
        old = self._child
        if old is None or not self._grace_period.is_up or self._stopped is not None:
            return "the module host is down"
        try:
            initialize = self._initialize(occasion) if told is None else told
            # One that ran and does not load any more is no reason to keep the others away.
            child, greeting = self._begun(initialize, some_will_do=occasion == "restart")
        except Exception as e:
            return _reason(e)
        try:
            manifest = await make_deferred_yieldable(greeting)
            reason = refuse(manifest) or await self._set_up(child)
            if reason is None and (self._child is not old or self._stopped is not None):
                reason = "the present module host ended meanwhile"
            if reason is None:
                self._events.manifest(manifest, child.told)
        except Exception as e:
            reason = _reason(e)
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
        self._finish_timers[old] = self._clock.callLater(FINISH_SECONDS, old.kill)
        return None

    async def _set_up(self, child: Child) -> str | None:
        self._begin(child)
        waiting = child.rpc.request(_SET_UP, {})
        # The host gives each module one attempt, all at the same time.
        seconds = max(self._start_timeout, LIMITS["setup_attempt_ms"] / 1000 + SPARE_SECONDS)
        try:
            answer: Any = await within(waiting, seconds, self._clock)
        except DeadlinePassed:
            names = ", ".join(child.not_set_up) or "its modules"
            return f"{names}: not set up within {seconds:g} s"
        if not fits("SetUpReply", answer):
            return "the module host's answer to set_up cannot be read"
        problems = [f"{module}: setup failed: {why}" for module, why in answer["failed"].items()]
        return "; ".join(problems) or None

    @property
    def is_up(self) -> bool:
        # A call that is sent to a process which has just died, before its end was noticed, would be lost with it.
        return self._grace_period.is_up and self._child is not None and self._child.is_there

    async def until_up(self, deadline: float) -> None:
        """Waits for a host that is down, at most HOLD_SECONDS of its outage. Raises Unavailable."""
        if not self.is_up:
            await self._grace_period.until_up(deadline)

    async def until_up_again(self) -> None:
        """Waits for a host that is down, however long. Raises Unavailable when Synapse stops."""
        while not self.is_up:
            await self._grace_period.until_up_again()

    def within(self, deferred: "Deferred[T]", deadline: float) -> Awaitable[T]:
        return within(deferred, deadline - self._clock.seconds(), self._clock)

    def call(self, method: str, params: Asked, deadline: float, on_late: OnLate | None = None) -> "Deferred[Any]":
        """As Host has it. Raises Unavailable where a host that does not read has much to read already."""
        child = self._child
        if child is None or not self._grace_period.is_up:
            raise ConnectionGone(Reason.DOWN)
        # Of those that leave together, the first was let through.
        if child.is_behind and not child.rpc.held and child.unsent_bytes > MOST_UNSENT_BYTES:
            raise Unavailable(Reason.OVERLOAD)
        return self._requests[child].ask(method, params, deadline, on_late)

    def stop(self) -> "Deferred[None]":
        """Lets the process finish and end. Fires when it has ended, and all others with it."""
        if self._stopped is not None:
            return self._stopped
        self._stopped = Deferred()
        self._grace_period.stopping()
        contained("stopping", self._events.stopping, None)
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
        self._grace_period.over()
        self._stopped.callback(None)


def _reason(error: Exception) -> str:
    if isinstance(error, (StartupProblem, ConnectionGone, RpcError)):
        return str(error)
    log_unexpected("starting the module host", error)
    return type(error).__name__
