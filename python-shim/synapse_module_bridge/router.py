"""Where each call of Synapse goes: to the modules that decide, to the queue of notifications, and to shadow modules."""

from collections.abc import Awaitable, Callable, Sequence
from copy import copy
from typing import Any

import attr

from synapse_module_bridge.calls import Calls
from synapse_module_bridge.catalogue import Callback
from synapse_module_bridge.notifications import Notification, Notifications
from synapse_module_bridge.policy import no_objection
from synapse_module_bridge.tell import Teller

Run = Callable[[Callable[[], Awaitable[None]]], object]


class Router:
    def __init__(self, calls: Calls, notifications: Notifications, teller: Teller, run: Run) -> None:
        self._calls = calls
        self._notifications = notifications
        self._teller = teller
        # Starts a background process.
        self._run = run

    async def answer(self, callback: Callback, args: Sequence[Any], module: str | None = None) -> Any:
        """What Synapse gets for one call: of one module, or of all that have it."""
        call, entries = self._calls.begin(callback, args)
        if module is not None:
            entries = [entry for entry in entries if entry.module == module]
        shadows = [entry for entry in entries if entry.shadow]
        entries = [entry for entry in entries if not entry.shadow]
        if shadows:
            # They wait behind every call that decides something, and have their own record.
            shadow = attr.evolve(call, local=False, recorder=copy(call.recorder))
            self._run(lambda: self._teller.shadow(shadow, shadows))
        if not entries:
            return None if callback.notify else no_objection(callback, call.params)
        if callback.notify:
            self._notifications.add(Notification(call=call, entries=entries))
            return None
        return await self._calls.ask(call, entries)
