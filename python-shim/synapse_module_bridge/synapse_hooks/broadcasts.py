"""Sends a module's broadcasts to all processes through Synapse's replication, and receives them from there.

To Synapse, each module has a cached function, and each broadcast is the invalidation of one of its keys. On PostgreSQL
such an invalidation is a row of `cache_invalidation_stream_by_instance`, which Synapse passes on to its other
processes, and deletes after a week. On SQLite there is only this process.
"""

import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from synapse.logging.context import PreserveLoggingContext, make_deferred_yieldable
from synapse.module_api import ModuleApi
from twisted.internet.defer import Deferred, DeferredLock
from twisted.python.failure import Failure

from synapse_module_bridge.module_api.api import AddedMethod
from synapse_module_bridge.reactor.log_context import SentinelContext
from synapse_module_bridge.reactor.unexpected import contained
from synapse_module_bridge.schema.protocol import API, LIMITS, fits, method_name
from synapse_module_bridge.telemetry import metrics

logger = logging.getLogger("synapse_module_bridge.broadcasts")

_BROADCAST = method_name("broadcast")
MOST_BYTES = LIMITS["broadcast_bytes"]
MOST_A_MINUTE = LIMITS["broadcasts_a_minute"]
MOST_WAITING = LIMITS["broadcasts_waiting"]
_OUTCOMES = {"done": "done", "failed": "failed", "late": "failed", "not_set_up": "dropped"}

# Sends a request to the host, and returns the answer to come; None where the host is down.
Tell = Callable[[str, Mapping[str, Any]], "Deferred[Any] | None"]


class Broadcasts:
    """`now` gives the time in seconds, of a clock that never goes back. `is_off` tells of a module's name."""

    def __init__(
        self,
        api: ModuleApi,
        tell: Tell,
        now: Callable[[], float] = time.monotonic,
        is_off: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._api = api
        self._tell = tell
        self._now = now
        self._is_off = is_off
        self._lines: dict[str, _Line] = {}
        # For `ApiRequests`.
        self.methods: Mapping[str, AddedMethod] = {API + "broadcast": self._send}

    def register(self, modules: Iterable[Mapping[str, Any]]) -> None:
        """Registers the modules of a manifest with Synapse. It takes their broadcasts from then on.

        Those without `broadcasts`, too: a reload may bring them.
        """
        for module in modules:
            name = module["name"]
            line = self._lines[name] = _Line(name, self._received)
            self._api.register_cached_function(line)  # type: ignore[arg-type]
            for outcome in set(_OUTCOMES.values()) if module.get("broadcasts") else ():
                self._count(name, outcome, 0)

    async def _send(self, module: str, params: Mapping[str, Any]) -> None:
        """Returns once the database has it. Raises ValueError for what is too large, or too much in a minute."""
        line = self._lines[module]
        key = _encoded(params["topic"], params["value"])
        line.count(self._now())
        # One after another, so that other processes get them in this order.
        await make_deferred_yieldable(line.lock.acquire())
        try:
            await self._api.invalidate_cache(line, (key,))  # type: ignore[arg-type]
            # Synapse does not send it back to this process.
            line.invalidate_local((key,))
        finally:
            with PreserveLoggingContext():
                line.lock.release()

    def _received(self, module: str, topic: str, value: Any) -> None:
        if self._is_off(module):
            return
        line = self._lines[module]
        if line.waiting >= MOST_WAITING:
            if not line.dropping:
                logger.error("%s: %d broadcasts are waiting already: further ones are dropped", module, line.waiting)
            line.dropping = True
            self._count(module, "dropped")
            return
        with SentinelContext():
            answer = self._tell(_BROADCAST, {"module": module, "topic": topic, "value": value})
            if answer is None:
                # The host that comes runs `setup`, which reads what is stored.
                self._count(module, "dropped")
                return
            line.waiting += 1
            answer.addBoth(self._ended, line)

    def _ended(self, reply: Any, line: "_Line") -> None:
        line.waiting -= 1
        if line.waiting <= MOST_WAITING // 2:
            line.dropping = False
        if isinstance(reply, Failure) or not fits("BroadcastReply", reply):
            self._count(line.module, "dropped")
        elif (outcome := _OUTCOMES.get(reply["outcome"])) is not None:
            self._count(line.module, outcome)

    def _count(self, module: str, outcome: str, by: int = 1) -> None:
        metrics.BROADCASTS.labels(module, outcome, self._api.server_name).inc(by)


class _Line:
    """One module's broadcasts. It is what Synapse takes for a cached function (`CachedFunction`)."""

    def __init__(self, module: str, received: Callable[[str, str, Any], None]) -> None:
        # Synapse names the function by both.
        self.__module__ = "synapse_module_bridge.broadcasts"
        self.__name__ = module
        self.module = module
        self.lock = DeferredLock()
        # How many the host has not answered yet.
        self.waiting = 0
        self.dropping = False
        self._received = received
        self._minute_began = float("-inf")
        self._in_minute = 0

    def count(self, now: float) -> None:
        """Raises ValueError for one broadcast too many."""
        if now - self._minute_began >= 60:
            self._minute_began, self._in_minute = now, 0
        if self._in_minute >= MOST_A_MINUTE:
            raise ValueError(
                f"the module has sent {MOST_A_MINUTE} broadcasts within a minute, which is as many as it may: "
                "broadcast what has changed once for many changes"
            )
        self._in_minute += 1

    def invalidate(self, _key: tuple[Any, ...]) -> None:
        """Synapse calls it before it writes the row: too early, since that may fail."""

    def invalidate_local(self, key: tuple[Any, ...]) -> None:
        """Synapse calls it for a row of another process. It must not raise."""
        contained("receiving a broadcast", lambda: self._decode(key), None)

    def invalidate_all(self) -> None:
        """Synapse calls it for a row without keys, which the bridge does not write."""

    def _decode(self, key: tuple[Any, ...]) -> None:
        topic, value = json.loads(key[0])
        self._received(self.module, topic, value)


def _encoded(topic: Any, value: Any) -> str:
    if not isinstance(topic, str):
        raise TypeError("topic must be a string")
    # As it is measured in TypeScript.
    text = json.dumps([topic, value], ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MOST_BYTES:
        raise ValueError(
            f"a broadcast may have {MOST_BYTES} bytes of JSON, and this one has {size}: "
            "keep the value in api.store, and broadcast its key"
        )
    # PostgreSQL has no text with NUL or half a surrogate pair.
    return json.dumps([topic, value], allow_nan=False, separators=(",", ":"))
