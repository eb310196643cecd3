"""What is counted by module of one call: what it let pass, refused, and failed at, and how long it took."""

import uuid
from collections.abc import Mapping
from typing import Any

import pytest
from asking import Host, answer, calls_over, entry, sample
from synapse.module_api.errors import SynapseError
from synapse_module_bridge.pipeline.delivery import Delivery
from synapse_module_bridge.pipeline.failures import ModuleFault
from synapse_module_bridge.pipeline.notifications import Notification
from synapse_module_bridge.pipeline.pipeline import Pipeline
from synapse_module_bridge.resilience.answer_cache import AnswerCache
from synapse_module_bridge.routing.entry import Entry, bind
from synapse_module_bridge.routing.zeros import begin
from synapse_module_bridge.schema.catalogue import CALLBACKS
from synapse_module_bridge.schema.protocol import ERROR_CODES, Reason
from synapse_module_bridge.telemetry.module_counts import ModuleCount
from synapse_module_bridge.transport.rpc import RpcError
from synapse_module_bridge.transport.unavailable import Unavailable
from turning import outcome
from twisted.internet.defer import ensureDeferred

# Passed, refusals, errors and answers that were timed.
Counted = tuple[int, int, int, int]


class Rig:
    """Three modules of one callback, each with a name of its own."""

    def __init__(self, host: Host, callback: str = "user_may_invite", *, shadow: bool = False, kept: bool = False):
        self.callback = CALLBACKS[callback]
        self.calls: Pipeline = calls_over(host)
        self.names = [f"{name}-{uuid.uuid4().hex}" for name in "abc"]
        self.entries = [self._entry(name, shadow, kept) for name in self.names]
        self.calls.entries = {callback: self.entries}

    def _entry(self, name: str, shadow: bool, kept: bool) -> Entry:
        count = begin(self.callback, name, "test", shadow=shadow)
        cache = AnswerCache(600, lambda: 0.0, lambda: None) if kept else None
        return entry(name, count=count, shadow=shadow, answer_cache=cache)

    def reply(self, value: Any, decided: int | None, asked: int = 3) -> dict[str, Any]:
        return {**answer(value, None if decided is None else self.names[decided]), "asked": self.told(asked)}

    def told(self, asked: int = 3) -> list[dict[str, Any]]:
        return [{"module": name, "ms": 3} for name in self.names[:asked]]

    def call(self) -> Any:
        return self.calls.rules.begin(self.callback, bind(self.callback, sample(self.callback)))

    def ask(self) -> Any:
        return outcome(ensureDeferred(self.calls.ask(self.call(), [*self.entries])))

    @property
    def counted(self) -> list[Counted]:
        return [of(entry.count) for entry in self.entries]


def of(count: ModuleCount) -> Counted:
    assert count.calls == count.passed + count.refusals + count.errors
    return count.passed, count.refusals, count.errors, sum(count.buckets)


def rig(name: str = "user_may_invite", **options: Any) -> tuple[Rig, Host]:
    host = Host(None)
    return Rig(host, name, **options), host


NOBODY: Counted = (0, 0, 0, 0)
PASSED: Counted = (1, 0, 0, 1)
REFUSED: Counted = (0, 1, 0, 1)


def test_all_modules_that_let_a_call_pass_are_counted() -> None:
    three, host = rig()
    host.outcomes = [three.reply("NOT_SPAM", None)]
    three.ask()
    assert three.counted == [PASSED] * 3
    assert three.entries[0].count.seconds == pytest.approx(0.003)


def test_modules_after_the_one_that_decides_were_not_asked() -> None:
    three, host = rig()
    host.outcomes = [three.reply("M_FORBIDDEN", 1, 2)]
    three.ask()
    assert three.counted == [PASSED, REFUSED, NOBODY]


def test_information_is_no_refusal() -> None:
    three, host = rig("get_displayname_for_registration")
    host.outcomes = [three.reply("Alice", 0, 1)]
    three.ask()
    assert three.counted == [PASSED, NOBODY, NOBODY]


def test_all_modules_that_may_edit_were_asked() -> None:
    three, host = rig("on_create_room")
    call = three.call()
    call.params["request_content"] = {}
    host.outcomes = [three.reply({"name": "x"}, 1)]
    outcome(ensureDeferred(three.calls.ask(call, [*three.entries])))
    assert three.counted == [PASSED, REFUSED, PASSED]


@pytest.mark.parametrize(
    ("code", "more"),
    [
        ("module_fault", {"kind": "threw"}),
        ("synapse_error", {"code": 403, "msg": "no", "errcode": "M_FORBIDDEN", "additional_fields": {}}),
        ("module_unavailable", {"reason": "deadline"}),
    ],
)
def test_the_module_that_fails_is_counted_once(code: str, more: Mapping[str, Any]) -> None:
    three, host = rig()
    data = {"module": three.names[1], "asked": three.told(2), **more}
    host.outcomes = [RpcError(ERROR_CODES[code], "-", data)]
    assert isinstance(three.ask(), SynapseError | ModuleFault)
    assert three.counted == [PASSED, (0, 0, 1, 1), NOBODY]


def test_an_unfit_answer_is_an_error() -> None:
    three, host = rig()
    host.outcomes = [three.reply([1, 2, 3], 1, 2)]
    assert isinstance(three.ask(), ModuleFault)
    assert three.counted == [PASSED, (0, 0, 1, 1), NOBODY]


def test_policy_answers_for_all_where_nobody_is_known_to_have_failed() -> None:
    three, host = rig()
    host.outcomes = [Unavailable(Reason.DOWN)]
    assert isinstance(three.ask(), SynapseError)
    assert three.counted == [(0, 0, 1, 0)] * 3


def test_a_kept_answer_counts_and_takes_no_time() -> None:
    three, host = rig(kept=True)
    host.outcomes = [three.reply("NOT_SPAM", None, 0)]
    three.ask()
    three.ask()
    assert len(host.calls) == 3
    assert three.counted == [(2, 0, 0, 0)] * 3


def test_a_kept_refusal_counts_each_time() -> None:
    three, host = rig(kept=True)
    host.outcomes = [three.reply("M_FORBIDDEN", 0, 1)]
    three.ask()
    three.ask()
    assert three.counted == [(0, 2, 0, 1), NOBODY, NOBODY]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("NOT_SPAM", (1, 0, 0, 0)),
        ("M_FORBIDDEN", (0, 1, 0, 0)),
        (RpcError(ERROR_CODES["module_fault"], "-", {}), (0, 0, 1, 0)),
    ],
)
def test_what_a_shadow_module_would_have_done_is_counted(reply: Any, expected: Counted) -> None:
    three, host = rig(shadow=True)
    decided = None if reply == "NOT_SPAM" else 0
    host.outcomes = [reply if isinstance(reply, Exception) else three.reply(reply, decided, 0)]
    nobody: Any = None
    outcome(ensureDeferred(Delivery(three.calls, nobody).shadow(three.call(), three.entries[:1])))
    assert three.counted == [expected, NOBODY, NOBODY]


def test_the_handler_of_a_notification_that_failed_is_an_error() -> None:
    three, host = rig("on_profile_update")
    told = three.told()
    told[1]["failed"] = True
    host.outcomes = [{**answer(None, None), "asked": told}]
    delivery = Delivery(three.calls, host.until_up_again)
    outcome(ensureDeferred(delivery.notify(Notification(call=three.call(), entries=three.entries))))
    assert three.counted == [PASSED, (0, 0, 1, 1), PASSED]


@pytest.mark.parametrize("asked", [None, 1, "x", {}, {"module": 1}, [1], [[]], [{}], [{"module": "another", "ms": 1}]])
def test_times_of_nobody_are_left_out(asked: Any) -> None:
    three, host = rig()
    host.outcomes = [{**answer("NOT_SPAM", None), "asked": asked}]
    three.ask()
    assert three.counted == [(1, 0, 0, 0)] * 3


@pytest.mark.parametrize("ms", ["1", -1, 1e999, None, [], {}])
def test_a_time_that_is_none_is_left_out(ms: Any) -> None:
    three, host = rig()
    host.outcomes = [{**answer("NOT_SPAM", None), "asked": [{"module": three.names[0], "ms": ms}]}]
    three.ask()
    assert three.counted == [(1, 0, 0, 0)] * 3
    assert three.entries[0].count.seconds == 0


def test_a_host_may_tell_no_times() -> None:
    three, host = rig()
    host.outcomes = [{"answer": "NOT_SPAM", "module": None}]
    three.ask()
    assert three.counted == [(1, 0, 0, 0)] * 3
