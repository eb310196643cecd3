"""Who is asked about a call, and what needs no call."""

from typing import Any, cast

import pytest
from asking import Host, answer, calls_over, entry
from objects import event
from synapse.module_api import NOT_SPAM
from synapse_module_bridge.codec.template import compile_template
from synapse_module_bridge.pipeline.router import Router
from synapse_module_bridge.schema.catalogue import CALLBACKS
from turning import outcome
from twisted.internet.defer import ensureDeferred

UNSIGNED = CALLBACKS["add_field_to_unsigned_callback"]
SPAM = CALLBACKS["check_event_for_spam"]


class Routed:
    """A router, and the modules that the host is asked for, call by call."""

    def __init__(self, *entries: Any) -> None:
        nobody: Any = None
        self.host = Host(answer("NOT_SPAM", None))
        self.calls = calls_over(self.host)
        self.calls.entries = {SPAM.name: entries}
        self.shadowed: list[Any] = []
        self._router = Router(self.calls, nobody, nobody, self.shadowed.append)

    def ask(self, kind: str = "m.a", **of: Any) -> list[list[str]]:
        """The modules of each request about an event of this type."""
        del self.host.calls[:]
        assert outcome(ensureDeferred(self._router.route(SPAM, **of).answer(SPAM, [event(type=kind)]))) is NOT_SPAM
        return [params["modules"] for _, params, _ in self.host.calls]


def wants(kind: str) -> Any:
    return lambda params: params["event"].type == kind


def test_modules_without_match_are_asked_about_each_call() -> None:
    routed = Routed(entry("first"), entry("second"))
    assert routed.ask() == routed.ask("m.b") == [["first", "second"]]


def test_a_match_decides_anew_for_each_call() -> None:
    routed = Routed(entry("first", matches=wants("m.a")), entry("second"), entry("third", matches=wants("m.b")))
    assert routed.ask("m.a") == [["first", "second"]]
    assert routed.ask("m.b") == [["second", "third"]]
    assert routed.ask("m.c") == [["second"]]


def test_no_request_is_sent_where_no_match_fits() -> None:
    assert Routed(entry("first", matches=wants("m.b"))).ask("m.a") == []


def test_shadow_modules_are_asked_in_the_background_if_they_match() -> None:
    routed = Routed(entry("first"), entry("shadow", shadow=True, matches=wants("m.b")))
    assert (routed.ask("m.a"), len(routed.shadowed)) == ([["first"]], 0)
    assert (routed.ask("m.b"), len(routed.shadowed)) == ([["first"]], 1)


def test_a_function_of_one_module_asks_only_that_and_only_its_checker_of_the_login() -> None:
    login, other = ("m.login.password", ("password",)), ("org.example", ())
    routed = Routed(entry("first"), entry("second"), entry("third", index=0, login=login))
    assert routed.ask(module="second") == [["second"]]
    assert routed.ask(module="third", login=login) == [["third"]]
    assert routed.ask(module="third", login=other) == []


def test_a_reload_holds_from_the_next_call_on() -> None:
    routed = Routed(entry("old"))
    assert routed.ask() == [["old"]]
    routed.calls.entries = {SPAM.name: [entry("new", matches=wants("m.a"))]}
    assert (routed.ask("m.a"), routed.ask("m.b")) == ([["new"]], [])


def test_a_template_needs_no_call() -> None:
    calls = calls_over(Host(AssertionError("must not be called")))
    template = compile_template(UNSIGNED, {"by": {"$event": "sender"}})
    entries = [entry("m", matches=lambda params: params["event"].type == "m.a", template=template)]
    calls.entries = {UNSIGNED.name: entries}
    nobody: Any = None
    router = Router(calls, nobody, nobody, nobody)
    fields: list[Any] = []
    for kind in ("m.a", "m.b"):
        ensureDeferred(router.route(UNSIGNED).answer(UNSIGNED, [event(type=kind)])).addBoth(fields.append)
    assert fields == [{"by": "@alice:test"}, {}]


class Shadows:
    """In the place of a delivery: notes the calls of shadow modules."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    async def shadow(self, call: Any, entries: Any) -> None:
        self.calls.append(call)


@pytest.mark.parametrize(
    ("entries", "verdict", "really"),
    [
        ([entry("first"), entry("shadow", shadow=True)], answer("M_FORBIDDEN", "first"), "refused"),
        ([entry("first"), entry("shadow", shadow=True)], answer("NOT_SPAM", None), "allowed"),
        ([entry("shadow", shadow=True)], answer("NOT_SPAM", None), "allowed"),
    ],
)
def test_the_call_of_shadow_modules_gets_to_know_what_is_really_decided(
    entries: list[Any], verdict: Any, really: str
) -> None:
    calls, shadows, nobody = calls_over(Host(verdict)), Shadows(), Any
    calls.entries = {SPAM.name: entries}
    router = Router(calls, cast(Any, nobody), cast(Any, shadows), lambda func: ensureDeferred(func()))  # type: ignore[arg-type]
    answered = router.route(SPAM).answer(SPAM, [event()])
    [call] = shadows.calls
    assert call.really.is_known == (len(entries) == 1)
    outcome(ensureDeferred(answered))
    assert (call.really.is_known, call.really.outcome) == (True, really)
