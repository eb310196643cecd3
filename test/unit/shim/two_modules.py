"""Two modules on disk that a test edits, and what it does to the real host that runs them."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from outcomes import INVITE, told
from rig import Rig
from synapse.module_api.errors import Codes
from turning import turn_until

TAKEN_OVER = "reload: the changed modules have taken over"
REFUSED = "reload: the modules that run stay as they are"


def policy(callback: str, answer: str, before: str = "", more: str = "") -> str:
    handler = f"async {callback}(params, context) {{ return {answer}; }}"
    return f"{before}\nexport default {{ {more} callbacks: {{ {handler} }} }};"


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
    before = len(said(caplog, "reload: "))
    rig.bridge._reload.requested()
    turn_until(lambda: not rig.bridge._reload._under_way, 30)
    return said(caplog, "reload: ")[before:][-1]


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
