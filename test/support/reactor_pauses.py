"""A module that watches the reactor of its Synapse, and tells by how much it was late at most."""

import json
import os
import time
from typing import Any

from synapse.module_api import ModuleApi
from twisted.internet import reactor
from twisted.web.resource import Resource
from twisted.web.server import Request

BEAT_SECONDS = 0.02


class Pauses(Resource):
    """Serves the longest time by which the reactor was late since it was last asked.

    With `own_group`, a Ctrl-C at the terminal is not for this Synapse; then it must come before Node is started.
    """

    isLeaf = True

    def __init__(self, config: Any, api: ModuleApi) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        if config.get("own_group"):
            os.setpgid(0, 0)
        self._longest = 0.0
        self._expected: float | None = None
        self._reactor: Any = reactor
        self._reactor.callWhenRunning(self._beat)
        api.register_web_resource("/_synapse/client/reactor_pause", self)

    def _beat(self) -> None:
        now = time.monotonic()
        if self._expected is not None:
            self._longest = max(self._longest, now - self._expected)
        self._expected = now + BEAT_SECONDS
        self._reactor.callLater(BEAT_SECONDS, self._beat)

    def render_GET(self, request: Request) -> bytes:
        # One that is still going on counts as well: this very request may have ended it.
        late = time.monotonic() - self._expected if self._expected is not None else 0.0
        longest, self._longest = max(self._longest, late), 0.0
        return json.dumps({"longest_ms": longest * 1000}).encode()
