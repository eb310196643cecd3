"""Keeps one host running: starts it with Synapse, restarts it when it ends, replaces it, and stops it with Synapse.

In order: `start` blocks for the handshake while Synapse starts. From `run` on, all happens on the reactor. When the
process ends, its calls fail at once, and another process is started: immediately, or after growing pauses. Calls wait
for it during a grace period. When Synapse shuts down, the process's input is closed; it has some time to finish, and is
then killed.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from synapse.logging.context import PreserveLoggingContext, make_deferred_yieldable
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from synapse_module_bridge.process.child import Child
from synapse_module_bridge.process.logs import LogRelay
from synapse_module_bridge.reactor.deadline import within
from synapse_module_bridge.reactor.unexpected import contained, log_unexpected
from synapse_module_bridge.schema.protocol import LIMITS, Reason
from synapse_module_bridge.schema.startup_problems import StartupProblem
from synapse_module_bridge.supervision.backoff import Backoff
from synapse_module_bridge.supervision.grace_period import GracePeriod
from synapse_module_bridge.supervision.handshake import Initialize, Occasion, cannot_start, greet, shake_hands
from synapse_module_bridge.supervision.host_events import HostEvents
from synapse_module_bridge.supervision.running_host import RunningHost
from synapse_module_bridge.transport.rpc import (
    ConnectionGone,
    OnLate,
    Refuse,
    RequestHandler,
    Respond,
    RpcError,
    ToSend,
)
from synapse_module_bridge.transport.unavailable import Unavailable

logger = logging.getLogger("synapse_module_bridge.host")

T = TypeVar("T")

# Gets the `initialize` of the process that asks, and the request: its method, its parameters, and how to answer it.
HandleRequest = Callable[[Mapping[str, Any], str, Mapping[str, Any], Respond, Refuse], None]

# A host that has run so long has recovered: after its next end, it is restarted without a pause again.
STEADY_SECONDS = 30.0
# How long a host may go on with open calls when Synapse shuts down.
DRAIN_SECONDS = LIMITS["finish_ms"] / 1000
CLOSE_SECONDS = LIMITS["close_ms"] / 1000
# How much may wait for a host that does not read its input. Beyond that, policy answers.
MOST_UNSENT_BYTES = 64 * 1024 * 1024

# Why a host could not be replaced, where that passes by itself.
IS_DOWN, HAS_ENDED = "the module host is down", "the present module host ended meanwhile"
OVERTAKEN = "a module is to do more meanwhile"
STOPS = "Synapse stops"
PASSING = (IS_DOWN, HAS_ENDED, OVERTAKEN, STOPS)


class Supervisor:
    """`command` returns the command line of a new process, and `initialize` the parameters of its `initialize`.

    `env` is its whole environment. `handle_request` answers its requests, and gets its `initialize` first.
    `clock` is an IReactorTime, and deadlines are times of it.

    Implements `transport.host_interface.Host`.
    """

    def __init__(
        self,
        reactor: Any,
        clock: Any,
        command: Callable[[], Sequence[str]],
        env: Mapping[str, str],
        initialize: Initialize,
        start_timeout: float,
        handle_request: HandleRequest,
        events: HostEvents,
        make_child: Callable[[Sequence[str], Mapping[str, str], RequestHandler, LogRelay], Child] = Child,
        debug: bool = False,
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
        self._debug = debug
        self._grace_period = GracePeriod(clock)
        # The process that takes the calls, or will once its handshake is over.
        self._child: Child | None = None
        # Also processes that finish their last work, or are about to take over.
        self._running: dict[Child, RunningHost] = {}
        # When the present process began to take calls.
        self._up_since = 0.0
        self._backoff = Backoff()
        self._restart_timer: Any = None
        # Set once Synapse shuts down; fires when all processes have ended.
        self._stopped: Deferred[None] | None = None
        self._stop_timers: list[Any] = []
        # What is done before the host's input is closed, within DRAIN_SECONDS.
        self.before_stop: Callable[[], Deferred[None]] = lambda: succeed(None)

    def start(self) -> Mapping[str, Any]:
        """Starts the first process, and blocks for the handshake. Returns the manifest.

        Raises StartupProblem; then no process is left.
        """
        initialize = self._initialize("start")
        child = self._spawn(initialize)
        try:
            manifest = shake_hands(child, initialize, self._start_timeout)
        except BaseException:
            child.kill_and_wait()
            raise
        self._child = child
        self._events.manifest(manifest, initialize)
        return manifest

    def _spawn(self, initialize: Mapping[str, Any]) -> Child:
        command = self._command()
        try:
            child = self._make_child(command, self._env, partial(self._handle_request, initialize), LogRelay())
        except OSError as e:
            raise cannot_start(command, e) from e
        child.told = initialize
        return child

    def run(self) -> None:
        """Hands the process to the reactor, and lets the modules set up."""
        assert self._child is not None
        self._attach(self._child)
        self._went_up(self._child)
        self._reactor.addSystemEventTrigger("before", "shutdown", self.stop)

    def abandon(self) -> None:
        """Kills the process: Synapse does not start."""
        if self._child is not None:
            self._child.kill_and_wait()

    def _attach(self, child: Child) -> None:
        self._running[child] = RunningHost(child, self._clock, lambda pulse: self._pulse(child, pulse), self._debug)
        child.attach(self._reactor, self._clock, lambda cause: self._ended(child, cause))

    def _pulse(self, child: Child, pulse: Mapping[str, Any]) -> None:
        child.not_set_up = pulse.get("not_set_up", ())
        if child is self._child:
            self._events.pulse(pulse)

    def _went_up(self, child: Child) -> None:
        self._running[child].begin()
        self._up_since = self._clock.seconds()
        self._tell(True)
        self._grace_period.up()

    def _went_down(self) -> None:
        self._grace_period.down()
        self._tell(False)

    def _tell(self, up: bool) -> None:
        contained("telling whether the host is up", lambda: self._events.up(up), None)

    def _ended(self, child: Child, cause: str) -> None:
        host = self._running[child]
        host.ended()
        is_current, was_up, running = child is self._child, self._grace_period.is_up, ""
        # Whatever fails here, the host is restarted.
        if is_current:
            if self._stopped is None:
                # Before its calls fail, and are forgotten.
                at = cause, child.culprit, child.heard_at
                running = contained("noting the host's end", lambda: self._events.died(*at), "")
            self._child = None
            self._went_down()
        contained("failing the host's calls", lambda: host.close(cause), None)
        del self._running[child]
        if is_current and self._stopped is None:
            self._restart_later(f"the module host ended ({cause}){running}", was_up)
        self._settle_stop()

    def cause_is_known(self) -> None:
        """The call that has ended the host is known, and will not end it again: the pauses begin anew."""
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
        """A new process, and its manifest to come. Raises any exception; then no process is left."""
        child = self._spawn(initialize)
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
            # The declarations that Synapse started with stay in force, and policy answers.
            logger.error("the module host cannot be restarted: %s", failure.getErrorMessage())
            child.kill()

    async def replace(
        self,
        refuse: Callable[[Mapping[str, Any]], str | None],
        occasion: Occasion = "reload",
        told: Mapping[str, Any] | None = None,
    ) -> str | None:
        """Starts a new process beside the present one, and lets it take over once its modules are set up.

        `told` is its `initialize`, where the caller has that already. `refuse` gets the manifest, and may return why it
        cannot be accepted: before the modules are set up, and once they are. Returns why the present process stays, or
        None.
        """
        old = self._child
        if old is None or not self._grace_period.is_up or self._stopped is not None:
            return IS_DOWN
        try:
            initialize = self._initialize(occasion) if told is None else told
            # At a restart, modules that cannot be loaded again do not keep the others from running.
            child, greeting = self._begun(initialize, some_will_do=occasion == "restart")
        except Exception as e:
            return _reason(e)
        try:
            manifest = await make_deferred_yieldable(greeting)
            reason = refuse(manifest) or await self._running[child].set_up(self._start_timeout) or refuse(manifest)
            if reason is None and (self._child is not old or self._stopped is not None):
                reason = HAS_ENDED
            if reason is None:
                self._events.manifest(manifest, child.told)
        except Exception as e:
            reason = _reason(e)
        if reason is not None:
            child.stopping = True
            child.kill()
            # Then it has ended because of that, whatever it says.
            return reason if self._stopped is None else STOPS
        self._child = child
        self._went_down()
        self._went_up(child)
        self._running[old].finish()
        return None

    @property
    def is_up(self) -> bool:
        """Whether a call that is sent now may reach the host."""
        # `is_there`: a call to a process that has just died would fail with it, where it could wait for the next one.
        return self._grace_period.is_up and self._child is not None and self._child.is_there

    async def until_up(self, deadline: float) -> None:
        """Waits for a host that is down, during the grace period of the outage. Raises Unavailable."""
        if not self.is_up:
            await self._grace_period.until_up(deadline)

    async def until_up_again(self) -> None:
        """Waits for a host that is down, without a deadline. Raises Unavailable when Synapse stops."""
        while not self.is_up:
            await self._grace_period.until_up_again()

    def within(self, deferred: "Deferred[T]", deadline: float) -> Awaitable[T]:
        """As in `Host`."""
        return within(deferred, deadline - self._clock.seconds(), self._clock)

    def call(self, method: str, params: ToSend, deadline: float, on_late: OnLate | None = None) -> "Deferred[Any]":
        """As in `Host`. Raises Unavailable where too much waits for the host to read it."""
        child = self._child
        if child is None or not self._grace_period.is_up:
            raise ConnectionGone(Reason.DOWN)
        # Not for requests that are sent together with one that was let through.
        if child.writer.is_behind and not child.rpc.held and child.writer.unsent_bytes > MOST_UNSENT_BYTES:
            raise Unavailable(Reason.OVERLOAD)
        return self._running[child].requests.ask(method, params, deadline, on_late)

    def tell_all(self, method: str, params: Mapping[str, Any]) -> "Deferred[Any] | None":
        """Sends a request to each process that may have begun to set up its modules, also to one that is to take over.

        Returns the answer to come of the one that takes the calls; None where it could not be asked. The Deferred fails
        with RpcError and ConnectionGone.
        """
        current = None
        for child, host in list(self._running.items()):
            is_full = child.writer.is_behind and child.writer.unsent_bytes > MOST_UNSENT_BYTES
            if not host.has_begun or not child.is_there or is_full:
                continue
            answer = child.rpc.request(method, params)
            if child is self._child:
                current = answer
            else:
                answer.addErrback(lambda _: None)
        return current

    def stop(self) -> "Deferred[None]":
        """Lets the processes finish and end. The Deferred fires when all of them have ended."""
        if self._stopped is not None:
            return self._stopped
        self._stopped = Deferred()
        self._grace_period.stopping()
        contained("stopping", self._events.stopping, None)
        if self._restart_timer is not None and self._restart_timer.active():
            self._restart_timer.cancel()
        with PreserveLoggingContext():
            for child in self._running.keys() - {self._child}:
                child.close_input()
            if self._running:
                self._stop_timers = [
                    self._clock.callLater(DRAIN_SECONDS, self._close_input),
                    self._clock.callLater(2 * DRAIN_SECONDS + CLOSE_SECONDS, self._kill_all),
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
