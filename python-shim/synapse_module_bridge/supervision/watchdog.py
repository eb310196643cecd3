"""Notices a host that gives no sign of life, interrupts it, and kills it.

While its event loop runs, the host sends a `pulse` ten times a second. Any other message is a sign of life, too, since
a pulse may wait behind thousands of answers. It may be silent for three seconds, but less where a call has waited for
half of its time: the next Node still has to answer it. Where a module blocks the loop, the interrupted Node prints
where it is, and ends (stall_trace.py). A process that does not end, since it is stopped or in native code, is killed.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from synapse_module_bridge.process.child import Child
from synapse_module_bridge.schema.protocol import CAUSES, LIMITS

logger = logging.getLogger("synapse_module_bridge.watchdog")

LOOK_SECONDS = LIMITS["pulse_ms"] / 1000
# Counted in looks, not in seconds: while Synapse itself is blocked, it reads no pulses.
LOOKS_TO_INTERRUPT = LIMITS["interrupt_after_ms"] // LIMITS["pulse_ms"]
LOOKS_TO_INTERRUPT_EARLY = LIMITS["interrupt_early_ms"] // LIMITS["pulse_ms"]
LOOKS_TO_KILL = LIMITS["kill_after_ms"] // LIMITS["pulse_ms"]
EARLY_SECONDS = LIMITS["interrupt_early_ms"] / 1000


class Watchdog:
    """Watches one process until `stop`. `on_pulse` gets its pulses. `clock` is an IReactorTime.

    `has_waited` tells whether a request of the process has waited for so many seconds, and for half of its time.
    Without `is_strict` the process may be silent for as long as it likes: a debugger pauses it.
    """

    def __init__(
        self,
        clock: Any,
        child: Child,
        on_pulse: Callable[[Mapping[str, Any]], None],
        has_waited: Callable[[float], bool],
        is_strict: bool = True,
    ) -> None:
        self._clock = clock
        self._is_strict = is_strict
        self._child = child
        self._on_pulse = on_pulse
        self._has_waited = has_waited
        self._silent_looks = 0
        # How many looks ago it was interrupted, where it was.
        self._interrupted: int | None = None
        # Whether all modules were set up, as of its last pulse: a setup may take its time.
        self._is_set_up = False
        # When the last sign of life was seen.
        self._heard = clock.seconds()
        child.on_pulse = self._pulse
        self._timer: Any = clock.callLater(LOOK_SECONDS, self._look)

    def _pulse(self, pulse: Mapping[str, Any]) -> None:
        self._is_set_up = not pulse.get("not_set_up")
        self._on_pulse(pulse)

    def _look(self) -> None:
        if self._child.has_ended:
            # A process that it has started holds its output open, so that the output does not end.
            self._child.kill()
            return
        if self._child.has_spoken or not self._is_strict:
            self._child.has_spoken, self._silent_looks, self._heard = False, 0, self._clock.seconds()
        else:
            self._silent_looks += 1
        silence = self._clock.seconds() - self._heard
        if self._interrupted is not None:
            self._interrupted += 1
        if self._interrupted == LOOKS_TO_KILL:
            logger.error("the module host has been silent for %.1f s, stopped or in native code: it is killed", silence)
            self._child.kill(CAUSES["silent"])
            return
        if self._interrupted is None and self._is_silent_for_too_long:
            self._interrupted = 0
            self._child.interrupt(silence)
        self._timer = self._clock.callLater(LOOK_SECONDS, self._look)

    @property
    def _is_silent_for_too_long(self) -> bool:
        if self._silent_looks >= LOOKS_TO_INTERRUPT:
            return True
        return self._is_set_up and self._silent_looks >= LOOKS_TO_INTERRUPT_EARLY and self._has_waited(EARLY_SECONDS)

    def stop(self) -> None:
        """The process has ended."""
        if self._timer.active():
            self._timer.cancel()
