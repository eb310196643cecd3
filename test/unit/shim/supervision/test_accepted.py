"""After a death, the real host runs what was accepted last, whatever lies on disk; a reload takes what lies there."""

import logging
import os
import re
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from observed import observed
from outcomes import INVITE, told
from rig import Rig, running_bridge
from synapse.module_api.errors import Codes
from synapse_module_bridge import bridge
from synapse_module_bridge.configuration import module_configs
from synapse_module_bridge.schema.installed import HOST_FOLDER
from synapse_module_bridge.supervision import introduction, on_disk, reload
from turning import turn_until

pytestmark = pytest.mark.usefixtures("log_contexts_are_kept")

TAKEN_OVER = "SIGHUP: the changed modules have taken over"
REFUSED = "SIGHUP: the modules that run stay as they are"


def policy(callback: str, answer: str, before: str = "", more: str = "") -> str:
    handler = f"async {callback}(params, context) {{ return {answer}; }}"
    return f"{before}\nexport default {{ {more} callbacks: {{ {handler} }} }};"


@pytest.fixture(autouse=True)
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def said(caplog: pytest.LogCaptureFixture, words: str) -> list[str]:
    return [record.getMessage() for record in caplog.records if words in record.getMessage()]


def die(rig: Rig, caplog: pytest.LogCaptureFixture) -> str:
    """Kills Node, waits until it is back, and gives the line that says so."""
    before = len(said(caplog, "the module host is back"))
    os.kill(rig.bridge._host._child.pid, signal.SIGKILL)
    turn_until(lambda: len(said(caplog, "the module host is back")) > before, 30)
    return said(caplog, "the module host is back")[-1]


def hup(rig: Rig, caplog: pytest.LogCaptureFixture) -> str:
    """What SIGHUP has come to."""
    before = len(said(caplog, "SIGHUP: "))
    rig.bridge._reload.requested()
    turn_until(lambda: not rig.bridge._reload._under_way, 30)
    return said(caplog, "SIGHUP: ")[before:][-1]


def invite(rig: Rig) -> Any:
    return told(rig.answer("user_may_invite", *INVITE))


def create(rig: Rig) -> Any:
    return told(rig.answer("user_may_create_room", "@alice:test", {}))


UNAVAILABLE = (403, Codes.FORBIDDEN)
DENY = {"user_may_invite": {"on_failure": "deny"}, "user_may_create_room": {"on_failure": "deny"}}


class Two:
    """Two modules in one folder, of which the first imports a helper and a package, and has a config_file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.first, self.helper = folder / "first.ts", folder / "helper.ts"
        self.second, self.config = folder / "second.ts", folder / "config.yaml"
        self.package = folder / "node_modules" / "words" / "index.js"
        self.package.parent.mkdir(parents=True)
        (self.package.parent / "package.json").write_text('{ "name": "words" }')
        self.package.write_text('exports.word = "M_";')
        self.helper.write_text('export enum Kind { Limit = "LIMIT_EXCEEDED", Bad = "BAD_JSON" }')
        self.config.write_text("kind: Limit")
        imports = 'import { word } from "words"; import { Kind } from "./helper.js";'
        self.first.write_text(policy("user_may_invite", "word + Kind[context.config.kind]", imports))
        self.second.write_text(policy("user_may_create_room", '"M_FORBIDDEN"'))

    @property
    def settings(self) -> dict[str, Any]:
        modules = [{"path": str(self.first), "config_file": str(self.config)}, {"path": str(self.second)}]
        return {"modules": modules, "callbacks": DENY}


@pytest.fixture
def two(tmp_path: Path) -> Two:
    return Two(tmp_path)


def half_write(two: Two) -> None:
    two.first.write_text("import { word } from 'wor")


def edit(two: Two) -> None:
    two.first.write_text(policy("user_may_invite", '"NOT_SPAM"'))


def edit_config(two: Two) -> None:
    two.config.write_text("kind: Bad")


def break_config(two: Two) -> None:
    two.config.write_text("kind: [")


def edit_helper(two: Two) -> None:
    two.helper.write_text('export enum Kind { Limit = "BAD_JSON" }')


def edit_package(two: Two) -> None:
    two.package.write_text('exports.word = "X_";')


def lose_package(two: Two) -> None:
    two.package.unlink()


def lose_all(two: Two) -> None:
    for path in (two.first, two.second, two.helper, two.config):
        path.unlink()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (half_write, "first"),
        (edit, "first"),
        (edit_config, "config"),
        (break_config, "config"),
        (edit_helper, "helper"),
        (edit_package, "package"),
        (lose_package, "package"),
        (lose_all, "second"),
    ],
)
def test_a_restart_runs_what_was_accepted_whatever_became_of_its_files(
    two: Two, change: Callable[[Two], None], named: str, caplog: pytest.LogCaptureFixture
) -> None:
    with running_bridge(two.folder, two.settings) as rig:
        change(two)
        line = die(rig, caplog)
        assert (invite(rig), create(rig)) == (Codes.LIMIT_EXCEEDED, Codes.FORBIDDEN)
        assert re.search(r"; it runs what was loaded at \S+ \S+; on disk differs: ", line)
        assert str(getattr(two, named)) in line
    observed(39, "by the modules, as they were", on="real host", tried=f"{change.__name__}, then SIGKILL")


def test_a_restart_says_nothing_of_files_that_are_as_they_were(two: Two, caplog: pytest.LogCaptureFixture) -> None:
    with running_bridge(two.folder, two.settings) as rig:
        assert re.fullmatch(r"the module host is back after \d+\.\d\d s", die(rig, caplog))
        assert (invite(rig), create(rig)) == (Codes.LIMIT_EXCEEDED, Codes.FORBIDDEN)


def test_what_a_reload_refused_does_not_run_after_a_death(two: Two, caplog: pytest.LogCaptureFixture) -> None:
    with running_bridge(two.folder, two.settings) as rig:
        half_write(two)
        assert hup(rig, caplog).startswith(REFUSED)
        die(rig, caplog)
        assert (invite(rig), create(rig)) == (Codes.LIMIT_EXCEEDED, Codes.FORBIDDEN)


def test_what_a_reload_has_taken_runs_after_a_death(two: Two, caplog: pytest.LogCaptureFixture) -> None:
    with running_bridge(two.folder, two.settings) as rig:
        edit_config(two)
        assert hup(rig, caplog).endswith("s: first")
        assert invite(rig) is Codes.BAD_JSON
        lose_all(two)
        die(rig, caplog)
        assert (invite(rig), create(rig)) == (Codes.BAD_JSON, Codes.FORBIDDEN)
        # A host that was itself started from what was kept.
        die(rig, caplog)
        assert (invite(rig), create(rig)) == (Codes.BAD_JSON, Codes.FORBIDDEN)


@pytest.mark.parametrize(
    ("change", "names"),
    [(edit, "first"), (edit_config, "first"), (edit_helper, "first"), (edit_package, "first")],
)
def test_a_reload_takes_every_change_and_names_its_module(
    two: Two, change: Callable[[Two], None], names: str, caplog: pytest.LogCaptureFixture
) -> None:
    with running_bridge(two.folder, two.settings) as rig:
        assert hup(rig, caplog) == "SIGHUP: no file of a module has changed"
        change(two)
        assert re.fullmatch(rf"{TAKEN_OVER} after \S+ s: {names}", hup(rig, caplog))
        assert hup(rig, caplog) == "SIGHUP: no file of a module has changed"


@pytest.mark.parametrize("isolated", [False, True])
def test_a_reload_reads_no_file_while_calls_wait(
    two: Two, isolated: bool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers: set[bool] = set()

    def noting(read: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*args: Any) -> Any:
            readers.add(threading.current_thread() is threading.main_thread())
            return read(*args)

        return noted

    with running_bridge(two.folder, two.settings) as rig:
        if isolated:
            # As after two ends of Node.
            rig.bridge._blame.culprits._isolated.add("first")
        for owner, name in ((module_configs, "_content"), (module_configs, "_value"), (on_disk, "_signs")):
            monkeypatch.setattr(owner, name, noting(getattr(owner, name)))
        edit_config(two)
        assert hup(rig, caplog).startswith(TAKEN_OVER)
        assert readers == {False}
        assert invite(rig) is Codes.BAD_JSON


def test_an_emptied_module_can_be_filled_again(two: Two, caplog: pytest.LogCaptureFixture) -> None:
    text = two.first.read_text()
    with running_bridge(two.folder, two.settings) as rig:
        two.first.write_text("export default { callbacks: {} };")
        assert hup(rig, caplog).startswith(TAKEN_OVER)
        two.first.write_text(text)
        assert hup(rig, caplog).startswith(TAKEN_OVER)
        assert invite(rig) is Codes.LIMIT_EXCEEDED


def test_a_module_that_cannot_be_loaded_again_is_the_only_one_that_policy_answers_for_until_it_can(
    two: Two, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reload, "FIRST_PAUSE_SECONDS", 0.5)
    data = two.folder / "words.txt"
    data.write_text("M_LIMIT_EXCEEDED")
    reads = f'import {{ readFileSync }} from "node:fs"; const word = readFileSync({str(data)!r}, "utf8");'
    two.first.write_text(policy("user_may_invite", "word", reads))
    with running_bridge(two.folder, two.settings) as rig:
        assert said(caplog, "first: a restart of Node takes from disk: files that it reads")
        assert invite(rig) is Codes.LIMIT_EXCEEDED
        data.rename(two.folder / "away")
        die(rig, caplog)
        assert (invite(rig), create(rig)) == (UNAVAILABLE, Codes.FORBIDDEN)
        [line] = said(caplog, "first cannot be loaded again: policy answers for it until it can be: ")
        assert "words.txt" in line
        (two.folder / "away").rename(data)
        turn_until(lambda: said(caplog, "first could be loaded again"), 30)
        assert (invite(rig), create(rig)) == (Codes.LIMIT_EXCEEDED, Codes.FORBIDDEN)
    observed(
        3, "policy for that module alone, then by the module", on="real host", tried="a file that it reads is gone"
    )


def test_a_module_that_is_missing_again_after_it_was_back_is_not_waited_for_longer(
    two: Two, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reload, "FIRST_PAUSE_SECONDS", 0.5)
    data = two.folder / "words.txt"
    data.write_text("")
    reads = f'import {{ statSync }} from "node:fs"; statSync({str(data)!r});'
    two.first.write_text(policy("user_may_invite", '"M_FORBIDDEN"', reads))
    with running_bridge(two.folder, two.settings) as rig:
        pauses: list[float] = []
        clock = rig.bridge._reload._clock

        def call_later(seconds: float, *more: Any) -> Any:
            pauses.append(seconds)
            return clock.callLater(seconds, *more)

        monkeypatch.setattr(rig.bridge._reload, "_clock", SimpleNamespace(callLater=call_later))
        for _ in range(2):
            data.unlink()
            die(rig, caplog)
            # Tried in vain once.
            turn_until(lambda: len(pauses) == 2, 30)
            data.write_text("")
            turn_until(lambda: said(caplog, "first could be loaded again"), 30)
            assert pauses == [0.5, 1.0]
            pauses.clear()
            caplog.clear()


def test_modules_in_threads_come_back_as_they_were(two: Two, caplog: pytest.LogCaptureFixture) -> None:
    settings = two.settings
    settings["modules"][0]["isolated"] = True
    ends = 'if (params.invitee === "@exit:test") process.exit(3);'
    text = two.first.read_text().replace("return", f"{ends} return")
    two.first.write_text(text)
    with running_bridge(two.folder, settings) as rig:
        lose_all(two)
        assert told(rig.answer("user_may_invite", "@mallory:test", "@exit:test", "!room:test")) == UNAVAILABLE
        turn_until(lambda: said(caplog, "the thread of first is back"), 30)
        assert invite(rig) is Codes.LIMIT_EXCEEDED
        die(rig, caplog)
        assert (invite(rig), create(rig)) == (Codes.LIMIT_EXCEEDED, Codes.FORBIDDEN)


def test_an_upgrade_of_the_bridge_under_a_synapse_that_runs_changes_nothing_of_what_runs(
    two: Two, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = two.folder / "_host"
    shutil.copytree(HOST_FOLDER, installed)
    monkeypatch.setattr(bridge, "HOST_FOLDER", installed)
    settings = two.settings
    settings["modules"][0]["isolated"] = True
    ends = 'if (params.invitee === "@exit:test") process.exit(3);'
    two.first.write_text(two.first.read_text().replace("return", f"{ends} return"))
    with running_bridge(two.folder, settings) as rig:
        # Another version is there, and half of it.
        monkeypatch.setattr(introduction, "version", lambda _: "99.0")
        (installed / "cli.mjs").write_text("import '")
        rig.answer("user_may_invite", "@mallory:test", "@exit:test", "!room:test")
        # Threads begin with files of the host, too.
        turn_until(lambda: invite(rig) is Codes.LIMIT_EXCEEDED, 30)
        assert said(caplog, "the host's files are not any more what Synapse was started with")
        shutil.rmtree(installed)
        die(rig, caplog)
        assert (invite(rig), create(rig)) == (Codes.LIMIT_EXCEEDED, Codes.FORBIDDEN)
    observed(39, "by the modules", on="real host", tried="an upgrade of the bridge, the end of a thread, SIGKILL")


def test_sighup_while_a_reload_is_under_way_or_node_is_down_is_remembered_and_said(
    two: Two, caplog: pytest.LogCaptureFixture
) -> None:
    with running_bridge(two.folder, two.settings) as rig:
        edit_config(two)
        rig.bridge._reload.requested()
        turn_until(lambda: len(rig.bridge._host._running) > 1, 30)
        two.config.write_text("kind: Limit")
        rig.bridge._reload.requested()
        rig.bridge._reload.requested()
        assert len(said(caplog, "SIGHUP: a reload is under way; another follows")) == 1
        turn_until(lambda: len(said(caplog, TAKEN_OVER)) == 2, 30)
        assert invite(rig) is Codes.LIMIT_EXCEEDED
        edit_config(two)
        os.kill(rig.bridge._host._child.pid, signal.SIGKILL)
        turn_until(lambda: not rig.bridge._host.is_up)
        rig.bridge._reload.requested()
        assert said(caplog, "SIGHUP: the module host is down; a reload follows once it is back")
        turn_until(lambda: len(said(caplog, TAKEN_OVER)) == 3, 30)
        assert invite(rig) is Codes.BAD_JSON


def test_a_reload_that_is_not_loaded_in_time_names_the_module(two: Two, caplog: pytest.LogCaptureFixture) -> None:
    with running_bridge(two.folder, two.settings) as rig:
        rig.bridge._host._start_timeout = 4
        two.first.write_text("await new Promise((resolve) => setTimeout(resolve, 60_000)); export default {};")
        line = hup(rig, caplog)
        assert line.startswith(REFUSED) and f"{two.first}: was not loaded within 4 s" in line
        assert invite(rig) is Codes.LIMIT_EXCEEDED


def test_a_reload_whose_setup_fails_names_the_module(two: Two, caplog: pytest.LogCaptureFixture) -> None:
    with running_bridge(two.folder, two.settings) as rig:
        two.second.write_text(policy("user_may_create_room", "0", more='setup() { throw new Error("no list"); },'))
        assert hup(rig, caplog).endswith("second: setup failed: Error: no list")
        assert create(rig) is Codes.FORBIDDEN


def test_a_change_of_homeserver_yaml_is_said_to_need_a_restart(
    two: Two, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_bridge(two.folder, two.settings) as rig:
        monkeypatch.setattr(rig.bridge._reload, "_yaml_has_changed", lambda: True)
        assert hup(rig, caplog) == "SIGHUP: no file of a module has changed"
        assert len(said(caplog, "homeserver.yaml has changed: it is read when Synapse starts, and not before")) == 1

        def broken() -> bool:
            raise ValueError("a fault of ours")

        monkeypatch.setattr(rig.bridge._reload, "_yaml_has_changed", broken)
        edit_config(two)
        assert hup(rig, caplog).startswith(TAKEN_OVER)


def test_a_reload_that_fails_in_the_bridge_is_not_the_last(
    two: Two, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: Any) -> Any:
        raise RecursionError("a fault of ours")

    with running_bridge(two.folder, two.settings) as rig:
        monkeypatch.setattr(rig.bridge._host, "replace", fails)
        edit_config(two)
        rig.bridge._reload.requested()
        turn_until(lambda: not rig.bridge._reload._under_way)
        monkeypatch.undo()
        caplog.set_level(logging.INFO)
        assert hup(rig, caplog).startswith(TAKEN_OVER)
