"""What the wish for other modes comes to: which modules run in them, and why others do not."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest
from fake_time import Time
from synapse_module_bridge.supervision import switching as subject
from synapse_module_bridge.supervision.accepted import Accepted
from synapse_module_bridge.supervision.registered import Registered
from synapse_module_bridge.supervision.supervisor import HAS_ENDED, IS_DOWN, STOPS
from synapse_module_bridge.supervision.switching import Switching
from turning import outcome
from twisted.internet.defer import ensureDeferred

BROKEN = "cannot be loaded: no such file: mend it, and reload or restart Synapse"
ALONE = "implements on_legacy_renew: Synapse would ask no other module, so nobody would answer"


def declared(name: str, *callbacks: str) -> dict[str, Any]:
    return {"name": name, "callbacks": {callback: {} for callback in callbacks}, "web_resources": []}


def manifest(names: str, *faults: str) -> dict[str, Any]:
    return {"modules": [declared(name) for name in names], "faults": [{"message": fault} for fault in faults]}


class Host:
    """Replaces itself, or says why it does not."""

    def __init__(self, rig: "Rig") -> None:
        self._rig = rig
        self.is_up = True
        # What the next replacements come to: a reason, or what the new host declares.
        self.answers: list[Any] = []
        # The modes that are wished by the time that the new host is there.
        self.meanwhile: Mapping[str, Any] = {}
        # The modes that it was to run.
        self.told: list[Any] = []

    async def replace(self, refuse: Callable[[Any], str | None], occasion: str, told: Any) -> str | None:
        assert occasion == "restart"
        self.told.append(told["modes"])
        self._rig.time.now += 1.25
        answer = self.answers.pop(0) if self.answers else None
        self._rig.wished = {**self._rig.wished, **self.meanwhile}
        if isinstance(answer, dict):
            answer = refuse(answer)
        if answer is None:
            self._rig.running = told["modes"]
        assert answer is None or isinstance(answer, str)
        return answer


class Rig:
    """Three modules, all of which do nothing but `enforce`."""

    def __init__(self, time: Time) -> None:
        self.time = time
        self.host = Host(self)
        self.accepted, self.registered = Accepted([]), Registered()
        self.accepted.modules = [declared(name, "user_may_invite") for name in "abc"]
        self.registered.are(self.accepted.modules)
        self.running: Mapping[str, Any] = dict.fromkeys("abc", "enforce")
        self.wished: Mapping[str, Any] = self.running
        self.switching = Switching(
            *(cast(Any, self.host), self.accepted, self.registered),
            *(lambda: self.wished, lambda: self.running, lambda modes: {"modes": {**modes}}),
        )

    def switch(self, *answers: Any, running: Mapping[str, Any] | None = None, **wished: Any) -> list[Any]:
        """The modes that the host was to run then, one after the other."""
        if running is not None:
            self.running = {**self.running, **running}
        self.wished = {**self.running, **wished}
        self.host.answers = [*answers]
        self.host.told.clear()
        assert outcome(ensureDeferred(self.switching.switch())) is None
        return self.host.told


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Rig:
    caplog.set_level(logging.INFO)
    time = Time()
    monkeypatch.setattr(subject, "time", time)
    return Rig(time)


def modes(a: str, b: str, c: str) -> dict[str, str]:
    return {"a": a, "b": b, "c": c}


@pytest.mark.parametrize(
    ("wished", "known", "is_due"),
    [
        ({}, "", False),
        ({"a": "enforce"}, "", False),
        ({"a": "off"}, "", True),
        ({"b": "shadow"}, "", True),
        ({"a": "off"}, "a", False),
        ({"a": "off"}, "b", True),
        ({"a": "off", "b": "off"}, "a", True),
        # One that does not run at all.
        ({"d": "enforce"}, "", True),
        ({"d": "enforce"}, "d", False),
    ],
)
def test_it_is_due_where_a_module_runs_in_another_mode_unless_it_is_known_why(
    rig: Rig, wished: dict[str, Any], known: str, is_due: bool
) -> None:
    rig.wished = {**rig.running, **wished}
    rig.switching.problems = dict.fromkeys(known, "it is so")
    assert rig.switching.is_due is is_due


@pytest.mark.parametrize(
    ("mode", "callbacks", "is_broken", "why"),
    [
        ("enforce", ["user_may_invite"], False, None),
        ("shadow", ["user_may_invite"], False, None),
        ("off", ["user_may_invite"], False, None),
        ("enforce", ["user_may_invite"], True, f"a {BROKEN}"),
        ("shadow", ["user_may_invite"], True, f"a {BROKEN}"),
        ("off", ["user_may_invite"], True, None),
        ("enforce", ["on_legacy_renew"], False, None),
        ("shadow", ["on_legacy_renew"], False, f"a {ALONE}"),
        ("off", ["on_legacy_renew"], False, None),
    ],
)
def test_a_module_can_have_a_mode_if_it_loads_and_synapse_would_ask_others_too(
    rig: Rig, mode: Any, callbacks: list[str], is_broken: bool, why: str | None
) -> None:
    rig.accepted.modules = [declared("a", *callbacks), declared("b")]
    rig.registered.are(rig.accepted.modules)
    rig.accepted.broken = {"a" if is_broken else "b": "no such file"}
    assert rig.switching.why_restart_needed("a", mode) == why


@pytest.mark.parametrize("mode", ["enforce", "shadow", "off"])
def test_a_module_needs_a_restart_of_synapse_if_more_would_have_to_be_registered(rig: Rig, mode: Any) -> None:
    rig.accepted.modules = [declared("a", "auth_checkers", "user_may_join_room"), declared("b", "auth_checkers")]
    why, of_another = (rig.switching.why_restart_needed(name, mode) for name in "ab")
    lacking = {"enforce": ["auth_checkers", "user_may_join_room"], "shadow": ["user_may_join_room"], "off": []}[mode]
    assert [name for name in rig.accepted.modules[0]["callbacks"] if name in (why or "")] == lacking
    # A shadow module has no login types.
    assert (of_another is not None) == (mode == "enforce")


def test_a_module_that_does_not_exist_needs_nothing(rig: Rig) -> None:
    rig.accepted.broken = {"z": "no such file"}
    assert rig.switching.why_restart_needed("z", "enforce") is None


def test_the_host_is_replaced_by_one_in_the_modes_that_are_wished(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    assert rig.switch(a="off", b="shadow") == [modes("off", "shadow", "enforce")]
    assert caplog.messages == ["the modules run in their modes after 1.25 s: a off, b shadow, c enforce"]
    assert rig.switching.problems == {} and not rig.switching.may_pass


def test_nothing_happens_while_the_host_is_down_or_nothing_is_due(rig: Rig) -> None:
    rig.host.is_up = False
    assert rig.switch(a="off") == []
    rig.host.is_up = True
    assert rig.switch() == []


def test_a_module_that_cannot_do_more_stays_as_it_is_and_others_change(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.accepted.broken = {"b": "no such file"}
    told = rig.switch(running={"b": "off", "c": "off"}, b="enforce", c="shadow")
    assert told == [modes("enforce", "off", "shadow")]
    assert rig.switching.problems == {"b": f"b {BROKEN}"}
    assert not rig.switching.may_pass
    assert caplog.messages[0] == f"b cannot have the mode enforce: b {BROKEN}"
    # It is said once.
    caplog.clear()
    assert rig.switch(b="enforce", c="enforce") == [modes("enforce", "off", "enforce")]
    assert len(caplog.messages) == 1


def test_a_module_that_cannot_decide_stays_a_shadow_module(rig: Rig) -> None:
    rig.accepted.broken = {"b": "no such file"}
    told = rig.switch(running={"b": "shadow", "c": "off"}, b="enforce", c="enforce")
    assert told == [modes("enforce", "shadow", "enforce")]


def test_a_module_that_cannot_do_less_is_off(rig: Rig) -> None:
    rig.accepted.modules = [declared("a", "on_legacy_renew"), declared("b", "user_may_invite"), declared("c")]
    rig.registered.are(rig.accepted.modules)
    assert rig.switch(a="shadow", b="shadow") == [modes("off", "shadow", "enforce")]
    assert rig.switching.problems == {"a": f"a {ALONE}"}


def test_where_no_module_can_have_its_mode_the_host_stays(rig: Rig) -> None:
    rig.accepted.broken = {"a": "no such file"}
    assert rig.switch(running={"a": "off"}, a="enforce") == []
    assert [*rig.switching.problems] == ["a"]


def test_a_known_problem_is_told_no_second_time_and_is_not_looked_for(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.switching.problems = {"a": "it is so"}
    assert rig.switch(a="shadow", b="off") == [modes("off", "off", "enforce")]
    assert rig.switching.problems == {"a": "it is so"}
    assert len(caplog.messages) == 1


def test_a_module_that_may_stay_as_it_is_has_its_mode_whatever_its_problem_was(rig: Rig) -> None:
    rig.switching.problems = {"a": "it is so"}
    assert rig.switch(b="off") == [modes("enforce", "off", "enforce")]


def test_a_module_that_does_not_run_yet_gets_its_mode_without_more_ado(rig: Rig) -> None:
    rig.accepted.broken = {"d": "no such file"}
    assert rig.switch("it fails", d="enforce") == [{**modes("enforce", "enforce", "enforce"), "d": "enforce"}]
    assert rig.switching.problems == {"d": "it fails"}
    # Also where others change.
    assert rig.switch(a="off", d="enforce") == [{**modes("off", "enforce", "enforce"), "d": "enforce"}]


@pytest.mark.parametrize(
    ("meanwhile", "is_refused"),
    [
        ({}, False),
        ({"a": "shadow"}, True),
        ({"a": "enforce"}, True),
        ({"b": "off"}, False),
        ({"b": "enforce"}, True),
        ({"c": "shadow"}, False),
        ({"a": "enforce", "b": "off"}, True),
        # One that there was not before.
        ({"d": "enforce"}, False),
    ],
)
def test_a_new_host_is_refused_where_a_module_is_to_do_more_since_it_was_started(
    rig: Rig, meanwhile: dict[str, Any], is_refused: bool, caplog: pytest.LogCaptureFixture
) -> None:
    rig.host.meanwhile = meanwhile
    rig.switch(manifest("abc"), a="off", b="shadow")
    assert rig.running == (modes("enforce", "enforce", "enforce") if is_refused else modes("off", "shadow", "enforce"))
    assert rig.switching.problems == {} and not rig.switching.may_pass
    assert len(caplog.messages) == (0 if is_refused else 1)


@pytest.mark.parametrize("reason", [IS_DOWN, HAS_ENDED, STOPS])
def test_what_passes_by_itself_is_no_problem(rig: Rig, reason: str, caplog: pytest.LogCaptureFixture) -> None:
    assert rig.switch(reason, running={"b": "off"}, a="off", b="enforce") == [modes("off", "enforce", "enforce")]
    assert rig.switching.problems == {} and not rig.switching.may_pass
    assert caplog.messages == [] and rig.switching.is_due


def test_modules_that_are_to_do_less_do_not_wait_for_those_that_cannot_do_more(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.running = modes("off", "shadow", "enforce")
    told = rig.switch("its list server is down", a="enforce", b="off", c="enforce")
    assert told == [modes("enforce", "off", "enforce"), modes("off", "off", "enforce")]
    # Nor is it the fault of those that stay as they are.
    assert rig.switching.problems == {"a": "its list server is down"}
    assert caplog.messages[0] == "a cannot have the mode enforce: its list server is down"
    assert rig.switching.may_pass


def test_a_host_that_cannot_do_more_is_not_asked_again_at_once(rig: Rig) -> None:
    rig.running = modes("off", "shadow", "enforce")
    told = rig.switch("it fails", a="shadow", b="enforce")
    assert told == [modes("shadow", "enforce", "enforce")]
    assert rig.switching.problems == {"a": "it fails", "b": "it fails"}
    assert rig.switch(a="shadow", b="enforce") == []


def test_a_host_that_cannot_even_do_less_stays_as_it_is(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.accepted.modules = [declared("a", "on_legacy_renew"), declared("b"), declared("c")]
    rig.registered.are(rig.accepted.modules)
    told = rig.switch("it fails", running={"a": "shadow", "b": "shadow"}, b="off", c="off")
    assert told == [modes("shadow", "off", "off")]
    assert rig.switching.problems == {"b": "it fails", "c": "it fails"}
    assert caplog.messages == ["b, c: asked no more, but not freed, since the module host stays as it is: it fails"]
    assert rig.switching.may_pass
    # Not of those that have a problem of their own.
    rig.switching.problems = {"a": "it is so"}
    caplog.clear()
    rig.switch("it fails again", a="off", b="off")
    assert rig.switching.problems == {"a": "it is so", "b": "it fails again"}
    assert [line.partition(":")[0] for line in caplog.messages] == ["b"]


def test_it_is_tried_again_where_the_reason_may_pass_and_only_there(rig: Rig) -> None:
    rig.accepted.broken = {"c": "no such file"}
    rig.running = modes("off", "shadow", "off")
    rig.switch("it fails", a="shadow")
    rig.switch("it fails, too", a="shadow", b="off", c="shadow")
    assert rig.switching.problems == {"a": "it fails", "b": "it fails, too", "c": f"c {BROKEN}"}
    rig.switching.forget_passing()
    assert (rig.switching.problems, rig.switching.may_pass) == ({"c": f"c {BROKEN}"}, False)
    # Some may be no problem any more.
    rig.switch("it fails", a="shadow")
    assert rig.switching.may_pass
    rig.switching.problems.clear()
    rig.switching.forget_passing()
    assert not rig.switching.may_pass


def test_those_that_fail_one_after_the_other_are_all_tried_again(rig: Rig) -> None:
    rig.running = modes("off", "off", "off")
    rig.switch("it fails", a="shadow")
    rig.switch("it fails", a="shadow", b="shadow")
    rig.switching.forget_passing()
    assert rig.switching.problems == {}


def test_all_is_forgotten_where_somebody_asks_for_it_again(rig: Rig) -> None:
    rig.running = modes("off", "off", "off")
    rig.accepted.broken = {"c": "no such file"}
    rig.switch("it fails", a="shadow", c="shadow")
    rig.switching.forget_problems()
    assert rig.switching.problems == {} and not rig.switching.may_pass


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (manifest("abc"), None),
        # Faults of others are no reason.
        (manifest("a", "b: no such file"), None),
        (manifest("bc"), "a: not loaded"),
        (manifest("bc", "a: setup failed", "a: no list"), "a: setup failed; a: no list"),
        ({"modules": []}, "a: not loaded"),
    ],
)
def test_a_new_host_is_refused_without_the_modules_that_are_to_do_more(
    rig: Rig, answer: dict[str, Any], why: str | None
) -> None:
    rig.switch(answer, running={"a": "off"}, a="enforce")
    assert rig.switching.problems == ({} if why is None else {"a": why})
    assert rig.running["a"] == ("enforce" if why is None else "off")
