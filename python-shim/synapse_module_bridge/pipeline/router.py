"""Routes each call of Synapse: to the modules that decide, to the queue of notifications, and to shadow modules.

Each function that is registered with Synapse has a pipeline. It is put together when the function is called for the
first time, and anew after each reload and change of a mode, out of the stages that its callback and its modules need.
Many calls end here: no module's `match` fits, so Node is not asked.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from copy import copy
from typing import Any

from synapse_module_bridge.calls.call import Call
from synapse_module_bridge.calls.decision import TRACING, Really
from synapse_module_bridge.pipeline.delivery import Delivery
from synapse_module_bridge.pipeline.notifications import Notification, Notifications
from synapse_module_bridge.pipeline.pipeline import Pipeline
from synapse_module_bridge.reactor.background import Run
from synapse_module_bridge.resilience.policy import no_objection
from synapse_module_bridge.routing.entry import Entry, Login, bind
from synapse_module_bridge.schema.catalogue import Callback

# What Synapse awaits: its answer.
Answer = Coroutine[Any, Any, Any]


class Router:
    """Has what all routes share. `run` runs something in the background."""

    def __init__(self, pipeline: Pipeline, notifications: Notifications, delivery: Delivery, run: Run) -> None:
        self.pipeline = pipeline
        self.notifications = notifications
        self.delivery = delivery
        self.run = run
        # Waits for the first reading of the modes, for at most so many seconds. None once they are known.
        self.until_modes: Callable[[float], Awaitable[None]] | None = None

    def route(self, callback: Callback, module: str | None = None, login: Login | None = None) -> "Route":
        """The route of one module's calls (and of its checker of a login), or, without `module`, of all that declare
        the callback.
        """
        return Route(self, callback, module, login)


class Route:
    """The calls of one function that is registered with Synapse."""

    def __init__(self, router: Router, callback: Callback, module: str | None, login: Login | None) -> None:
        self._router = router
        self._pipeline = router.pipeline
        self._callback, self._module, self._login = callback, module, login
        # The routing table that the stages are for. A reload or a change of a mode brings another one.
        self._table: Mapping[str, Sequence[Entry]] | None = None
        # The entries that may be asked.
        self._asked: Sequence[Entry]
        self._shadows: Sequence[Entry]
        # The first stage, and the one that answers if any module is to decide.
        self._begin: Callable[[dict[str, Any]], Answer]
        self._decide: Callable[[Call, Sequence[Entry]], Answer]

    def answer(self, _: Callback, args: Sequence[Any]) -> Answer:
        """A coroutine with what Synapse gets for one call. Raises SynapseError where a pass is impossible."""
        if self._router.until_modes is not None:
            return self._once_known(args)
        if self._table is not self._pipeline.entries:
            self._put_together()
        return self._begin(bind(self._callback, args))

    async def _once_known(self, args: Sequence[Any]) -> Any:
        """As `answer`, once the modes are known. Where they come too late, those of homeserver.yaml hold."""
        rules = self._pipeline.rules
        params = bind(self._callback, args)
        local, _ = rules.whose(self._callback, params)
        if self._router.until_modes is not None:
            await self._router.until_modes(rules.seconds[self._callback.name, local] / 2)
        self._put_together()
        return await self._begin(params)

    def _put_together(self) -> None:
        callback, self._table = self._callback, self._pipeline.entries
        declared = self._table[callback.name]
        if self._module is not None:
            declared = [entry for entry in declared if (entry.module, entry.login) == (self._module, self._login)]
        self._asked = [entry for entry in declared if not entry.shadow]
        self._shadows = [entry for entry in declared if entry.shadow]
        if any(entry.matches is not None for entry in declared):
            self._begin = self._ask_matching
        elif self._asked and not self._shadows:
            self._begin = self._ask_all
        else:
            self._begin = self._ask_some
        if callback.notify:
            self._decide = self._notify
        elif self._asked and self._asked[0].template is not None:
            # Such a callback is registered for each module, so there is only one entry.
            self._decide = self._fill_in
        else:
            self._decide = self._pipeline.ask_traced if TRACING else self._pipeline.ask

    def _ask_all(self, params: dict[str, Any]) -> Answer:
        return self._decide(self._pipeline.rules.begin(self._callback, params), self._asked)

    def _ask_matching(self, params: dict[str, Any]) -> Answer:
        return self._ask(params, _matching(self._asked, params), _matching(self._shadows, params))

    def _ask_some(self, params: dict[str, Any]) -> Answer:
        return self._ask(params, self._asked, self._shadows)

    def _ask(self, params: dict[str, Any], entries: Sequence[Entry], shadows: Sequence[Entry]) -> Answer:
        callback = self._callback
        if not entries and not shadows:
            return _at_once(no_objection(callback, params))
        call = self._pipeline.rules.begin(callback, params)
        if shadows:
            call.really = Really()
            self._ask_shadows(call, shadows)
        if entries:
            return self._decide(call, entries)
        if call.really is not None:
            # Of the modules that Synapse asks one by one, others may decide.
            call.really.settle("allowed" if self._module is None else None)
        return _at_once(no_objection(callback, params))

    def _notify(self, call: Call, entries: Sequence[Entry]) -> Answer:
        self._router.notifications.add(Notification(call=call, entries=entries))
        return _at_once(None)

    def _fill_in(self, call: Call, entries: Sequence[Entry]) -> Answer:
        template = entries[0].template
        assert template is not None
        return _at_once(template(call.params))

    def _ask_shadows(self, call: Call, entries: Sequence[Entry]) -> None:
        # They do not get passwords.
        if not call.callback.secret and entries[0].template is None:
            # A copy with a record of its own, which gets to know what is really decided. As a federated call, it waits
            # behind calls that decide something.
            shadow = copy(call)
            shadow.local = False
            self._router.run(lambda: self._router.delivery.shadow(shadow, entries))


async def _at_once(answer: Any) -> Any:
    return answer


def _matching(entries: Sequence[Entry], params: Mapping[str, Any]) -> Sequence[Entry]:
    return [entry for entry in entries if entry.matches is None or entry.matches(params)]
