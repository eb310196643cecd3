"""The host's thread for suspects: is made ready before a suspect's time begins, or known not to be had.

A module may bear no second instance of itself: it takes a port, or fails, or ends what it runs in. Nobody who is asked
is to blame for that.
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
    def __init__(self, host: Host) -> None:
        self._host = host
        # For whose modules it cannot be had, and for whose it takes long.
        self._missing: set[frozenset[str]] = set()
        self._slow: set[frozenset[str]] = set()
        # Told when it has ended while nobody was asked in it: of one of those that were.
        self.lost: Callable[[], None] = lambda: None

    def forget(self) -> None:
        """It may be had again."""
        self._missing.clear()
        self._slow.clear()

    async def is_ready(
        self, modules: Collection[str], seconds: float, watched: float = 0.0, *, patient: bool = False
    ) -> bool:
        """Whether all of the modules are set up in it, and it has stood for so long since. Raises ConnectionGone.

        Where that has taken long before, only who is patient waits for it.
        """
        names = frozenset(modules)
        if names in self._missing or (names in self._slow and not patient):
            return False
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
            return False
        except Unavailable:
            # Node has much to read; perhaps it takes the call itself.
            return False
        if fits("SetUpApartReply", reply) and reply.get("ended") is not None:
            self.lost()
        return True

    def is_missing(self, modules: Collection[str], why: str) -> None:
        """It cannot be had for these."""
        names = frozenset(modules)
        if names not in self._missing:
            self._missing.add(names)
            _tell(names, why)


def _tell(names: Collection[str], why: str) -> None:
    logger.error(
        "%s cannot be asked apart what may have ended Node (%s): Node itself is asked, one thing at a time",
        *(", ".join(sorted(names)), one_line(why)),
    )
