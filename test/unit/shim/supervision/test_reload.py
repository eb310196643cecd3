"""What a reload takes, with the real host, and what it cannot add without a restart of Synapse."""

import logging
import os
import re
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest
from rig import running_bridge
from synapse.module_api.errors import Codes
from synapse_module_bridge.configuration import module_configs
from synapse_module_bridge.supervision import on_disk
from synapse_module_bridge.supervision.registered import needs_restart
from turning import turn_until
from two_modules import (
    REFUSED,
    TAKEN_OVER,
    Two,
    create,
    edit,
    edit_config,
    edit_helper,
    edit_package,
    hup,
    invite,
    policy,
    said,
)

pytestmark = pytest.mark.usefixtures("everything_is_logged", "log_contexts_are_kept")


@pytest.mark.parametrize(
    ("change", "names"),
    [(edit, "first"), (edit_config, "first"), (edit_helper, "first"), (edit_package, "first")],
)
def test_a_reload_takes_every_change_and_names_its_module(
    two: Two, change: Callable[[Two], None], names: str, caplog: pytest.LogCaptureFixture
) -> None:
    with running_bridge(two.folder, two.settings) as rig:
        assert hup(rig, caplog) == "reload: no file of a module has changed"
        change(two)
        assert re.fullmatch(rf"{TAKEN_OVER} after \S+ s: {names}", hup(rig, caplog))
        assert hup(rig, caplog) == "reload: no file of a module has changed"


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
        assert len(said(caplog, "reload: one is under way; another follows")) == 1
        turn_until(lambda: len(said(caplog, TAKEN_OVER)) == 2, 30)
        assert invite(rig) is Codes.LIMIT_EXCEEDED
        edit_config(two)
        os.kill(rig.bridge._host._child.pid, signal.SIGKILL)
        turn_until(lambda: not rig.bridge._host.is_up)
        rig.bridge._reload.requested()
        assert said(caplog, "reload: the module host is down; the reload follows once it is back")
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
        assert hup(rig, caplog) == "reload: no file of a module has changed"
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


def declared(**modules: tuple[list[str], list[str]]) -> list[dict[str, Any]]:
    return [
        {"name": name, "callbacks": {callback: {} for callback in callbacks}, "web_resources": paths}
        for name, (callbacks, paths) in modules.items()
    ]


PRESENCE = ["get_users_for_states", "get_interested_users"]
OLD = declared(m=(["user_may_invite", *PRESENCE], ["/a"]), n=(["on_new_event"], []))


def test_only_a_restart_adds_what_is_registered_for_each_module() -> None:
    def logins(*checkers: tuple[str, list[str]]) -> Any:
        listed = [{"login_type": login_type, "fields": fields} for login_type, fields in checkers]
        return [{"name": "m", "callbacks": {"auth_checkers": {"checkers": listed}}, "web_resources": []}]

    old = logins(("m.login.password", ["password"]), ("org.example.token", ["a"]))
    assert needs_restart(old, logins(("org.example.token", ["a"]))) is None
    said = needs_restart(old, logins(("org.example.token", ["a", "b"])))
    assert said == "m has the new login type org.example.token by a and b: restart Synapse to add it"
    one = declared(m=(["check_3pid_auth"], []), n=([], []))
    other = needs_restart(one, declared(m=([], []), n=(["check_3pid_auth"], [])))
    assert other == "n has the new callback check_3pid_auth: restart Synapse to add it"


@pytest.mark.parametrize(
    ("new", "words"),
    [
        (OLD, None),
        (declared(m=([], []), n=([], [])), None),
        # Another module's callback is registered already.
        (declared(m=(["on_new_event"], []), n=([], [])), None),
        (declared(m=(["check_event_allowed"], ["/a"]), n=([], [])), "m has the new callback check_event_allowed"),
        # Each module that has it is registered by itself.
        (declared(m=([], []), n=(PRESENCE, [])), "n has the new callback get_users_for_states; n has the new callback"),
        (declared(m=([], ["/a", "/b"]), n=([], [])), "m has the new web resource /b"),
        # A path belongs to the module that had it.
        (declared(m=([], []), n=([], ["/a"])), "n has the new web resource /a"),
    ],
)
def test_only_a_restart_adds_callbacks_and_web_resources(new: Any, words: str | None) -> None:
    said = needs_restart(OLD, new)
    assert said is None if words is None else said is not None and words in said and "restart Synapse" in said
