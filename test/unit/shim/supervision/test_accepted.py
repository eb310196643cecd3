"""After a death, the real host runs what was accepted last, whatever lies on disk."""

import json
import re
import shutil
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from observed import observed
from outcomes import told
from rig import running_bridge
from synapse.module_api.errors import Codes
from synapse_module_bridge.schema.installed import HOST_FOLDER
from synapse_module_bridge.schema.startup_problems import StartupProblem
from synapse_module_bridge.supervision import first_process, launch, reload
from turning import turn_until
from two_modules import (
    REFUSED,
    UNAVAILABLE,
    Two,
    break_config,
    create,
    die,
    edit,
    edit_config,
    edit_helper,
    edit_package,
    half_write,
    hup,
    invite,
    lose_all,
    lose_package,
    policy,
    said,
)

pytestmark = pytest.mark.usefixtures("everything_is_logged", "log_contexts_are_kept")


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
    monkeypatch.setattr(first_process, "HOST_FOLDER", installed)
    settings = two.settings
    settings["modules"][0]["isolated"] = True
    ends = 'if (params.invitee === "@exit:test") process.exit(3);'
    two.first.write_text(two.first.read_text().replace("return", f"{ends} return"))
    with running_bridge(two.folder, settings) as rig:
        # Another version is there, and half of it.
        monkeypatch.setattr(launch, "version", lambda _: "99.0")
        (installed / "cli.mjs").write_text("import '")
        rig.answer("user_may_invite", "@mallory:test", "@exit:test", "!room:test")
        # Threads begin with files of the host, too.
        turn_until(lambda: invite(rig) is Codes.LIMIT_EXCEEDED, 30)
        assert said(caplog, "the host's files are not any more what Synapse was started with")
        shutil.rmtree(installed)
        die(rig, caplog)
        assert (invite(rig), create(rig)) == (Codes.LIMIT_EXCEEDED, Codes.FORBIDDEN)
    observed(39, "by the modules", on="real host", tried="an upgrade of the bridge, the end of a thread, SIGKILL")


def test_an_upgrade_of_the_bridge_while_synapse_starts_runs_no_host_of_another_version(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = two.folder / "_host"
    shutil.copytree(HOST_FOLDER, installed)
    package = json.loads((installed / "package.json").read_text())
    (installed / "package.json").write_text(json.dumps({**package, "version": "99.0"}))
    monkeypatch.setattr(first_process, "HOST_FOLDER", installed)
    monkeypatch.setattr(launch, "version", lambda _: "99.0")
    with (
        pytest.raises(StartupProblem, match="has started a host of another version"),
        running_bridge(two.folder, two.settings),
    ):
        pass
