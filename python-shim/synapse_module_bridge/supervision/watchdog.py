"""Notices a host that gives no sign of life, interrupts it, and kills it.

While its event loop turns, the host sends a `pulse` twice a second. Whatever it sends is a sign of life, since a pulse
may wait behind thousands of answers. Where a module blocks the loop, Node says on being interrupted where it was, and
ends (see stall_trace.py). What does not end of that, a stopped process or native code, is killed.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from synapse_module_bridge.process.child import Child
from synapse_module_bridge.schema.protocol import CAUSES, LIMITS

logger = logging.getLogger("synapse_module_bridge.heartbeat")

LOOK_SECONDS = LIMITS["pulse_ms"] / 1000
# Looks, not seconds: while Synapse itself is held up it does not hear, and that is not Node's fault.
LOOKS_TO_INTERRUPT = LIMITS["interrupt_after_ms"] // LIMITS["pulse_ms"]
LOOKS_TO_KILL = LIMITS["kill_after_ms"] // LIMITS["pulse_ms"]


class Watchdog:
    def __init__(self, clock: Any, child: Child, on_pulse: Callable[[Mapping[str, Any]], None]) -> None:
        self._clock = clock
        self._child = child
        self._silent_looks = 0
        self._heard = clock.seconds()
        child.on_pulse = on_pulse
        self._timer: Any = clock.callLater(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        if self._child.has_ended:
            # A process of its own may hold its output open, so that its end does not show there.
            self._child.kill()
            return
        if self._child.has_spoken:
            self._child.has_spoken, self._silent_looks, self._heard = False, 0, self._clock.seconds()
        else:
            self._silent_looks += 1
        silence = self._clock.seconds() - self._heard
        if self._silent_looks >= LOOKS_TO_KILL:
            logger.error("the module host has been silent for %.1f s, stopped or in native code: it is killed", silence)
            self._child.kill(CAUSES["silent"])
            return
        if self._silent_looks == LOOKS_TO_INTERRUPT:
            self._child.interrupt(silence)
        self._timer = self._clock.callLater(LOOK_SECONDS, self._look)

    def stop(self) -> None:
        if self._timer.active():
            self._timer.cancel()
