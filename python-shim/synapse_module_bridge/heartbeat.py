"""Asks the host every second whether it lives, and kills it when it does not answer.

Node itself notices a module that blocks its event loop, and says which (watchdog.ts); this is for what Node cannot
notice: a stopped process, a broken one.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from synapse_module_bridge.child import Child

logger = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
# Beats, not seconds: while Synapse itself is held up it neither asks nor hears, and that is not Node's fault.
BEATS_TO_KILL = 5


class Heartbeat:
    def __init__(self, clock: Any, child: Child, on_pulse: Callable[[Mapping[str, Any]], None]) -> None:
        self._clock = clock
        self._child = child
        self._on_pulse = on_pulse
        self._unanswered = 0
        self._timer: Any = None
        self._beat()

    def _beat(self) -> None:
        if self._unanswered >= BEATS_TO_KILL:
            logger.error("the module host has not answered for %.0f s: it is killed", BEATS_TO_KILL * BEAT_SECONDS)
            self._timer = None
            self._child.kill("it did not answer")
            return
        if self._child.has_ended:
            # A process of its own may hold its output open, so that its end does not show there.
            self._timer = None
            self._child.kill()
            return
        self._unanswered += 1
        self._child.rpc.request("ping", {}).addCallbacks(self._answered, lambda _: None)
        self._timer = self._clock.callLater(BEAT_SECONDS, self._beat)

    def _answered(self, reply: Any) -> None:
        self._unanswered = 0
        if isinstance(reply, dict):
            self._on_pulse(reply)

    def stop(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
