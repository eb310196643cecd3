"""The bridge as Synapse runs it, over a fake host and a real reactor that the tests turn."""

import gc
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import turning
from fake_synapse import Api
from objects import request
from synapse.logging.context import (  # type: ignore[attr-defined] # LoggingContext is Rust's now
    SENTINEL_CONTEXT,
    LoggingContext,
    current_context,
    run_in_background,
)
from synapse.module_api.errors import SynapseError
from synapse.util.async_helpers import delay_cancellation
from synapse_module_bridge.bridge import CLOCK, Bridge
from synapse_module_bridge.module_bridge import ModuleBridge
from synapse_module_bridge.process.host_files import PREFIX
from synapse_module_bridge.schema.catalogue import CALLBACKS
from synapse_module_bridge.shared.deployment import Deployment
from synapse_module_bridge.supervision.first_process import FirstProcess
from turning import reactor, settled, turn_until
from twisted.internet.defer import Deferred
from twisted.logger import globalLogPublisher

FAKE_HOST = Path(__file__).parent / "fake_host.py"


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

    def visit(self, path: str, visitor: str) -> "tuple[Deferred[int], Any]":
        """A client's request of a web resource: the status to come, and the request."""
        asked: Any = request()
        asked.get_client_ip_if_available = lambda: visitor

        async def render() -> int:
            with LoggingContext(name="request-web", server_name="test"):
                try:
                    await self.api.web_resources[path]._async_render(asked)
                except SynapseError as e:
                    return e.code
                return int(asked.code)

        return run_in_background(render), asked

    def answer(self, name: str, *args: Any) -> Any:
        return settled(self.ask(name, *args))

    def misbehave(self, misbehaves: bool) -> None:
        flag = self.folder / "misbehave"
        flag.touch() if misbehaves else flag.unlink(missing_ok=True)

    def forget_pauses(self) -> None:
        turning.forget_pauses()

    @property
    def longest_pause(self) -> float:
        """In seconds, since they were forgotten."""
        return turning.longest_pause()

    @property
    def starts(self) -> int:
        return len(list(self.folder.glob("start-*")))

    def pid(self) -> int:
        return int((self.folder / f"start-{self.starts}").read_text())


@contextmanager
def running(
    folder: Path, misbehaviour: str, config: Mapping[str, Any] | None = None, web_resources: Sequence[str] = ()
) -> Iterator[Rig]:
    """A bridge over a fake host. Afterwards nothing may be left: no process, descriptor, timer or lost error."""
    node = folder / "node"
    node.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo v24.0.0 && exit\n'
        f'exec {sys.executable} -S -E {FAKE_HOST} {misbehaviour} {folder} "$@"\n'
    )
    node.chmod(0o700)
    checkers = {"checkers": [{"login_type": "m.login.password", "fields": ["password"]}]}
    callbacks = {callback.name: checkers if callback.listed else {} for callback in CALLBACKS.values()}
    declared = {"name": "m", "callbacks": callbacks, "web_resources": [*web_resources]}
    manifest = {"modules": [declared], "faults": [], "runtime": "fake"}
    (folder / "declares.json").write_text(json.dumps(manifest))
    (folder / "misbehave").touch()
    with running_bridge(
        folder, {"modules": [{"path": "m.ts", "name": "m"}], "node": str(node), **(config or {})}
    ) as rig:
        yield rig


@contextmanager
def running_bridge(folder: Path, config: Mapping[str, Any], deployment: Deployment | None = None) -> Iterator[Rig]:
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
    # There is no database.
    parsed = ModuleBridge.parse_config({"decisions": False, **config})
    bridge: Any = Bridge(parsed, api, deployment)  # type: ignore[arg-type]
    try:
        bridge.start(FirstProcess(parsed))
        rig = Rig(folder, bridge, api)
        rig.forget_pauses()
        yield rig
        if deployment is not None:
            deployment.stop()
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
        # A thread may have ended meanwhile.
        with suppress(FileNotFoundError, ProcessLookupError):
            pids += [int(pid) for pid in Path(f"/proc/self/task/{task}/children").read_text().split()]
    return pids
