"""Prepares the host's thread for suspects before a suspect is asked in it, and remembers for which modules it fails.

Some modules cannot run twice: the second instance finds its port in use, fails, or ends its thread. No suspect is to
blame for that.
"""

import logging
import time
from collections.abc import Callable, Collection

from synapse_module_bridge.reactor.deadline import DeadlinePassed
from synapse_module_bridge.reactor.log_context import SentinelContext
from synapse_module_bridge.schema.protocol import fits, method_name
from synapse_module_bridge.telemetry.log_text import one_line
from synapse_module_bridge.transport.host_interface import Host
from synapse_module_bridge.transport.rpc import RpcError
from synapse_module_bridge.transport.unavailable import Unavailable

logger = logging.getLogger("synapse_module_bridge.thread_apart")

_SET_UP_APART = method_name("set_up_apart")


class ThreadApart:
    """The thread of one host."""

    def __init__(self, host: Host) -> None:
        self._host = host
        # Sets of modules for which the thread cannot be set up, and for which that takes too long.
        self._missing: set[frozenset[str]] = set()
        self._slow: set[frozenset[str]] = set()
        # Called when the thread has ended while no suspect was asked in it.
        self.lost: Callable[[], None] = lambda: None

    def forget(self) -> None:
        """Forgets for which modules it has failed: it is tried again."""
        self._missing.clear()
        self._slow.clear()

    async def is_ready(
        self, modules: Collection[str], seconds: float, watched: float = 0.0, *, patient: bool = False
    ) -> bool:
        """Waits until these modules are set up in the thread, and for `watched` seconds more. Raises ConnectionGone.

        Returns whether they are set up within `seconds`. Where that has taken too long before, it is tried again only
        if `patient`.
        """
        return await self._set_up(modules, seconds, watched, patient=patient) is True

    async def ends_unasked(self, modules: Collection[str], seconds: float, watched: float) -> bool:
        """As `is_ready`. Returns whether the thread ends while nobody is asked; False also where that is not known."""
        return await self._set_up(modules, seconds, watched, patient=False) is False

    async def _set_up(self, modules: Collection[str], seconds: float, watched: float, *, patient: bool) -> bool | None:
        """Whether the thread stands; None where that is not known, since it takes too long."""
        names = frozenset(modules)
        if names in self._missing:
            return False
        if names in self._slow and not patient:
            return None
        question = {"modules": sorted(names), "linger_ms": round(1000 * watched)}
        try:
            with SentinelContext():
                reply = await self._host.call(_SET_UP_APART, question, time.monotonic() + seconds + watched)
        except RpcError as e:
            self.is_missing(names, e.message)
            return False
        except DeadlinePassed:
            if names not in self._slow:
                self._slow.add(names)
                _tell(names, f"it was not set up within {seconds:.1f} s")
            return None
        except Unavailable:
            # Much waits for Node to read it. The call itself may still get through.
            return None
        if fits("SetUpApartReply", reply) and reply.get("ended") is not None:
            self.lost()
        return True

    def is_missing(self, modules: Collection[str], why: str) -> None:
        """The thread cannot be set up for these modules. Logs why."""
        names = frozenset(modules)
        if names not in self._missing:
            self._missing.add(names)
            _tell(names, why)


def _tell(names: Collection[str], why: str) -> None:
    logger.error(
        "%s cannot run in a thread apart, to find the call that ended Node (%s): Node itself is asked, call by call",
        *(", ".join(sorted(names)), one_line(why)),
    )
