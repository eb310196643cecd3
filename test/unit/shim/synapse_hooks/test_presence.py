"""What Synapse makes of presence answers: its own router over the bridge's functions."""

import copy
from collections.abc import Sequence
from typing import Any

from synapse.api.presence import UserPresenceState
from synapse.events.presence_router import PresenceRouter
from synapse.logging.context import LoggingContext  # type: ignore[attr-defined] # LoggingContext is Rust's now
from synapse_module_bridge.schema.catalogue import CALLBACKS, Callback
from synapse_module_bridge.synapse_hooks.forward import make_forwarder
from synapse_module_bridge.synapse_hooks.presence import Presence
from twisted.internet.defer import ensureDeferred

ALICE = UserPresenceState.default("@alice:test")
PAIR = [CALLBACKS["get_users_for_states"], CALLBACKS["get_interested_users"]]


def router(*modules: dict[str, Any]) -> PresenceRouter:
    """Synapse's router with modules that answer so; an exception is raised."""
    presence, router = Presence(), PresenceRouter(None)  # type: ignore[arg-type]
    for answers in modules:

        async def answer(callback: Callback, args: Sequence[Any], answers: dict[str, Any] = answers) -> Any:
            if isinstance(answers[callback.name], Exception):
                raise answers[callback.name]
            return copy.copy(answers[callback.name])

        forwarders = {callback.name: make_forwarder(callback, presence.guard(callback, answer)) for callback in PAIR}
        router.register_presence_router_callbacks(**forwarders)
    return router


def now(awaitable: Any, request: str = "GET-1") -> Any:
    results: list[Any] = []
    with LoggingContext(name=request, server_name="test"):
        ensureDeferred(awaitable).addBoth(results.append)
    return results[0]


def module(interested: Any, routes: Any = None) -> dict[str, Any]:
    return {"get_interested_users": interested, "get_users_for_states": {} if routes is None else routes}


def test_synapse_puts_together_what_several_modules_answer_and_leaves_out_one_that_fails() -> None:
    several = router(
        module({"@a:test"}, {"@x:test": {ALICE}}),
        module(RuntimeError("no"), RuntimeError("no")),
        module({"@b:test"}, {"@x:test": set(), "@y:test": {ALICE}}),
    )
    assert now(several.get_interested_users("@x:test")) == {"@a:test", "@b:test"}
    assert now(several.get_users_for_states([ALICE])) == {"@x:test": {ALICE}, "@y:test": {ALICE}}


def test_a_user_who_sees_everybody_has_an_entry_in_the_next_answer_of_the_same_request() -> None:
    one = router(module("ALL"))
    assert now(one.get_interested_users("@x:test"), "GET-1") == "ALL"
    assert now(one.get_users_for_states([ALICE]), "GET-2") == {}
    assert now(one.get_users_for_states([ALICE]), "GET-1") == {"@x:test": set()}
    assert now(one.get_users_for_states([ALICE]), "GET-1") == {}


def test_so_it_has_where_the_module_fails_then() -> None:
    one = router(module("ALL", RuntimeError("no")))
    assert now(one.get_interested_users("@x:test")) == "ALL"
    assert now(one.get_users_for_states([ALICE])) == {"@x:test": set()}
    assert now(one.get_users_for_states([ALICE])) == {}
