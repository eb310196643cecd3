"""Modules are switched off and on while the real host runs: who is asked, what is freed, and what prevents that."""

import os
import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from database_api import DatabaseApi
from outcomes import INVITE, told
from rig import Rig, children, running_bridge
from synapse.module_api import NOT_SPAM
from synapse.module_api.errors import Codes
from synapse_module_bridge.bridge import CLOCK
from synapse_module_bridge.shared.deployment import Deployment
from turning import reactor, settled, turn_until
from twisted.internet.defer import ensureDeferred
from two_modules import create, invite, said

pytestmark = pytest.mark.usefixtures("everything_is_logged", "log_contexts_are_kept")

ADMIN = "@admin:test"


class Switched:
    """Two modules, of which the first one tells by files what happens to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.first, self.second = folder / "first.ts", folder / "second.ts"
        self.write()
        self.second.write_text("export default { callbacks: { user_may_create_room: () => 'M_FORBIDDEN' } };")
        self.deployment: Deployment
        self.rig: Rig

    def write(self, answer: str = "M_LIMIT_EXCEEDED", more: str = "", before: str = "") -> None:
        note = 'const note = (name) => appendFileSync(new URL(name, import.meta.url), "x");'
        self.first.write_text(
            f'import {{ appendFileSync, existsSync }} from "node:fs"; {note} {before} export default {{'
            f'setup() {{ {more} note("set-up"); }}, close() {{ note("closed"); }},'
            f'callbacks: {{ user_may_invite: () => "{answer}" }},'
            'web_resources: { "/_synapse/client/first": () => ({}) } };'
        )

    def times(self, name: str) -> int:
        path = self.folder / name
        return len(path.read_text()) if path.exists() else 0

    @contextmanager
    def running(self, **of_first: Any) -> Iterator["Switched"]:
        api: Any
        api = DatabaseApi(sqlite3.connect(":memory:", check_same_thread=False))
        self.deployment = Deployment(api, CLOCK)
        modules = [{"path": str(self.first), **of_first}, {"path": str(self.second)}]
        turn_until(lambda: True)
        try:
            with running_bridge(self.folder, {"modules": modules}, self.deployment) as self.rig:
                self.deployment.begin(reactor)
                yield self
        finally:
            self.deployment.stop()

    def set(self, mode: str, **more: Any) -> None:
        """Returns at once, before the host is replaced."""
        wanted: Any = mode
        settled(ensureDeferred(self.deployment.modes.set("first", wanted, by=ADMIN, **more)))

    def until_quiet(self) -> None:
        bridge = self.rig.bridge
        turn_until(lambda: not bridge._reload._under_way, 30)

    def until_runs(self, mode: str) -> None:
        turn_until(lambda: self.rig.bridge.modes.in_force.running["first"] == mode, 30)
        self.until_quiet()

    def web(self) -> int:
        status: int = settled(self.rig.visit("/_synapse/client/first", "1.2.3.4")[0])
        return status


@pytest.fixture
def switched(tmp_path: Path) -> Switched:
    return Switched(tmp_path)


def test_off_holds_at_once_and_then_frees_the_module(switched: Switched, caplog: pytest.LogCaptureFixture) -> None:
    with switched.running(isolated=True):
        rig = switched.rig
        assert (invite(rig), switched.web()) == (Codes.LIMIT_EXCEEDED, 200)
        before = rig.bridge._host._child
        switched.set("off", note="it refuses everybody")
        assert rig.bridge._host._child is before
        assert (invite(rig), switched.web(), create(rig)) == (NOT_SPAM, 404, Codes.FORBIDDEN)
        switched.until_runs("off")
        assert rig.bridge._host._child is not before
        turn_until(lambda: switched.times("closed") == 1)
        # Its thread is not there any more.
        pulses: list[Any] = []
        rig.bridge.pulse = pulses.append
        turn_until(lambda: pulses)
        assert pulses[0]["threads"] == []
        assert (invite(rig), switched.web(), create(rig)) == (NOT_SPAM, 404, Codes.FORBIDDEN)
        [line] = said(caplog, "first: its mode is off, as @admin:test has set at")
        assert "it refuses everybody" in line


def test_on_again_runs_the_code_that_was_loaded_last(switched: Switched) -> None:
    with switched.running():
        switched.set("off")
        switched.until_runs("off")
        switched.write("M_BAD_JSON")
        switched.set("enforce")
        switched.until_runs("enforce")
        assert (invite(switched.rig), switched.web()) == (Codes.LIMIT_EXCEEDED, 200)
        assert switched.times("set-up") == 2


def test_what_starts_off_is_known_and_not_set_up_and_can_be_mended_meanwhile(switched: Switched) -> None:
    with switched.running(mode="off"):
        rig = switched.rig
        assert (invite(rig), switched.web(), switched.times("set-up")) == (NOT_SPAM, 404, 0)
        switched.write("M_BAD_JSON")
        assert settled(ensureDeferred(rig.bridge._reload.reload()), 30) == {"outcome": "reloaded", "changed": ["first"]}
        assert (invite(rig), switched.times("set-up")) == (NOT_SPAM, 0)
        switched.set("enforce")
        switched.until_runs("enforce")
        assert (invite(rig), switched.web(), switched.times("set-up")) == (Codes.BAD_JSON, 200, 1)
        settled(ensureDeferred(switched.deployment.modes.reset("first", by=ADMIN)))
        assert invite(rig) is NOT_SPAM


@pytest.mark.parametrize(
    "text",
    ["export default {", "throw new Error('x')", "process.exit(3)", "while (true);", "await new Promise(() => {})"],
)
def test_a_broken_module_that_is_off_does_not_stop_the_start(
    switched: Switched, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    switched.first.write_text(text)
    with switched.running(mode="off"):
        rig = switched.rig
        [line] = said(caplog, "first is off, and could not be switched on:")
        assert str(switched.first) in line
        assert create(rig) is Codes.FORBIDDEN
        switched.set("enforce")
        switched.until_quiet()
        assert rig.bridge.modes.mode_of("first") == "off"
        assert "first cannot be loaded" in rig.bridge.modes.problem_of("first")
        switched.write()
        assert settled(ensureDeferred(rig.bridge._reload.reload()), 30)["outcome"] == "reloaded"
        # Its callbacks are not registered.
        assert "restart Synapse" in rig.bridge.modes.why_restart_needed("first", "enforce")
        assert create(rig) is Codes.FORBIDDEN


def test_a_module_that_cannot_be_set_up_stays_off_until_it_can(
    switched: Switched, caplog: pytest.LogCaptureFixture
) -> None:
    switched.write(more='if (!existsSync(new URL("list", import.meta.url))) throw new Error("no list");')
    with switched.running(mode="off"):
        rig = switched.rig
        switched.set("enforce")
        turn_until(lambda: rig.bridge.modes.problem_of("first") is not None, 30)
        assert "no list" in rig.bridge.modes.problem_of("first")
        assert (invite(rig), rig.bridge.modes.mode_of("first")) == (NOT_SPAM, "off")
        assert said(caplog, "first cannot have the mode enforce: first: setup failed: Error: no list")
        (switched.folder / "list").touch()
        switched.until_runs("enforce")
        assert (invite(rig), rig.bridge.modes.problem_of("first")) == (Codes.LIMIT_EXCEEDED, None)


def test_the_last_of_many_wishes_wins_and_replacements_do_not_pile_up(switched: Switched) -> None:
    with switched.running():
        most = 0
        for number in range(20):
            switched.set(("off", "shadow", "enforce")[number % 3])
            most = max(most, len(children()))
        switched.set("shadow")
        turn_until(lambda: switched.rig.bridge.modes.in_force.running["first"] == "shadow", 30)
        switched.until_quiet()
        assert switched.rig.bridge.modes.mode_of("first") == "shadow"
        assert most <= 4
        assert invite(switched.rig) is NOT_SPAM


@pytest.mark.parametrize("by", ["a switch", "a reload", "a reload that looks at the files"])
def test_on_again_holds_although_a_host_without_the_module_was_starting(
    switched: Switched, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with switched.running():
        rig = switched.rig
        if by == "a reload":
            # The second reload begins with the module off, and ends with it on.
            switched.write(before="/* first */")
            rig.bridge._reload.requested()
            rig.bridge._reload.requested()
            turn_until(lambda: is_starting(rig, "enforce"))
            switched.set("off")
            turn_until(lambda: switched.times("set-up") == 2)
            switched.write(before="/* second */")
        elif by == "a switch":
            switched.set("off")
        else:
            look, looks = rig.bridge._reload._look, threading.Event()
            monkeypatch.setattr(rig.bridge._reload, "_look", lambda: (looks.wait(8), look())[1])
            switched.write(before="/* changed */")
            rig.bridge._reload.requested()
            switched.set("off")
            looks.set()
        assert invite(rig) is NOT_SPAM
        turn_until(lambda: is_starting(rig, "off"), 30)
        switched.set("enforce")
        while rig.bridge._reload._under_way:
            assert invite(rig) is Codes.LIMIT_EXCEEDED
        assert invite(rig) is Codes.LIMIT_EXCEEDED
        assert rig.bridge.modes.mode_of("first") == "enforce"


def is_starting(rig: Rig, mode: str) -> bool:
    """Whether a host is starting that runs the first module in this mode."""
    host = rig.bridge._host
    return any(child is not host._child and child.told["modules"][0]["mode"] == mode for child in host._running)


@pytest.mark.parametrize("by", ["a switch", "a reload"])
@pytest.mark.parametrize("moment", ["starts", "has taken over"])
def test_a_stop_of_synapse_meanwhile_is_no_error(
    switched: Switched, by: str, moment: str, caplog: pytest.LogCaptureFixture
) -> None:
    with switched.running():
        rig = switched.rig
        host, mode = rig.bridge._host, "off" if by == "a switch" else "enforce"
        before = host._child
        if by == "a switch":
            switched.set(mode)
        else:
            switched.write(before="/* changed */")
            rig.bridge._reload.requested()
        turn_until(lambda: is_starting(rig, mode) if moment == "starts" else host._child is not before, 30)
        settled(host.stop())
        turn_until(lambda: not rig.bridge._reload._under_way, 30)
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


def test_off_holds_while_node_is_down_and_the_next_one_is_without_the_module(switched: Switched) -> None:
    with switched.running():
        rig = switched.rig
        turn_until(lambda: switched.times("set-up") == 1)
        os.kill(rig.bridge._host._child.pid, signal.SIGKILL)
        turn_until(lambda: not rig.bridge._host.is_up)
        waiting = rig.ask("user_may_invite", *INVITE)
        switched.set("off")
        assert invite(rig) is NOT_SPAM
        turn_until(lambda: rig.bridge._host.is_up, 30)
        assert told(settled(waiting)) is NOT_SPAM
        assert rig.bridge.modes.in_force.running["first"] == "off"
        assert switched.times("set-up") == 1
        switched.set("enforce")
        switched.until_runs("enforce")
        assert invite(rig) is Codes.LIMIT_EXCEEDED


def test_an_end_of_node_never_lets_a_module_do_more(switched: Switched) -> None:
    switched.write(more='throw new Error("never");')
    with switched.running(mode="off"):
        rig = switched.rig
        switched.set("enforce")
        turn_until(lambda: rig.bridge.modes.problem_of("first") is not None, 30)
        switched.until_quiet()
        os.kill(rig.bridge._host._child.pid, signal.SIGKILL)
        turn_until(lambda: not rig.bridge._host.is_up)
        turn_until(lambda: rig.bridge._host.is_up, 30)
        assert (rig.bridge.modes.in_force.running["first"], invite(rig)) == ("off", NOT_SPAM)


@pytest.mark.parametrize("until", [None, 1])
def test_a_mode_that_ends_by_itself_lets_the_module_decide_again(switched: Switched, until: Any) -> None:
    with switched.running():
        now = int(switched.deployment.modes._now() * 1000)
        switched.set("off", until=None if until is None else now + 1_000)
        assert invite(switched.rig) is NOT_SPAM
        if until is not None:
            turn_until(lambda: invite(switched.rig) is Codes.LIMIT_EXCEEDED, 30)


LOGIN = (
    "export default { callbacks: { user_may_invite: () => 'M_FORBIDDEN', auth_checkers: [{ "
    "login_type: 'm.login.password', fields: ['password'], handler: () => null }] } };"
)
ALONE = "export default { callbacks: { on_legacy_renew: () => [true, false, 0] } };"


@pytest.mark.parametrize(
    ("text", "start", "mode", "why"),
    [
        (LOGIN, "shadow", "enforce", "first has the new callback auth_checkers: restart Synapse to add it"),
        (LOGIN, "off", "enforce", "first has the new callback auth_checkers: restart Synapse to add it"),
        (LOGIN, "off", "shadow", None),
        (LOGIN, "enforce", "off", None),
        (ALONE, "enforce", "shadow", "first implements on_legacy_renew: Synapse would ask no other module"),
        (ALONE, "off", "enforce", None),
    ],
)
def test_what_synapse_takes_only_at_its_start_is_known(
    switched: Switched, text: str, start: str, mode: Any, why: str | None
) -> None:
    switched.first.write_text(text)
    with switched.running(mode=start):
        found = switched.rig.bridge.modes.why_restart_needed("first", mode)
        assert found is None if why is None else found.startswith(why)
        # The command knows nothing of that.
        switched.set(mode)
        switched.until_quiet()
        stays = "off" if mode == "shadow" else start
        turn_until(lambda: switched.rig.bridge.modes.mode_of("first") == (stays if why else mode), 30)
        assert (switched.rig.bridge.modes.problem_of("first") is None) == (why is None)


def test_a_failing_module_does_not_keep_another_from_being_freed(switched: Switched) -> None:
    with switched.running():
        rig = switched.rig
        switched.second.write_text(
            "import { existsSync } from 'node:fs'; export default { setup() { if (!existsSync(new URL('list', "
            "import.meta.url))) throw new Error('no list'); }, "
            "callbacks: { user_may_create_room: () => 'M_FORBIDDEN' } };"
        )
        assert settled(ensureDeferred(rig.bridge._reload.reload()), 30)["outcome"] == "failed"
        (switched.folder / "list").touch()
        assert settled(ensureDeferred(rig.bridge._reload.reload()), 30)["outcome"] == "reloaded"
        (switched.folder / "list").unlink()
        switched.set("off")
        assert invite(rig) is NOT_SPAM
        turn_until(lambda: rig.bridge.modes.problem_of("first") is not None, 30)
        (switched.folder / "list").touch()
        switched.until_runs("off")
        assert rig.bridge.modes.problem_of("first") is None


def test_calls_wait_for_the_first_reading(switched: Switched) -> None:
    with switched.running():
        rig = switched.rig
        switched.set("off")
        modes = switched.deployment.modes
        modes.is_known = False
        rig.bridge.modes.changed()
        waiting = rig.ask("user_may_invite", *INVITE)
        assert not waiting.called
        # The next look at the database.
        assert settled(waiting) is NOT_SPAM
