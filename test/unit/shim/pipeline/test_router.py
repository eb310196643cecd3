"""Who is asked about a call, and what needs no call."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from asking import Host, answer, calls_over, entry
from objects import event
from synapse.module_api import NOT_SPAM
from synapse.module_api.errors import SynapseError
from synapse_module_bridge.calls.call import Call
from synapse_module_bridge.codec.template import compile_template
from synapse_module_bridge.pipeline import router as subject
from synapse_module_bridge.pipeline.pipeline import Pipeline
from synapse_module_bridge.pipeline.router import Router
from synapse_module_bridge.schema.catalogue import CALLBACKS
from turning import outcome
from twisted.internet.defer import Deferred, ensureDeferred

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
        self.router = Router(self.calls, nobody, nobody, self.shadowed.append)

    def ask(self, kind: str = "m.a", **of: Any) -> list[list[str]]:
        """The modules of each request about an event of this type."""
        del self.host.calls[:]
        assert outcome(ensureDeferred(self.router.route(SPAM, **of).answer(SPAM, [event(type=kind)]))) is NOT_SPAM
        return [params["modules"] for _, params, _ in self.host.calls]


# What runs in the background begins at once.
BEGIN: Any = lambda func: ensureDeferred(func())  # noqa: E731


def noted(pipeline: Pipeline, method: str) -> list[Call]:
    """Notes the calls that this method of the pipeline is asked for, which `ask` answers."""
    calls: list[Call] = []
    ask = pipeline.ask

    def note(call: Call, entries: Any) -> Any:
        calls.append(call)
        return ask(call, entries)

    setattr(pipeline, method, note)
    return calls


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
        self.modules: list[str] = []

    async def shadow(self, call: Any, entries: Any) -> None:
        self.calls.append(call)
        self.modules = [entry.module for entry in entries]


def shadowing(verdict: Any, callback: str, *entries: Any) -> tuple[Router, Shadows]:
    """A router of one callback, whose host gives this verdict."""
    calls, shadows, nobody = calls_over(Host(verdict)), Shadows(), Any
    calls.entries = {callback: entries}
    return Router(calls, cast(Any, nobody), cast(Any, shadows), BEGIN), shadows


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
    router, shadows = shadowing(verdict, SPAM.name, *entries)
    answered = router.route(SPAM).answer(SPAM, [event()])
    [call] = shadows.calls
    assert call.really.is_known == (len(entries) == 1)
    outcome(ensureDeferred(answered))
    assert (call.really.is_known, call.really.outcome) == (True, really)


def test_a_call_that_shadow_modules_are_asked_waits_behind_those_that_decide_something() -> None:
    routed, shadows = shadowing(answer("NOT_SPAM", None), SPAM.name, entry("first"), entry("shadow", shadow=True))
    asked = noted(routed.pipeline, "ask")
    outcome(ensureDeferred(routed.route(SPAM).answer(SPAM, [event()])))
    assert shadows.modules == ["shadow"]
    assert [call.local for call in (*asked, *shadows.calls)] == [True, False]


def test_where_synapse_asks_modules_one_by_one_it_is_not_known_what_the_others_decide() -> None:
    routed, shadows = shadowing(answer("NOT_SPAM", None), SPAM.name, entry("shadow", shadow=True))
    outcome(ensureDeferred(routed.route(SPAM, "shadow").answer(SPAM, [event()])))
    [call] = shadows.calls
    assert (call.really.is_known, call.really.outcome) == (True, None)


PASSWORD = CALLBACKS["check_3pid_auth"]


@pytest.mark.parametrize(
    ("callback", "args", "template", "answered"),
    [
        (PASSWORD, ["email", "a@example.org", "a password"], None, None),
        (UNSIGNED, [event()], compile_template(UNSIGNED, {"by": {"$event": "sender"}}), {}),
    ],
)
def test_shadow_modules_are_given_no_passwords_and_templates_of_theirs_fill_in_nothing(
    callback: Any, args: Any, template: Any, answered: Any
) -> None:
    routed, shadows = shadowing(None, callback.name, entry("shadow", shadow=True, template=template))
    assert outcome(ensureDeferred(routed.route(callback).answer(callback, args))) == answered
    assert shadows.calls == []


RENEWAL = CALLBACKS["on_legacy_renew"]


@pytest.mark.parametrize("entries", [[], [entry("shadow", shadow=True)]])
def test_where_nobody_decides_what_cannot_pass_is_an_error(entries: list[Any]) -> None:
    routed, _ = shadowing(None, RENEWAL.name, *entries)
    with pytest.raises(SynapseError, match="policy unavailable"):
        outcome(ensureDeferred(routed.route(RENEWAL).answer(RENEWAL, ["token"])))


NEW_EVENT = CALLBACKS["on_new_event"]


class Queue:
    """In the place of the notifications: what would be delivered, and to whom."""

    def __init__(self) -> None:
        self.queued: list[Any] = []

    def add(self, notification: Any) -> None:
        self.queued.append(
            (notification.call.params["event"].type, [entry.module for entry in notification.entries]),
        )


def test_notifications_are_queued_for_the_modules_that_want_them_and_synapse_waits_for_none() -> None:
    calls, queue, shadows = calls_over(Host(AssertionError("must not be asked"))), Queue(), Shadows()
    route = Router(calls, cast(Any, queue), cast(Any, shadows), BEGIN).route(NEW_EVENT)
    for entries in (
        [entry("all")],
        [entry("some", matches=wants("m.a")), entry("all")],
        [entry("some", matches=wants("m.a")), entry("shadow", shadow=True)],
        [],
    ):
        calls.entries = {NEW_EVENT.name: entries}
        for kind in ("m.a", "m.b"):
            assert outcome(ensureDeferred(route.answer(NEW_EVENT, [event(type=kind), {}]))) is None
    assert queue.queued == [
        *(("m.a", ["all"]), ("m.b", ["all"])),
        *(("m.a", ["some", "all"]), ("m.b", ["all"])),
        ("m.a", ["some"]),
    ]
    assert len(shadows.calls) == 2


@pytest.mark.parametrize("tracing", [True, False])
def test_a_span_is_opened_where_the_library_for_tracing_is_installed(
    tracing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, "TRACING", tracing)
    routed = Routed(entry("m"))
    traced = noted(routed.calls, "ask_traced")
    assert routed.ask() == [["m"]]
    assert len(traced) == tracing


class Modes:
    """The modes are not known until the test says so."""

    def __init__(self, routed: Routed) -> None:
        self.seconds: list[float] = []
        self._known: Deferred[None] = Deferred()
        self._routed = routed
        routed.router.until_modes = self._until

    async def _until(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await self._known

    def become_known(self) -> None:
        self._routed.router.until_modes = None
        self.give_up()

    def give_up(self) -> None:
        """The time is up, and they are not known yet."""
        self._known.callback(None)


@pytest.mark.parametrize(("sender", "seconds"), [("@alice:test", 0.5), ("@bob:remote", 1.0)])
@pytest.mark.parametrize("end", [Modes.become_known, Modes.give_up])
def test_a_call_waits_for_the_first_reading_of_the_modes_for_half_of_its_time(
    sender: str, seconds: float, end: Callable[[Modes], None]
) -> None:
    routed = Routed(entry("off"), entry("m"))
    modes = Modes(routed)
    asked = ensureDeferred(routed.router.route(SPAM).answer(SPAM, [event(sender=sender)]))
    assert (modes.seconds, routed.host.calls) == ([seconds], [])
    # One is switched off in them.
    routed.calls.entries = {SPAM.name: [entry("m")]}
    end(modes)
    assert outcome(asked) is NOT_SPAM
    assert [params["modules"] for _, params, _ in routed.host.calls] == [["m"]]


def test_a_call_waits_no_more_once_the_modes_are_known() -> None:
    routed = Routed(entry("m"))
    modes = Modes(routed)
    begun: Awaitable[Any] = routed.router.route(SPAM).answer(SPAM, [event()])
    modes.become_known()
    assert outcome(ensureDeferred(begun)) is NOT_SPAM  # type: ignore[arg-type]
    assert routed.ask() == [["m"]] and modes.seconds == []
