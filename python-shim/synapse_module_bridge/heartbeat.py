"""Notices a host that gives no sign of life, interrupts it, and kills it.

While its event loop turns, the host sends a `pulse` twice a second. Where a module blocks the loop, Node says on being
interrupted where it was, and ends (see blocked.py). What does not end of that, a stopped process or native code, is
killed.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from synapse_module_bridge.child import Child

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
# Looks, not seconds: while Synapse itself is held up it does not hear, and that is not Node's fault.
LOOKS_TO_INTERRUPT = 6
LOOKS_TO_KILL = 10


class Heartbeat:
    def __init__(self, clock: Any, child: Child, on_pulse: Callable[[Mapping[str, Any]], None]) -> None:
        self._clock = clock
        self._child = child
        self._on_pulse = on_pulse
        self._silent_looks = 0
        child.on_pulse = self._pulse
        self._timer: Any = clock.callLater(LOOK_SECONDS, self._look)

    def _pulse(self, pulse: Mapping[str, Any]) -> None:
        self._silent_looks = 0
        self._on_pulse(pulse)

    def _look(self) -> None:
        if self._child.has_ended:
            # A process of its own may hold its output open, so that its end does not show there.
            self._child.kill()
            return
        self._silent_looks += 1
        if self._silent_looks >= LOOKS_TO_KILL:
            logger.error("the module host has not answered for %.0f s: it is killed", LOOKS_TO_KILL * LOOK_SECONDS)
            self._child.kill("it did not answer")
            return
        if self._silent_looks == LOOKS_TO_INTERRUPT:
            self._child.interrupt(LOOKS_TO_INTERRUPT * LOOK_SECONDS)
        self._timer = self._clock.callLater(LOOK_SECONDS, self._look)

    def stop(self) -> None:
        if self._timer.active():
            self._timer.cancel()
