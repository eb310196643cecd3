"""Times callbacks from inside Synapse: through its own dispatcher, on its own reactor.

`GET /_synapse/client/bench?...` answers with JSON. `calls` and `in_flight` say how often, and how many at once;
`kilobytes` how large the event is; `federated` that it is of another server; `members` asks check_event_allowed with a
room state of so many members instead. Times are in microseconds: `cpu` is what the thread that runs Synapse has used
for one call, `begun` when its reactor turned again after all calls were begun.

With `only`, the module is asked nothing but that callback from then on; or `none`, or `all`. `kill` ends Node, whose
process has that number, and says after how long (`max`) the module refuses a message again.
"""

import json
import os
import signal
import subprocess
import time
from typing import Any

from synapse.api.room_versions import RoomVersions
from synapse.events import EventBase, make_event_from_dict
from synapse.logging.context import make_deferred_yieldable, run_in_background
from synapse.module_api import NOT_SPAM, DirectServeJsonResource, ModuleApi
from twisted.internet import defer, reactor
from twisted.internet.task import deferLater

Json = Any
ROOM = "!bench:test.localhost"
SENDER = "@bench:test.localhost"
FEDERATED_SENDER = "@bench:elsewhere.localhost"


class Policy:
    """The in-process twin of policy.ts."""

    def __init__(self, config: Json, api: ModuleApi) -> None:
        api.register_spam_checker_callbacks(check_event_for_spam=self.check_event_for_spam)
        api.register_third_party_rules_callbacks(check_event_allowed=self.check_event_allowed)

    async def check_event_for_spam(self, event: EventBase) -> str:
        return "M_FORBIDDEN" if "casino" in event.content.get("body", "") else NOT_SPAM

    async def check_event_allowed(self, event: EventBase, state: Json) -> tuple[bool, None]:
        return "casino" not in event.content.get("body", ""), None


class BenchDriver:
    def __init__(self, config: Json, api: ModuleApi) -> None:
        api.register_web_resource("/_synapse/client/bench", Bench(api))


class Bench(DirectServeJsonResource):
    isLeaf = True

    def __init__(self, api: ModuleApi) -> None:
        super().__init__()
        self._callbacks = api._callbacks
        self._registered: dict[str, list[Json]] = {}

    def _ask_only(self, name: str) -> None:
        lists: dict[str, list[Json]] = {
            "check_event_for_spam": self._callbacks.spam_checker._check_event_for_spam_callbacks,
            "check_event_allowed": self._callbacks.third_party_event_rules._check_event_allowed_callbacks,
        }
        if not self._registered:
            self._registered = {callback: [*asked] for callback, asked in lists.items()}
        for callback, asked in lists.items():
            asked[:] = self._registered[callback] if name in (callback, "all") else []

    async def _async_render_GET(self, request: Any) -> tuple[int, Json]:
        options = {key.decode(): values[0].decode() for key, values in request.args.items()}
        calls, in_flight = int(options.get("calls", 0)), int(options.get("in_flight", 1))
        if "echo" in options:
            return 200, _echo(json.loads(options["echo"]), calls)
        if "only" in options:
            self._ask_only(options["only"])
        if "kill" in options:
            return 200, {"max": await self._restart(int(options["kill"]))}
        if not calls:
            return 200, {"cpu_seconds": time.thread_time(), "pid": os.getpid()}
        sender = FEDERATED_SENDER if "federated" in options else SENDER
        event = _event(int(options.get("kilobytes", 1)), sender)
        if "members" in options:
            state = _state(int(options["members"]))
            checks = self._callbacks.third_party_event_rules._check_event_allowed_callbacks
            return 200, await _time(calls, in_flight, lambda: _ask_all(checks, event, state))
        ask = self._callbacks.spam_checker.check_event_for_spam
        return 200, await _time(calls, in_flight, lambda: ask(event))

    async def _restart(self, pid: int) -> float:
        clock: Json = reactor
        event = _event(1, SENDER, "casino ")
        ask = self._callbacks.spam_checker.check_event_for_spam
        assert await ask(event) != NOT_SPAM
        started = time.perf_counter()
        os.kill(pid, signal.SIGKILL)
        # A call that was in flight might have ended it, so it would be asked elsewhere.
        while os.path.exists(f"/proc/{pid}"):
            assert time.perf_counter() < started + 10, "Node has not ended"
            await make_deferred_yieldable(deferLater(clock, 0.001))
        assert await ask(event) != NOT_SPAM
        return (time.perf_counter() - started) * 1e6


async def _ask_all(checks: Json, event: EventBase, state: Json) -> None:
    for check in checks:
        allowed, _ = await check(event, state)
        assert allowed


async def _time(calls: int, in_flight: int, ask: Any) -> Json:
    times: list[float] = []
    left = calls

    async def worker() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            started = time.perf_counter()
            await ask()
            times.append(time.perf_counter() - started)

    begun: list[float] = []
    cpu, started = time.thread_time(), time.perf_counter()
    working = [run_in_background(worker) for _ in range(min(in_flight, calls))]
    clock: Json = reactor
    clock.callLater(0, lambda: begun.append(time.perf_counter() - started))
    await defer.gatherResults(working)
    seconds, cpu = time.perf_counter() - started, time.thread_time() - cpu
    times.sort()
    return {
        "p50": times[len(times) // 2] * 1e6,
        "p99": times[len(times) * 99 // 100] * 1e6,
        "max": times[-1] * 1e6,
        "per_second": calls / seconds,
        "cpu": cpu / calls * 1e6,
        "begun": (begun or [seconds])[0] * 1e6,
    }


def _echo(command: list[str], calls: int) -> Json:
    """The floor of any child process: a blocking echo of as many bytes as a call takes."""
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    assert child.stdin is not None and child.stdout is not None
    message = b"x" * 1500
    times = []
    try:
        for _ in range(calls):
            started = time.perf_counter()
            child.stdin.write(message)
            left = len(message)
            while left:
                left -= len(child.stdout.read(left))
            times.append(time.perf_counter() - started)
    finally:
        child.stdin.close()
        child.wait()
    times.sort()
    return {"p50": times[len(times) // 2] * 1e6, "p99": times[len(times) * 99 // 100] * 1e6}


def _event(kilobytes: int, sender: str, word: str = "word ") -> EventBase:
    content = {"msgtype": "m.text", "body": word * (kilobytes * 120)}
    return _made({"type": "m.room.message", "sender": sender, "content": content})


def _state(members: int) -> Json:
    state = {}
    for number in range(members):
        user = f"@member{number}:test.localhost"
        content = {"membership": "join", "displayname": f"Member {number}"}
        event = _made({"type": "m.room.member", "sender": user, "state_key": user, "content": content})
        state[("m.room.member", user)] = event
    return state


def _made(fields: Json) -> EventBase:
    return make_event_from_dict(
        {
            "room_id": ROOM,
            "sender": SENDER,
            "origin_server_ts": int(time.time() * 1000),
            "depth": 12,
            "auth_events": ["$" + "a" * 43, "$" + "b" * 43, "$" + "c" * 43],
            "prev_events": ["$" + "d" * 43],
            "hashes": {"sha256": "e" * 43},
            "signatures": {"test.localhost": {"ed25519:a_key": "f" * 86}},
            "unsigned": {"age_ts": 1},
            **fields,
        },
        room_version=RoomVersions.V11,
    )
