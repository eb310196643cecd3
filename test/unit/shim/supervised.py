"""A model of the supervisor: what may happen to it, and what must hold whatever does."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from synapse_module_bridge.supervision.backoff import LONGEST_PAUSE_SECONDS
from synapse_module_bridge.supervision.grace_period import HOLD_SECONDS
from synapse_module_bridge.supervision.host_events import HostEvents
from synapse_module_bridge.supervision.running_host import FINISH_SECONDS
from synapse_module_bridge.supervision.supervisor import CLOSE_SECONDS, DRAIN_SECONDS, Supervisor
from synapse_module_bridge.transport.framing import FrameReader, decode, encode
from synapse_module_bridge.transport.rpc import Rpc
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import Clock

MANIFEST: dict[str, Any] = {"modules": [], "faults": []}

START_TIMEOUT = 10.0


class Process:
    """Stands for a child: it ends when it is killed, and answers what the test lets it answer."""

    def __init__(self, pulses: bool = True) -> None:
        self.stopping = False
        self.has_ended = False
        self.culprit: str | None = None
        self.writer = SimpleNamespace(is_behind=False)
        self.asked: list[Any] = []
        self.pulses = pulses
        self.has_spoken = False
        self.heard_at = 0.0
        self.modules: Any = ()
        self.told: Any = {}
        self.not_set_up: Any = ()
        self.on_pulse: Callable[[Any], None] = lambda _: None
        self._frames = FrameReader()
        self._on_end: Callable[[str], None] | None = None
        self.rpc = Rpc(self._written, lambda *_: None)

    @property
    def is_there(self) -> bool:
        return not self.has_ended

    def _written(self, data: bytes) -> None:
        for body in self._frames.feed(data):
            message = decode(body)
            if "id" in message:
                self.asked.append(message)

    def answer(self, message: Any, result: Any) -> None:
        if not self.has_ended:
            self.rpc.data_received(encode({"jsonrpc": "2.0", "id": message["id"], "result": result}))

    def wait_for(self, deferred: Any, timeout: float) -> Any:
        self.take("initialize", MANIFEST)
        return MANIFEST

    def take(self, method: str, result: Any) -> bool:
        """Answers the oldest request of a method."""
        found = next((message for message in self.asked if message["method"] == method), None)
        if found is not None:
            self.asked.remove(found)
            self.answer(found, result)
        return found is not None

    def pulse(self) -> None:
        if self.pulses and not self.has_ended:
            self.has_spoken = True
            self.on_pulse({})

    def interrupt(self, silent_seconds: float) -> None:
        """It is stopped: it hears nothing."""

    def attach(self, reactor: Any, clock: Any, on_end: Callable[[str], None]) -> None:
        self._on_end = on_end

    def close_input(self) -> None:
        self.stopping = True

    def kill(self, cause: str | None = None) -> None:
        self.end(cause or "killed")

    def kill_and_wait(self) -> None:
        self.has_ended = True

    def end(self, cause: str) -> None:
        if not self.has_ended:
            self.has_ended = True
            assert self._on_end is not None
            self._on_end(cause)


class Reactor(Clock):
    def addSystemEventTrigger(self, *_: Any) -> None:
        pass


class Watching(HostEvents):
    """Who watches, and may fail at it."""

    fails = False

    def _note(self) -> None:
        if self.fails:
            raise RuntimeError("a fault of the observer")

    def died(self, cause: str, culprit: str | None, heard_at: float) -> str:
        self._note()
        return ""

    def up(self, up: bool) -> None:
        self._note()

    def manifest(self, manifest: Any, told: Any) -> None:
        self._note()


class SupervisorMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = Reactor()
        self.clock.advance(1_000)
        self.processes: list[Process] = []
        self.waiting: list[tuple[float, list[Any]]] = []
        self.stopped: list[Any] | None = None
        self.replaced: list[list[Any]] = []
        self.down_since: float | None = None
        self.ends: list[float] = []
        self.cannot_spawn: Exception | None = None
        self.events = Watching()
        self.host = Supervisor(
            *(self.clock, self.clock, lambda: ["node"], {}, lambda _: {}, START_TIMEOUT),
            *(lambda *_: None, self.events, self.spawn),
        )
        self.host.start()
        self.host.run()

    def spawn(self, *_: Any) -> Any:
        assert self.stopped is None, "something was started after the stop"
        if self.cannot_spawn:
            raise self.cannot_spawn
        self.processes.append(Process())
        return self.processes[-1]

    @property
    def current(self) -> Any:
        return self.host._child

    def living(self) -> list[Process]:
        return [process for process in self.processes if not process.has_ended]

    @rule(seconds=st.sampled_from([0.01, 0.3, 1.0, 5.0, 40.0]))
    def time_passes(self, seconds: float) -> None:
        for _ in range(int(seconds / 0.5)):
            for process in self.living():
                process.pulse()
            self.clock.advance(0.5)
        self.clock.advance(seconds % 0.5)

    @rule(data=st.data())
    def a_process_dies(self, data: Any) -> None:
        if self.living():
            data.draw(st.sampled_from(self.living())).end("exit code 1")

    @rule()
    def a_process_hangs(self) -> None:
        if self.current is not None:
            self.current.pulses = False

    @rule(
        manifest=st.sampled_from(
            [MANIFEST] * 4 + [{"faults": [{"path": [], "message": "x"}]}, {"faults": 1}, None, {"faults": []}]
        )
    )
    def a_process_greets(self, manifest: Any) -> None:
        for process in self.living():
            if process.take("initialize", manifest):
                return

    @rule(failed=st.sampled_from([{}, {}, {"m": "its list server is down"}]))
    def a_new_process_is_set_up(self, failed: Any) -> None:
        for process in self.living():
            if process.take("set_up", {"failed": failed}):
                return

    @rule(seconds=st.sampled_from([0.5, 2.0, 5.0]))
    def somebody_asks(self, seconds: float) -> None:
        deadline = self.clock.seconds() + seconds

        async def ask() -> Any:
            await self.host.until_up(deadline)
            return await self.host.call("callback/x", {}, deadline)

        self.waiting.append((deadline, self.settling(ensureDeferred(ask()))))

    @rule()
    def a_call_is_answered(self) -> None:
        for process in self.living():
            if process.take("callback/x", {}):
                return

    @precondition(lambda self: len(self.replaced) < 3)
    @rule(refusal=st.sampled_from([None, None, "a new callback"]))
    def somebody_reloads(self, refusal: str | None) -> None:
        self.replaced.append(self.settling(ensureDeferred(self.host.replace(lambda _: refusal))))

    @rule(error=st.sampled_from([OSError(11, "no more processes"), MemoryError(), RuntimeError("odd")]))
    def processes_cannot_be_started_for_a_while(self, error: Exception) -> None:
        self.cannot_spawn = None if self.cannot_spawn else error

    @rule()
    def the_watcher_fails_for_a_while(self) -> None:
        self.events.fails = not self.events.fails

    @precondition(lambda self: self.stopped is None)
    @rule(sure=st.integers(0, 5))
    def synapse_stops(self, sure: int) -> None:
        if sure == 0:
            self.stop()

    def stop(self) -> None:
        if self.stopped is None:
            self.stopped = []
            self.host.stop().addBoth(self.stopped.append)
            # Asked twice, it says the same.
            assert self.host.stop() is self.host.stop()

    def settling(self, deferred: "Deferred[Any]") -> list[Any]:
        fired: list[Any] = []
        deferred.addBoth(fired.append)
        return fired

    @invariant()
    def at_most_one_process_takes_calls_and_none_is_lost(self) -> None:
        living = self.living()
        current: Any = self.current
        assert current is None or current in living
        running: set[Any] = {*self.host._running}
        for process in living:
            assert process is current or process in running

    @invariant()
    def a_host_that_is_down_is_about_to_be_restarted(self) -> None:
        if self.current is None and self.stopped is None:
            timer = self.host._restart_timer
            assert timer is not None and timer.active()
            assert 0 <= timer.getTime() - self.clock.seconds() <= LONGEST_PAUSE_SECONDS
        if self.stopped is not None:
            timer = self.host._restart_timer
            assert timer is None or not timer.active()

    @invariant()
    def no_call_waits_beyond_its_deadline(self) -> None:
        now = self.clock.seconds()
        assert all(fired for deadline, fired in self.waiting if now >= deadline)
        assert all(len(fired) <= 1 for _, fired in self.waiting)
        if not self.host._grace_period.is_up and now - self.host._grace_period.down_since > HOLD_SECONDS:
            assert not self.host._grace_period._waiting

    def teardown(self) -> None:
        self.cannot_spawn = None
        self.stop()
        self.clock.advance(DRAIN_SECONDS)
        self.clock.advance(DRAIN_SECONDS + CLOSE_SECONDS)
        assert self.stopped == [None]
        assert self.living() == []
        for _ in range(int(FINISH_SECONDS) + 20):
            self.clock.advance(1)
        assert all(fired for _, fired in self.waiting)
        assert all(fired for fired in self.replaced)
        assert self.clock.getDelayedCalls() == []
