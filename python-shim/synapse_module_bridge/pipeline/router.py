"""Routes each call of Synapse: to the modules that decide, to the queue of notifications, and to shadow modules.

Most calls end here: no module's `match` fits, so Node is not asked.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from copy import copy
from typing import Any

from synapse_module_bridge.calls.call import Call
from synapse_module_bridge.calls.decision import TRACING
from synapse_module_bridge.pipeline.delivery import Delivery
from synapse_module_bridge.pipeline.notifications import Notification, Notifications
from synapse_module_bridge.pipeline.pipeline import Pipeline
from synapse_module_bridge.resilience.policy import no_objection
from synapse_module_bridge.routing.route import Entry, Login, bind
from synapse_module_bridge.schema.catalogue import Callback

Run = Callable[[Callable[[], Awaitable[None]]], object]


class Router:
    """`run` runs something in the background."""

    def __init__(self, pipeline: Pipeline, notifications: Notifications, delivery: Delivery, run: Run) -> None:
        self._pipeline = pipeline
        self._notifications = notifications
        self._delivery = delivery
        self._run = run

    def answer(
        self,
        callback: Callback,
        args: Sequence[Any],
        module: str | None = None,
        login: Login | None = None,
    ) -> Coroutine[Any, Any, Any]:
        """A coroutine with what Synapse gets for one call. Raises SynapseError where a pass is impossible.

        It asks one module (and its checker of a login), or, without `module`, all that declare the callback.
        """
        params = bind(callback, args)
        declared = self._pipeline.entries[callback.name]
        entries, shadows = _matching(declared if module is None else _of(declared, module, login), params)
        if not entries and not shadows:
            return _at_once(None if callback.notify else no_objection(callback, params))
        call = self._pipeline.rules.begin(callback, params)
        if shadows:
            self._ask_shadows(call, shadows)
        if not entries:
            return _at_once(None if callback.notify else no_objection(callback, params))
        if callback.notify:
            self._notifications.add(Notification(call=call, entries=entries))
            return _at_once(None)
        if entries[0].template is not None:
            # Such a callback is registered for each module, so there is only one entry.
            return _at_once(entries[0].template(call.params))
        return self._pipeline.ask_traced(call, entries) if TRACING else self._pipeline.ask(call, entries)

    def _ask_shadows(self, call: Call, entries: Sequence[Entry]) -> None:
        # They do not get passwords.
        if not call.callback.secret and entries[0].template is None:
            # A copy with a record of its own. As a federated call, it waits behind calls that decide something.
            shadow = copy(call)
            shadow.local = False
            self._run(lambda: self._delivery.shadow(shadow, entries))


async def _at_once(answer: Any) -> Any:
    return answer


def _matching(entries: Sequence[Entry], params: Mapping[str, Any]) -> tuple[list[Entry], list[Entry]]:
    """The entries that match, without and with shadow modules: two lists."""
    asked: list[Entry] = []
    shadows: list[Entry] = []
    for entry in entries:
        if entry.matches is None or entry.matches(params):
            (shadows if entry.shadow else asked).append(entry)
    return asked, shadows


def _of(entries: Sequence[Entry], module: str, login: Login | None) -> list[Entry]:
    return [entry for entry in entries if (entry.module, entry.login) == (module, login)]
