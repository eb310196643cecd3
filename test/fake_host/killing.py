"""A module that content can end, and those who are asked about with it: for the tests of who is blamed."""

import itertools
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from objects import event
from outcomes import config, depths
from rig import Rig, running
from synapse.module_api.errors import Codes
from turning import turn_until
from twisted.internet.defer import Deferred

DENIED = (403, Codes.FORBIDDEN)
MALLORY = "@mallory:test"


@contextmanager
def killer(folder: Path, policy: str = "allow", seconds: float = 8) -> Iterator[Rig]:
    with running(folder, "killer", config(policy, seconds)) as rig:
        yield rig


@contextmanager
def killer_with_web_resources(folder: Path, *paths: str) -> Iterator[Rig]:
    """As its `serve_web` has them."""
    with running(folder, "killer", config("allow", 8), paths) as rig:
        yield rig


def says(sender: str, body: str, room: str = "!room:test", **fields: Any) -> Any:
    return event(depth=next(depths), sender=sender, room_id=room, content={"body": body}, **fields)


def ask(rig: Rig, sender: str, body: str = "hello") -> "Deferred[Any]":
    return rig.ask("check_event_for_spam", says(sender, body))


def asked(rig: Rig) -> list[Any]:
    """What the host was asked, in order."""
    return [json.loads(line) for line in (rig.folder / "asked").read_text().splitlines()]


def set_aside(rig: Rig) -> set[str]:
    return {held.whose[1] for held in rig.bridge._round_trip.quarantine.listed()}


def until_settled(rig: Rig) -> None:
    turn_until(lambda: not rig.bridge._round_trip.settling.busy, 20)


@contextmanager
def all_at_once(rig: Rig) -> Iterator[None]:
    """What is asked within is with the host, or in its pipe, before it looks at any of it."""
    os.kill(rig.pid(), signal.SIGSTOP)
    yield
    turns = itertools.count()
    turn_until(lambda: next(turns) == 3)
    os.kill(rig.pid(), signal.SIGCONT)


def bystanders(rig: Rig, number: int = 10) -> list["Deferred[Any]"]:
    return [ask(rig, f"@user{number}:test") for number in range(number)]


def bystanders_at_an_end(rig: Rig) -> list["Deferred[Any]"]:
    """All in flight when somebody else ends Node."""
    os.kill(rig.pid(), signal.SIGSTOP)
    others = bystanders(rig)
    turn_until(lambda: rig.bridge._host._child.writer.unsent_bytes == 0)
    os.kill(rig.pid(), signal.SIGKILL)
    return others
