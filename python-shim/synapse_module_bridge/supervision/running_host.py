"""One host process on the reactor, from its handshake to its end: its requests, its watchdog, and its last work.

The supervisor decides which of the running hosts takes the calls.
"""

from collections.abc import Callable, Mapping
from typing import Any

from synapse_module_bridge.process.child import Child
from synapse_module_bridge.reactor.deadline import DeadlinePassed, within
from synapse_module_bridge.reactor.when_idle import drained
from synapse_module_bridge.schema.protocol import LIMITS, fits, method_name
from synapse_module_bridge.supervision.watchdog import Watchdog
from synapse_module_bridge.transport.timed_requests import TimedRequests

_START = method_name("start")
_SET_UP = method_name("set_up")
# What a new host may take to set up its modules, beside the time of the modules themselves.
SPARE_SECONDS = 5.0
# How long a host that was replaced may go on with its open calls.
FINISH_SECONDS = 30.0


class RunningHost:
    """`on_pulse` gets the host's pulses, once `begin` has been called. `clock` is an IReactorTime.

    With `debug`, nothing ends a process that stands still.
    """

    def __init__(
        self, child: Child, clock: Any, on_pulse: Callable[[Mapping[str, Any]], None], debug: bool = False
    ) -> None:
        self._child = child
        self._debug = debug
        self._clock = clock
        self._on_pulse = on_pulse
        self.requests = TimedRequests(child.rpc, clock)
        self._watchdog: Watchdog | None = None
        self._finish_timer: Any = None

    @property
    def has_begun(self) -> bool:
        """Whether its modules are set up, or are being set up."""
        return self._watchdog is not None

    def begin(self) -> None:
        """Lets the modules set up. From then on the process must give signs of life."""
        if self._watchdog is None:
            self._child.rpc.notify(_START, {})
            self._watchdog = Watchdog(
                *(self._clock, self._child, self._on_pulse, self.requests.has_waited), is_strict=not self._debug
            )

    async def set_up(self, start_timeout: float) -> str | None:
        """Waits until all modules are set up. Returns why they cannot be, or None.

        Fails with RpcError and ConnectionGone.
        """
        self.begin()
        waiting = self._child.rpc.request(_SET_UP, {})
        # The host gives each module one attempt, all at the same time.
        seconds = max(start_timeout, LIMITS["setup_attempt_ms"] / 1000 + SPARE_SECONDS)
        try:
            reply: Any = await within(waiting, seconds, self._clock)
        except DeadlinePassed:
            names = ", ".join(self._child.not_set_up) or "its modules"
            return f"{names}: not set up within {seconds:g} s"
        if not fits("SetUpReply", reply):
            return "the module host's answer to set_up cannot be read"
        problems = [f"{module}: setup failed: {why}" for module, why in reply["failed"].items()]
        return "; ".join(problems) or None

    def finish(self) -> None:
        """Another host has taken over: lets this one finish its open calls, and then end."""
        finished = drained(self._clock, lambda: len(self._child.rpc.pending) > 0)
        finished.addCallback(lambda _: self._child.close_input())
        if not self._debug:
            self._finish_timer = self._clock.callLater(FINISH_SECONDS, self._child.kill)

    def ended(self) -> None:
        """The process has ended: stops its timers. Its open requests do not fail yet."""
        if self._watchdog is not None:
            self._watchdog.stop()
        if self._finish_timer is not None and self._finish_timer.active():
            self._finish_timer.cancel()

    def close(self, cause: str) -> None:
        """Fails its open requests with ConnectionGone."""
        self._child.rpc.close(f"the module host ended ({cause})")
        self.requests.stop()
