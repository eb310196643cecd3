"""What a module answered is kept for the `ttl` of its entry: who is asked then, and who is not."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from asking import ASKED, FAULT, THROWN, Host, answer, calls_over, entry, sample
from objects import event
from observed import observed
from synapse.media._base import FileInfo
from synapse.module_api import NOT_SPAM
from synapse.module_api.errors import Codes, SynapseError
from synapse.types import RoomAlias
from synapse_module_bridge.codec.replies import Reply
from synapse_module_bridge.pipeline.failures import ModuleFault
from synapse_module_bridge.pipeline.pipeline import Pipeline
from synapse_module_bridge.reactor.deadline import DeadlinePassed
from synapse_module_bridge.resilience import answer_cache
from synapse_module_bridge.resilience.answer_cache import AnswerCache, question_of
from synapse_module_bridge.resilience.circuit_breaker import MISSES_TO_OPEN
from synapse_module_bridge.routing.entry import bind
from synapse_module_bridge.schema.catalogue import CALLBACKS
from synapse_module_bridge.schema.protocol import Reason
from synapse_module_bridge.transport.framing import encode
from synapse_module_bridge.transport.rpc import RpcError
from synapse_module_bridge.transport.unavailable import Unavailable
from turning import outcome
from twisted.internet.defer import CancelledError, Deferred, ensureDeferred, fail

INVITE = ("@alice:test", "@bob:test", "!room:test")
TTL = 600.0


class Rig:
    """Modules in a row, of which those in `kept` have a ttl."""

    def __init__(self, host: Host, modules: str = "m", kept: str = "m", callback: str = "user_may_invite") -> None:
        self.host = host
        self.now = 0.0
        self.hits = 0
        self.callback = CALLBACKS[callback]
        self.calls: Pipeline = calls_over(host)
        self.load(modules, kept)

    def load(self, modules: str, kept: str) -> None:
        self.calls.entries = {
            self.callback.name: [
                entry(module, answer_cache=AnswerCache(TTL, lambda: self.now, self.hit) if module in kept else None)
                for module in modules
            ]
        }

    def hit(self) -> None:
        self.hits += 1

    def start(self, args: Sequence[Any] = INVITE) -> "Deferred[Any]":
        call = self.calls.rules.begin(self.callback, bind(self.callback, args))
        return ensureDeferred(self.calls.ask(call, [*self.calls.entries[self.callback.name]]))

    def ask(self, args: Sequence[Any] = INVITE) -> Any:
        return outcome(self.start(args))

    @property
    def asked(self) -> list[str]:
        return ["".join(params["modules"]) for _, params, _ in self.host.calls]


class SlowHost(Host):
    """Answers when the test says."""

    def __init__(self) -> None:
        super().__init__(None)
        self.waiting: list[Deferred[Any]] = []
        self.deadlines: list[Deferred[Any]] = []
        self.seconds: list[float] = []

    async def within(self, deferred: Any, deadline: float) -> Any:
        self.deadlines.append(deferred)
        self.seconds.append(deadline - time.monotonic())
        return await deferred

    def call(self, method: str, params: Any, deadline: float, on_late: Any = None) -> "Deferred[Any]":
        self.calls.append((method, params(), deadline))
        self.waiting.append(Deferred())
        return self.waiting[-1]


def test_equal_questions_are_asked_once_until_the_ttl_has_passed() -> None:
    rig = Rig(Host(answer("M_FORBIDDEN"), answer("NOT_SPAM", None)))
    assert [rig.ask() for _ in range(3)] == [Codes.FORBIDDEN] * 3
    rig.now = TTL - 0.1
    assert rig.ask() is Codes.FORBIDDEN
    assert (rig.asked, rig.hits) == (["m"], 3)
    rig.now = TTL
    assert rig.ask() is NOT_SPAM
    assert rig.asked == ["m", "m"]


def test_a_question_that_differs_in_any_parameter_is_another() -> None:
    rig = Rig(Host(answer("M_FORBIDDEN")))
    for args in [INVITE, ("@alice:test", "@bob:test", "!other:test"), ("@bob:test", "@alice:test", "!room:test")]:
        rig.ask(args)
    assert rig.asked == ["m"] * 3


def test_equal_questions_in_flight_run_the_module_once_and_give_all_the_verdict() -> None:
    host = SlowHost()
    rig = Rig(host)
    asked = [rig.start() for _ in range(5)]
    assert rig.asked == ["m"]
    host.waiting[0].callback(answer("M_FORBIDDEN"))
    assert [outcome(one) for one in asked] == [Codes.FORBIDDEN] * 5
    assert (rig.asked, rig.hits) == (["m"], 4)
    observed(31, "one module run; its refusal for all five")


@pytest.mark.parametrize(("error", "seen"), [(FAULT, ModuleFault), (THROWN, SynapseError)])
def test_what_a_module_throws_is_shared_by_those_who_wait_and_not_kept(error: Exception, seen: type) -> None:
    host = SlowHost()
    rig = Rig(host)
    asked = [rig.start() for _ in range(3)]
    host.waiting[0].errback(error)
    assert [type(outcome(one)) for one in asked] == [seen] * 3
    rig.start().addErrback(lambda _: None)
    assert rig.asked == ["m", "m"]


def test_each_of_those_who_wait_gets_an_error_of_its_own() -> None:
    cache = AnswerCache(TTL, lambda: 0.0, lambda: None)
    asked: Deferred[Reply] = Deferred()
    waiting = [ensureDeferred(cache.ask(b"question", lambda: asked, lambda waits: waits)) for _ in range(3)]
    asked.errback(RpcError(-32002, "m: it threw", {"module": "m"}))
    errors = [outcome(one) for one in waiting]
    assert [(error.code, error.message, error.data) for error in errors] == [
        (-32002, "m: it threw", {"module": "m"})
    ] * 3
    assert len({id(error) for error in errors}) == 3


def test_a_large_answer_is_shared_by_those_who_wait() -> None:
    host = SlowHost()
    rig = Rig(host)
    asked = [rig.start() for _ in range(3)]
    host.waiting[0].callback(answer(["M_FORBIDDEN", {"text": "x" * 5_000}]))
    assert [outcome(one)[0] for one in asked] == [Codes.FORBIDDEN] * 3
    assert (rig.asked, rig.hits) == (["m"], 2)


@pytest.mark.parametrize(("more", "is_kept"), [(0, True), (1, False)])
def test_an_answer_is_kept_up_to_a_size(more: int, is_kept: bool) -> None:
    cache = AnswerCache(TTL, lambda: 0.0, lambda: None)
    around = len(encode("x" * 4_000)) - 4_000
    reply = Reply("x" * (answer_cache.MOST_ANSWER_BYTES - around + more), "m")
    asked: Deferred[Reply] = Deferred()
    asked.callback(reply)
    assert outcome(ensureDeferred(cache.ask(b"question", lambda: asked, lambda waits: waits))) == reply
    assert cache.known(b"question") == (reply if is_kept else None)


@pytest.mark.parametrize("failure", [DeadlinePassed(), Unavailable(Reason.OVERLOAD), CancelledError()])
def test_one_that_could_not_ask_leaves_the_question_to_the_next(failure: Exception) -> None:
    host = SlowHost()
    rig = Rig(host)
    first, second, third = (rig.start() for _ in range(3))
    host.waiting[0].errback(failure)
    assert isinstance(outcome(first), SynapseError | CancelledError)
    assert rig.asked == ["m", "m"]
    host.waiting[1].callback(answer("M_FORBIDDEN"))
    assert [outcome(second), outcome(third)] == [Codes.FORBIDDEN] * 2
    assert rig.asked == ["m", "m"]


def test_one_whose_time_is_up_while_it_waits_for_another_is_answered_by_policy(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "synapse_module_bridge.decision")
    host = SlowHost()
    rig = Rig(host)
    first, second = rig.start(), rig.start()
    assert host.seconds[-1] == pytest.approx(1, abs=0.5)
    host.deadlines[-1].errback(DeadlinePassed())
    late = outcome(second)
    assert (late.code, late.msg) == (503, "policy unavailable")
    assert "outcome=policy answer=defer reason=deadline" in caplog.text
    host.waiting[0].callback(answer("M_FORBIDDEN"))
    assert outcome(first) is Codes.FORBIDDEN


def test_an_answer_of_policy_is_not_kept() -> None:
    rig = Rig(Host(Unavailable(Reason.OVERLOAD), answer("M_FORBIDDEN")))
    assert isinstance(rig.ask(), SynapseError)
    assert rig.ask() is Codes.FORBIDDEN


def test_an_answer_that_does_not_fit_is_not_kept() -> None:
    rig = Rig(Host(answer(["M_NO_SUCH", {}]), answer("M_FORBIDDEN")))
    assert isinstance(rig.ask(), ModuleFault)
    assert rig.ask() is Codes.FORBIDDEN


def test_a_reload_begins_anew() -> None:
    rig = Rig(Host(answer("M_FORBIDDEN"), answer("NOT_SPAM", None)))
    rig.ask()
    rig.load("m", "m")
    assert rig.ask() is NOT_SPAM


def test_what_was_asked_of_the_old_modules_is_not_kept_for_the_new() -> None:
    host = SlowHost()
    rig = Rig(host)
    old = rig.start()
    rig.load("m", "m")
    host.waiting[0].callback(answer("M_FORBIDDEN"))
    assert outcome(old) is Codes.FORBIDDEN
    rig.start()
    assert rig.asked == ["m", "m"]


def test_a_pass_that_is_kept_skips_its_module_alone() -> None:
    rig = Rig(Host(answer("NOT_SPAM", None)), "abc", "a")
    assert [rig.ask(), rig.ask()] == [NOT_SPAM, NOT_SPAM]
    assert rig.asked == ["a", "bc", "bc"]


def test_a_decision_that_is_kept_leaves_those_before_it_to_be_asked_and_those_after_it_not() -> None:
    host = Host(answer("NOT_SPAM", None), answer("M_FORBIDDEN", "b"), answer("NOT_SPAM", None))
    rig = Rig(host, "abc", "b")
    assert [rig.ask(), rig.ask()] == [Codes.FORBIDDEN, Codes.FORBIDDEN]
    assert rig.asked == ["a", "b", "a"]
    host.outcomes = [answer("M_LIMIT_EXCEEDED", "a")]
    assert rig.ask() is Codes.LIMIT_EXCEEDED


def test_a_kept_answer_counts_while_the_module_is_not_asked() -> None:
    rig = Rig(Host(answer("M_FORBIDDEN")))
    rig.ask()
    breaker = rig.calls.entries["user_may_invite"][0].breaker
    for _ in range(5):
        breaker.missed(time.monotonic(), INVITE[0])
    assert breaker.is_open
    assert rig.ask() is Codes.FORBIDDEN
    assert isinstance(rig.ask(("@alice:test", "@carol:test", "!room:test")), SynapseError)


def test_no_more_than_so_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_cache, "MOST_REMEMBERED", 2)
    rig = Rig(Host(answer("M_FORBIDDEN")))
    a, b, c = (("@alice:test", f"@{name}:test", "!room:test") for name in "abc")
    # b was used longest ago when c comes.
    for args in (a, b, a, c, a, b):
        rig.ask(args)
    assert len(rig.asked) == 4


def test_an_answer_that_was_renewed_is_not_the_first_to_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_cache, "MOST_REMEMBERED", 2)
    rig = Rig(Host(answer("M_FORBIDDEN")))
    a, b, c = (("@alice:test", f"@{name}:test", "!room:test") for name in "abc")
    rig.ask(a)
    rig.ask(b)
    rig.now = TTL
    for args in (a, c, a):
        rig.ask(args)
    assert len(rig.asked) == 4


def test_a_large_answer_is_not_kept() -> None:
    rig = Rig(Host(answer(["M_FORBIDDEN", {"text": "x" * 5_000}])))
    rig.ask()
    rig.ask()
    assert rig.asked == ["m", "m"]


def test_what_synapse_does_to_an_answer_leaves_the_kept_one_alone() -> None:
    rig = Rig(Host(answer(["M_FORBIDDEN", {"list": [1]}])))
    for _ in range(3):
        code, fields = rig.ask()
        assert (code, fields) == (Codes.FORBIDDEN, {"list": [1]})
        fields["list"].append(2)


def test_a_parameter_that_is_no_json_is_asked_about_each_time() -> None:
    rig = Rig(Host(answer("M_FORBIDDEN")), callback="user_may_create_room")
    assert rig.ask(("@alice:test", {"x": object()})) is Codes.FORBIDDEN
    assert rig.ask(("@alice:test", {"x": object()})) is Codes.FORBIDDEN
    assert rig.asked == ["m", "m"]


def test_an_event_counts_by_its_id_and_state_by_its_events() -> None:
    spam, allowed = CALLBACKS["check_event_for_spam"], CALLBACKS["check_event_allowed"]
    one, same, other = event(depth=1), event(depth=1, unsigned={"age_ts": 2}), event(depth=3)
    assert question_of(spam, {"event": one}) == question_of(spam, {"event": same})
    assert question_of(spam, {"event": one}) != question_of(spam, {"event": other})
    state = {("m.room.create", ""): other}
    with_state = {"event": one, "state_events": state}
    assert question_of(allowed, with_state) == question_of(allowed, {"event": one, "state_events": {}})
    threepid = CALLBACKS["check_threepid_can_be_invited"]
    asked = {"medium": "email", "address": "a@b"}
    assert question_of(threepid, {**asked, "state_events": state}) != question_of(
        threepid, {**asked, "state_events": {("m.room.create", ""): one}}
    )


def test_a_media_file_counts_by_what_it_holds_and_not_by_its_name() -> None:
    media = CALLBACKS["check_media_file_for_spam"]

    def question(digest: bytes | None = b"digest", path: str = "/file", **info: Any) -> bytes:
        wrapper = type("FileWrapper", (), {"path": path})()
        file_info = FileInfo(**{"server_name": None, "file_id": "id", **info})
        return question_of(media, {"file_wrapper": wrapper, "file_info": file_info}, digest)

    assert question() == question(path="/other", file_id="other")
    assert len({question(), question(b"other"), question(url_cache=True), question(server_name="remote")}) == 4
    # Where that is not known, each is another.
    assert len({question(None), question(None, path="/other"), question(None, file_id="other")}) == 3


def test_an_object_of_synapse_counts_by_what_it_says() -> None:
    callback = CALLBACKS["user_may_create_room_alias"]
    one, same, other = (
        question_of(callback, {"user_id": "@a:test", "room_alias": RoomAlias(name, "test")}) for name in ("x", "x", "y")
    )
    assert one == same != other


@pytest.mark.parametrize("name", ASKED)
def test_every_callback_has_a_question_that_holds_nothing_of_what_was_asked(name: str) -> None:
    callback = CALLBACKS[name]
    params = dict(zip([param.name for param in callback.params], sample(callback), strict=True))
    assert len(question_of(callback, params)) == 32


class LateHost(Host):
    """Answers each call after its deadline, with which module was running."""

    late: Callable[[], object]

    def call(self, method: str, params: Any, deadline: float, on_late: Any = None) -> "Deferred[Any]":
        params = params()
        self.calls.append((method, params, deadline))
        self.late = lambda: on_late({"code": 1, "message": "cancelled", "data": {"module": params["modules"][0]}})
        return fail(DeadlinePassed())


def test_a_late_answer_of_a_module_that_was_asked_by_itself_is_no_second_miss() -> None:
    host = LateHost(None)
    rig = Rig(host, "ab", "a")
    for _ in range(MISSES_TO_OPEN - 1):
        rig.ask()
        host.late()
    breaker = rig.calls.entries["user_may_invite"][0].breaker
    assert not breaker.is_open
    rig.ask()
    assert breaker.is_open
