"""Completes a suspect before it is asked again: looks up the room's state from Synapse, and hashes its media file."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from synapse.logging.context import run_in_background
from twisted.internet.defer import Deferred

from synapse_module_bridge.calls.media_digest import media_digest
from synapse_module_bridge.quarantine.suspects import Suspect
from synapse_module_bridge.reactor.deadline import DeadlinePassed
from synapse_module_bridge.transport.host_interface import Host
from synapse_module_bridge.transport.unavailable import Unavailable

logger = logging.getLogger("synapse_module_bridge.preparing")

# For the state of a room. All other suspects wait meanwhile.
LOOKUP_SECONDS = 2.0

# Looks up the state of a room by its id: `ModuleApi.get_room_state`.
RoomState = Callable[[str], Awaitable[Mapping[tuple[str, str], Any]]]


class Preparing:
    """Without `room_state`, suspects are asked without the state of their room."""

    def __init__(self, host: Host, room_state: RoomState | None = None) -> None:
        self._host = host
        self.room_state = room_state

    async def prepare(self, suspect: Suspect) -> None:
        """Completes the suspect's call. Never raises: without the state, it is asked all the same."""
        call, callback = suspect.call, suspect.call.callback
        if callback.file_param is not None and call.file_digest is None:
            # A quarantine recognises the file by its content.
            path, call.question = call.params[callback.file_param].path, None
            with suppress(Unavailable):
                call.file_digest = await media_digest(path, self._host, call.deadline)
        if suspect.state_room is None or callback.state_param is None or self.room_state is None:
            return
        room, suspect.state_room = suspect.state_room, None
        looked_up: Deferred[Mapping[tuple[str, str], Any]] = run_in_background(self.room_state, room)
        try:
            state = await self._host.within(looked_up, time.monotonic() + LOOKUP_SECONDS)
            call.params = {**call.params, callback.state_param: state}
        except DeadlinePassed:
            logger.warning("the state of a room could not be looked up within %.0f s", LOOKUP_SECONDS)
        except Exception:
            logger.exception("the state of a room cannot be looked up")
