"""A module that makes Synapse ask thousands of times at once about another server's user, and once about our own."""

import time
from typing import Any

from synapse.http.server import DirectServeJsonResource
from synapse.http.site import SynapseRequest
from synapse.logging.context import make_deferred_yieldable, run_in_background
from synapse.module_api import NOT_SPAM, ModuleApi
from twisted.internet.defer import gatherResults


class ManyCalls(DirectServeJsonResource):
    def __init__(self, config: Any, api: ModuleApi) -> None:
        super().__init__(clock=api._hs.get_clock())
        self._checker = api._hs.get_module_api_callbacks().spam_checker
        api.register_web_resource("/_synapse/client/many_calls", self)

    async def _async_render_GET(self, request: SynapseRequest) -> tuple[int, Any]:
        count = int((request.args or {})[b"count"][0])
        told: list[tuple[int, bool]] = []

        async def ask(number: int, inviter: str) -> None:
            room = f"!{'odd' if number % 2 else 'even'}{number}:test.localhost"
            answer = await self._checker.user_may_invite(inviter, "@bob:test.localhost", room)
            told.append((number, answer == NOT_SPAM))

        began = time.monotonic()
        asking = [run_in_background(ask, number, "@someone:remote") for number in range(count)]
        asking.append(run_in_background(ask, count, "@alice:test.localhost"))
        took = time.monotonic() - began
        await make_deferred_yieldable(gatherResults(asking, consumeErrors=True))
        return 200, {
            "asking_ms": round(took * 1000),
            "answers": len(told),
            "local_came": [number for number, _ in told].index(count),
            "wrong": len([number for number, passed in told if passed == bool(number % 2)]),
        }
