"""A module that makes Synapse ask about messages of many other servers, at an even rate, and counts those that pass."""

import time
from typing import Any

from synapse.api.room_versions import RoomVersions
from synapse.events import make_event_from_dict
from synapse.http.server import DirectServeJsonResource
from synapse.http.site import SynapseRequest
from synapse.logging.context import make_deferred_yieldable, run_in_background
from synapse.module_api import NOT_SPAM, ModuleApi
from twisted.internet.defer import gatherResults
from twisted.internet.task import deferLater

SERVERS = 50


class RemoteSpam(DirectServeJsonResource):
    def __init__(self, config: Any, api: ModuleApi) -> None:
        super().__init__(clock=api._hs.get_clock())
        self._checker = api._hs.get_module_api_callbacks().spam_checker
        self._reactor = api._hs.get_reactor()
        api.register_web_resource("/_synapse/client/remote_spam", self)

    async def _async_render_GET(self, request: SynapseRequest) -> tuple[int, Any]:
        seconds, per_second = (float((request.args or {})[name][0]) for name in (b"seconds", b"per_second"))
        began = time.monotonic()
        # When those that have passed were sent, in seconds from the beginning.
        passed: list[float] = []

        async def ask(number: int) -> None:
            at = time.monotonic() - began
            answer = await self._checker.check_event_for_spam(_message(number))
            if answer == NOT_SPAM:
                passed.append(at)

        asking: list[Any] = []
        while time.monotonic() - began < seconds:
            asking.append(run_in_background(ask, len(asking)))
            pause = began + len(asking) / per_second - time.monotonic()
            await make_deferred_yieldable(deferLater(self._reactor, max(0.0, pause), lambda: None))
        await make_deferred_yieldable(gatherResults(asking, consumeErrors=True))
        return 200, {"asked": len(asking), "passed": sorted(passed)}


def _message(number: int) -> Any:
    message = {
        "type": "m.room.message",
        "room_id": f"!{number % 20}:far",
        "sender": f"@{number}:{number % SERVERS}.far",
        "content": {"msgtype": "m.text", "body": f"spam {number}"},
        **{"origin_server_ts": number, "depth": 1, "prev_events": [], "auth_events": []},
        **{"hashes": {"sha256": ""}, "signatures": {}},
    }
    return make_event_from_dict(message, RoomVersions.V10)
