"""The bridge as Synapse runs it, over a fake host and a real reactor that the tests turn."""

import gc
import json
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from prometheus_client import REGISTRY
from synapse.logging.context import (  # type: ignore[attr-defined] # LoggingContext is Rust's now
    SENTINEL_CONTEXT,
    LoggingContext,
    PreserveLoggingContext,
    current_context,
    run_in_background,
)
from synapse.module_api import ModuleApi
from synapse.util.async_helpers import delay_cancellation
from synapse_module_bridge.bridge import CLOCK, Bridge, ModuleBridge
from synapse_module_bridge.process.host_files import PREFIX
from synapse_module_bridge.schema.catalogue import CALLBACKS
from twisted.internet import reactor as installed_reactor
from twisted.internet.defer import Deferred
from twisted.logger import globalLogPublisher
from twisted.python.failure import Failure

reactor: Any = installed_reactor
FAKE_HOST = Path(__file__).parent / "fake_host.py"
IDLE_SECONDS = 0.005


def turn_until(done: Callable[[], object], seconds: float = 8.0) -> None:
    """Turns the reactor until something holds; fails after a while."""
    if not reactor.running:
        reactor.startRunning(installSignalHandlers=False)
        # What Synapse has loaded needs no look at each collection.
        gc.freeze()
        # Its threads would keep the test run from ending.
        threading._register_atexit(reactor.getThreadPool().stop)  # type: ignore[attr-defined]
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until, "it did not happen in time"
        _turn()


# How long the longest turn of the reactor has taken.
_longest_turn = 0.0


def _turn() -> None:
    global _longest_turn
    # Its idle wait is no pause.
    began = time.monotonic()
    reactor.iterate(IDLE_SECONDS)
    _longest_turn = max(_longest_turn, time.monotonic() - began - IDLE_SECONDS)


def settled(deferred: "Deferred[Any]", seconds: float = 8.0) -> Any:
    """What a Deferred fires with; an exception is returned."""
    results: list[Any] = []
    deferred.addBoth(results.append)
    turn_until(lambda: results, seconds)
    assert len(results) == 1
    return results[0].value if isinstance(results[0], Failure) else results[0]


# What Synapse itself takes for background updates.
OWN = SimpleNamespace(
    default_background_batch_size=71,
    minimum_background_batch_size=72,
    update_duration_ms=73,
    sleep_enabled=True,
    sleep_duration_ms=1,
)


class Api:
    """What the bridge uses of Synapse's ModuleApi."""

    server_name = "test"
    worker_name = None
    worker_app = None
    public_baseurl = "https://test/"
    email_app_name = "Matrix"

    def __init__(self) -> None:
        self.callbacks: dict[str, Any] = {}
        self._hs = self
        self.public_room_list_manager = self
        self.published: set[str] = set()
        for category in {callback.category for callback in CALLBACKS.values()}:
            name = f"register_{category}_callbacks"
            setattr(self, name, _Register(getattr(ModuleApi, name), self.callbacks))

    def get_datastores(self) -> Any:
        return SimpleNamespace(databases=[SimpleNamespace(name=lambda: "master", updates=OWN)])

    async def sleep(self, seconds: float) -> None:
        assert seconds == OWN.sleep_duration_ms / 1000

    async def room_is_in_public_room_list(self, room_id: str) -> bool:
        return room_id in self.published

    async def get_room_state(self, room_id: str) -> Any:
        return {}

    def get_instance_id(self) -> str:
        return "test"

    def register_sighup(self, *_: Any, **__: Any) -> None:
        pass

    def should_run_background_tasks(self) -> bool:
        return True

    def is_mine(self, id: str) -> bool:
        return id.endswith(":test")

    def run_as_background_process(self, desc: str, func: Callable[[], Awaitable[None]]) -> Any:
        async def process() -> None:
            with LoggingContext(name=desc, server_name="test"):
                await func()

        # As Synapse does: it must not end in the context of a request that is over.
        with PreserveLoggingContext():
            return run_in_background(process)


class _Register:
    def __init__(self, original: Any, callbacks: dict[str, Any]) -> None:
        self.__wrapped__ = original
        self._callbacks = callbacks

    def __call__(self, **callbacks: Any) -> None:
        # Synapse keeps the functions, and not the dict that they come in.
        self._callbacks.update({name: dict(f) if isinstance(f, dict) else f for name, f in callbacks.items()})


class Rig:
    def __init__(self, folder: Path, bridge: Any, api: Api) -> None:
        self.folder = folder
        self.bridge = bridge
        self.api = api

    def ask(self, name: str, *args: Any) -> "Deferred[Any]":
        """Asks as Synapse does: in the log context of a request."""

        async def request() -> Any:
            with LoggingContext(name=f"request-{name}", server_name="test"):
                asked = self.api.callbacks[name]
                # Synapse takes a dict of checkers, and an async context manager for each background update.
                answer = (next(iter(asked.values())) if isinstance(asked, dict) else asked)(*args)
                if not hasattr(answer, "__aenter__"):
                    return await delay_cancellation(answer)
                async with answer as duration:
                    return duration

        deferred: Deferred[Any] = run_in_background(request)
        assert current_context() is SENTINEL_CONTEXT
        return deferred

    def answer(self, name: str, *args: Any) -> Any:
        return settled(self.ask(name, *args))

    def misbehave(self, misbehaves: bool) -> None:
        flag = self.folder / "misbehave"
        flag.touch() if misbehaves else flag.unlink(missing_ok=True)

    def forget_pauses(self) -> None:
        global _longest_turn
        _longest_turn = 0.0

    @property
    def longest_pause(self) -> float:
        """In seconds, since they were forgotten."""
        return _longest_turn

    @property
    def starts(self) -> int:
        return len(list(self.folder.glob("start-*")))

    def pid(self) -> int:
        return int((self.folder / f"start-{self.starts}").read_text())


def count(metric: str, **labels: str) -> float:
    """The sum of a metric's samples that have these labels."""
    return sum(
        sample.value
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.name == f"synapse_module_bridge_{metric}"
        and all(sample.labels.get(key) == value for key, value in labels.items())
    )


@contextmanager
def running(folder: Path, misbehaviour: str, config: Mapping[str, Any] | None = None) -> Iterator[Rig]:
    """A bridge over a fake host. Afterwards nothing may be left: no process, descriptor, timer or lost error."""
    node = folder / "node"
    node.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo v24.0.0 && exit\n'
        f'exec {sys.executable} -S -E {FAKE_HOST} {misbehaviour} {folder} "$@"\n'
    )
    node.chmod(0o700)
    checkers = {"checkers": [{"login_type": "m.login.password", "fields": ["password"]}]}
    callbacks = {callback.name: checkers if callback.listed else {} for callback in CALLBACKS.values()}
    declared = {"name": "m", "callbacks": callbacks, "web_resources": []}
    manifest = {"modules": [declared], "faults": [], "runtime": "fake"}
    (folder / "declares.json").write_text(json.dumps(manifest))
    (folder / "misbehave").touch()
    with running_bridge(
        folder, {"modules": [{"path": "m.ts", "name": "m"}], "node": str(node), **(config or {})}
    ) as rig:
        yield rig


@contextmanager
def running_bridge(folder: Path, config: Mapping[str, Any]) -> Iterator[Rig]:
    """The same over whatever host the configuration asks for."""
    turn_until(lambda: True)
    _warm_up()
    errors: list[Any] = []

    def observe(event: Any) -> None:
        if event.get("log_failure") is not None or event.get("isError"):
            errors.append(event)

    globalLogPublisher.addObserver(observe)  # type: ignore[arg-type] # a function will do
    before = _descriptors()
    api = Api()
    bridge: Any = Bridge(ModuleBridge.parse_config(config), api)  # type: ignore[arg-type]
    try:
        bridge.start()
        rig = Rig(folder, bridge, api)
        rig.forget_pauses()
        yield rig
        settled(bridge._host.stop())
        turn_until(lambda: _descriptors() == before)
        assert children() == []
        # What ends a replaced host, should it hang, is all that may be left.
        turn_until(lambda: all("kill" in str(timer.func) for timer in CLOCK.getDelayedCalls()))
        turn_until(lambda: len(reactor.getDelayedCalls()) == bool(CLOCK.getDelayedCalls()))
        bridge._open_calls.forget_expired()
        assert bridge._open_calls.describe() == "nothing was running"
        assert (bridge._exchange.entrance.backpressure.in_flight, bridge._exchange.entrance.backpressure.waiting) == (
            0,
            0,
        )
        gc.collect()
        assert errors == []
    finally:
        globalLogPublisher.removeObserver(observe)  # type: ignore[arg-type]
        bridge._host.stop()
        for pid in children():
            os.kill(pid, 9)
        turn_until(lambda: children() == [])


def _warm_up() -> None:
    """Lets the reactor open what it opens once: its thread pool and waker."""
    from twisted.internet import threads

    settled(threads.deferToThread(lambda: None))


def _descriptors() -> list[str]:
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            found.append(f"{name} {os.readlink(f'/proc/self/fd/{name}')}")
        except OSError:
            continue
    # What was kept of a host that was replaced has a lock until the process ends.
    return sorted(fd for fd in found if "/proc/" not in fd and PREFIX not in fd)


def children() -> list[int]:
    pids = []
    for task in os.listdir("/proc/self/task"):
        pids += [int(pid) for pid in Path(f"/proc/self/task/{task}/children").read_text().split()]
    return pids
