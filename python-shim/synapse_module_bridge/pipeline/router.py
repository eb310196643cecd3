"""Routes each call of Synapse: to the modules that decide, to the queue of notifications, and to shadow modules.

Most calls end here: no module's `match` fits, so Node is not asked.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from copy import copy
from typing import Any, NamedTuple

from synapse_module_bridge.calls.call import Call
from synapse_module_bridge.calls.decision import TRACING, Really
from synapse_module_bridge.pipeline.delivery import Delivery
from synapse_module_bridge.pipeline.notifications import Notification, Notifications
from synapse_module_bridge.pipeline.pipeline import Pipeline
from synapse_module_bridge.reactor.background import Run
from synapse_module_bridge.resilience.policy import no_objection
from synapse_module_bridge.routing.entry import Entry, Login, bind
from synapse_module_bridge.schema.catalogue import Callback


class _Route(NamedTuple):
    """The entries that may be asked about the calls of one callback: of all modules, or of one of them."""

    # The routing table that they are from: a reload brings another one.
    table: Mapping[str, Sequence[Entry]]
    asked: Sequence[Entry]
    shadows: Sequence[Entry]
    # Whether any of them has a `match`. Otherwise all of them are asked about each call.
    is_selective: bool


class Router:
    """`run` runs something in the background."""

    def __init__(self, pipeline: Pipeline, notifications: Notifications, delivery: Delivery, run: Run) -> None:
        self._pipeline = pipeline
        self._notifications = notifications
        self._delivery = delivery
        self._run = run
        # Waits for the first reading of the modes, for at most so many seconds. None once they are known.
        self.until_modes: Callable[[float], Awaitable[None]] | None = None
        # By callback, and by the module and the login that it is registered for.
        self._routes: dict[tuple[str, str | None, Login | None], _Route] = {}

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
        if self.until_modes is not None:
            return self._once_known(callback, args, module, login)
        return self._answer(callback, args, module, login)

    def _answer(
        self, callback: Callback, args: Sequence[Any], module: str | None, login: Login | None
    ) -> Coroutine[Any, Any, Any]:
        params = bind(callback, args)
        route = self._routes.get((callback.name, module, login))
        if route is None or route.table is not self._pipeline.entries:
            route = self._new_route(callback, module, login)
        _, entries, shadows, is_selective = route
        if is_selective:
            entries, shadows = _matching(entries, params), _matching(shadows, params)
        if not entries and not shadows:
            return _at_once(None if callback.notify else no_objection(callback, params))
        call = self._pipeline.rules.begin(callback, params)
        if shadows:
            call.really = Really()
            self._ask_shadows(call, shadows)
        if not entries:
            if call.really is not None:
                # Of the modules that Synapse asks one by one, others may decide.
                call.really.settle("allowed" if module is None else None)
            return _at_once(None if callback.notify else no_objection(callback, params))
        if callback.notify:
            self._notifications.add(Notification(call=call, entries=entries))
            return _at_once(None)
        if entries[0].template is not None:
            # Such a callback is registered for each module, so there is only one entry.
            return _at_once(entries[0].template(call.params))
        return self._pipeline.ask_traced(call, entries) if TRACING else self._pipeline.ask(call, entries)

    async def _once_known(
        self, callback: Callback, args: Sequence[Any], module: str | None, login: Login | None
    ) -> Any:
        """As `answer`, once the modes are known. Where they come too late, those of homeserver.yaml hold."""
        rules = self._pipeline.rules
        local, _ = rules.whose(callback, bind(callback, args))
        if self.until_modes is not None:
            await self.until_modes(rules.seconds[callback.name, local] / 2)
        return await self._answer(callback, args, module, login)

    def _new_route(self, callback: Callback, module: str | None, login: Login | None) -> _Route:
        table = self._pipeline.entries
        declared = table[callback.name]
        if module is not None:
            declared = [entry for entry in declared if (entry.module, entry.login) == (module, login)]
        route = self._routes[callback.name, module, login] = _Route(
            table,
            [entry for entry in declared if not entry.shadow],
            [entry for entry in declared if entry.shadow],
            any(entry.matches is not None for entry in declared),
        )
        return route

    def _ask_shadows(self, call: Call, entries: Sequence[Entry]) -> None:
        # They do not get passwords.
        if not call.callback.secret and entries[0].template is None:
            # A copy with a record of its own, which gets to know what is really decided. As a federated call, it waits
            # behind calls that decide something.
            shadow = copy(call)
            shadow.local = False
            self._run(lambda: self._delivery.shadow(shadow, entries))


async def _at_once(answer: Any) -> Any:
    return answer


def _matching(entries: Sequence[Entry], params: Mapping[str, Any]) -> Sequence[Entry]:
    return [entry for entry in entries if entry.matches is None or entry.matches(params)]
