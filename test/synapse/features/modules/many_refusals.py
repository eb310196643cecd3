"""A module that makes Synapse ask about many users, evenly over some seconds, and tells how long the answers took."""

import statistics
import time
from typing import Any

from synapse.http.server import DirectServeJsonResource
from synapse.http.site import SynapseRequest
from synapse.logging.context import make_deferred_yieldable, run_in_background
from synapse.module_api import NOT_SPAM, ModuleApi
from synapse.types import RoomAlias
from twisted.internet.defer import gatherResults

STEP_SECONDS = 0.01


class ManyRefusals(DirectServeJsonResource):
    def __init__(self, config: Any, api: ModuleApi) -> None:
        super().__init__(clock=api._hs.get_clock())
        self._api = api
        self._checker = api._hs.get_module_api_callbacks().spam_checker
        api.register_web_resource("/_synapse/client/many_refusals", self)

    async def _async_render_GET(self, request: SynapseRequest) -> tuple[int, Any]:
        args: Any = request.args
        a_second, seconds = int(args[b"a_second"][0]), int(args[b"seconds"][0])
        alias = RoomAlias("alias", "test.localhost")
        took: list[float] = []
        passed = 0

        async def ask(number: int) -> None:
            nonlocal passed
            began = time.monotonic()
            answer = await self._checker.user_may_create_room_alias(f"@flood{number}:test.localhost", alias)
            took.append(time.monotonic() - began)
            passed += answer == NOT_SPAM

        began = time.monotonic()
        asking: list[Any] = []
        while (elapsed := time.monotonic() - began) < seconds:
            due = int(elapsed * a_second) - len(asking)
            asking += [run_in_background(ask, len(asking) + number) for number in range(due)]
            await self._api.sleep(STEP_SECONDS)
        await make_deferred_yieldable(gatherResults(asking, consumeErrors=True))
        return 200, {
            "asked": len(took),
            "passed": passed,
            "seconds": time.monotonic() - began,
            "median_ms": statistics.median(took) * 1000,
            "slowest_ms": max(took) * 1000,
        }
