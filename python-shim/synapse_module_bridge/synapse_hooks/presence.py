"""Keeps /sync from failing for users who see everybody's presence.

Synapse asks `get_interested_users` whose presence a user sees. After the answer `ALL`, it asks `get_users_for_states`
within the same request, and relies on an entry for the user in that answer: without it, /sync fails
(synapse/handlers/presence.py).
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from synapse.events.presence_router import PresenceRouter
from twisted.internet.defer import CancelledError

from synapse_module_bridge.routing.entry import current_request
from synapse_module_bridge.schema.catalogue import Callback
from synapse_module_bridge.synapse_hooks.forward import Answer

# A request may end between the two calls: so many are remembered.
MOST_REMEMBERED = 1_000


class Presence:
    """Remembers the answers to the first call until the second one."""

    def __init__(self) -> None:
        # By the request's id, the user who sees everybody.
        self._sees_all: OrderedDict[str, str] = OrderedDict()

    def guard(self, callback: Callback, answer: Answer) -> Answer:
        """`answer`, extended for the two callbacks so that the second answer has the entry on which Synapse relies."""
        guarded = {"get_interested_users": self._interested, "get_users_for_states": self._routes}.get(callback.name)
        if guarded is None:
            return answer
        return lambda callback, args: guarded(lambda: answer(callback, args), args)

    async def _interested(self, ask: Callable[[], Awaitable[Any]], args: Sequence[Any]) -> Any:
        answer = await ask()
        request = current_request()
        # Outside of a request, Synapse does not ask for both.
        if answer == PresenceRouter.ALL_USERS and request is not None:
            self._sees_all[request] = args[0]
            if len(self._sees_all) > MOST_REMEMBERED:
                self._sees_all.popitem(last=False)
        return answer

    async def _routes(self, ask: Callable[[], Awaitable[Any]], args: Sequence[Any]) -> Any:
        request = current_request()
        user_id = None if request is None else self._sees_all.pop(request, None)
        if user_id is None:
            return await ask()
        try:
            routes = await ask()
        except CancelledError:
            raise
        except Exception:
            # The decision is already recorded. Synapse goes on without this module's routes.
            routes = {}
        routes.setdefault(user_id, set())
        return routes
