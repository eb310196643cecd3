"""Lets calls go to the host: once it is up, and has a place for them."""

from synapse_module_bridge.admission import Admission, Overloaded
from synapse_module_bridge.deadline import DeadlinePassed
from synapse_module_bridge.host_interface import Host
from synapse_module_bridge.unavailable import Unavailable


class Entrance:
    def __init__(self, host: Host) -> None:
        self._host = host
        self.admission = Admission()
        # Frees a call's place again.
        self.leave = self.admission.leave

    def enters(self, *, local: bool) -> bool:
        """Whether a call may be sent at once; `leave` frees its place again."""
        return self._host.is_up and self.admission.enters(local=local)

    async def enter(self, deadline: float, *, local: bool) -> None:
        """Returns once a call may be sent; `leave` frees its place again. Raises Unavailable."""
        if not self._host.is_up:
            await self._host.until_up(deadline)
        if self.admission.enters(local=local):
            return
        try:
            await self._host.within(self.admission.line_up(local=local), deadline)
        except Overloaded:
            raise Unavailable("overload") from None
        except DeadlinePassed:
            raise Unavailable("deadline") from None
        try:
            # It may have gone meanwhile.
            await self._host.until_up(deadline)
        except BaseException:
            self.leave(local=local)
            raise
