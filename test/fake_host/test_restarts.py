"""After any death of the host there is a next attempt, whatever fails on the way; the real bridge over a fake host."""

import errno
import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from observed import observed
from outcomes import GOOD, INVITE, config, recovers, told
from rig import Rig, children, running
from synapse.module_api.errors import Codes
from synapse_module_bridge.process import child
from synapse_module_bridge.process.logs import LogRelay
from synapse_module_bridge.process.reaping import when_exited
from synapse_module_bridge.reactor import steady_clock
from synapse_module_bridge.supervision import supervisor
from synapse_module_bridge.transport.rpc import Rpc
from turning import reactor, turn_until
from twisted.internet.task import Clock

pytestmark = pytest.mark.usefixtures("faster", "log_contexts_are_kept")

DENIED = (403, Codes.FORBIDDEN)


def deep_record(depth: int) -> bytes:
    return b'{"level":50,"msg":"x","deep":' + b"[" * depth + b"]" * depth + b"}\n"


LAST_WORDS = [
    b"".join(deep_record(depth) for depth in range(900, 1_000, 3)),
    b'{"level":1e999,"msg":{},"err":{"stack":[]},"request":[],"module":{}}\n' * 50,
    b'{"level":60,"host_ends":"\\ud800","msg":"\\ud800"}\n',
    b"9" * 60_000 + b"\n",
    b"\xff\x00\x1b" * 20_000,
]


@pytest.mark.parametrize("words", LAST_WORDS, ids=["nested", "odd types", "surrogates", "a number", "binary"])
def test_no_last_words_keep_it_from_being_restarted(tmp_path: Path, words: bytes) -> None:
    (tmp_path / "log").write_bytes(words)
    with running(tmp_path, "says_last_words", config("deny")) as rig:
        assert rig.answer("user_may_invite", *INVITE) is GOOD
        assert rig.starts == 2
        recovers(rig)
        observed(9, "by the module, once Node is back", policy="deny", tried="last words that are hard to log")


def fails(*_: Any, **__: Any) -> Any:
    raise RecursionError("a fault of ours")


@pytest.mark.parametrize("method", ["received", "ended"])
def test_a_log_that_cannot_be_relayed_keeps_no_end_from_being_noticed(
    tmp_path: Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "log").write_bytes(b"something\n")
    with running(tmp_path, "says_last_words", config("deny")) as rig:
        monkeypatch.setattr(LogRelay, method, fails)
        assert rig.answer("user_may_invite", *INVITE) is GOOD
        recovers(rig)
        # Nor does it end the reader of a host that lives.
        monkeypatch.undo()
        assert all(reader in reactor.getReaders() for reader in rig.bridge._host._child._readers)


def test_answers_that_cannot_be_taken_cost_that_host_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path, "good", config("deny")) as rig:
        monkeypatch.setattr(Rpc, "data_received", fails)
        assert told(rig.answer("user_may_invite", *INVITE)) == DENIED
        monkeypatch.undo()
        recovers(rig)


def test_a_message_that_cannot_be_taken_costs_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(tmp_path, "good", config("deny")) as rig:
        monkeypatch.setattr(rig.bridge._host._child, "on_pulse", fails)
        recovers(rig)
        assert rig.starts == 1


def test_its_end_is_noticed_while_all_threads_of_synapse_are_busy(tmp_path: Path) -> None:
    free = threading.Event()
    with running(tmp_path, "exits", config("deny")) as rig:
        try:
            for _ in range(reactor.getThreadPool().max + 1):
                reactor.callInThread(free.wait, 30)
            assert rig.answer("user_may_invite", *INVITE) is GOOD
            recovers(rig)
        finally:
            free.set()


def die(rig: Rig) -> None:
    os.kill(rig.pid(), signal.SIGKILL)
    turn_until(lambda: rig.bridge._host._child is None)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EAGAIN, "no more processes"),
        OSError(errno.ENOMEM, "no memory"),
        OSError(errno.ENOENT, "no such file"),
        subprocess.SubprocessError("odd"),
        MemoryError(),
        RuntimeError("can't start new thread"),
    ],
    ids=repr,
)
def test_what_cannot_be_spawned_is_tried_again(
    tmp_path: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []

    def popen(*_: Any, **__: Any) -> Any:
        tries.append(1)
        raise error

    with running(tmp_path, "good", config("deny")) as rig:
        monkeypatch.setattr(child.subprocess, "Popen", popen)  # type: ignore[attr-defined]
        die(rig)
        turn_until(lambda: len(tries) > 1)
        monkeypatch.undo()
        recovers(rig)
        observed(41, "policy, then by the module", policy="deny", tried=f"starting Node fails: {error!r}")


@pytest.mark.parametrize("place", ["pipe", "dup"])
def test_a_start_without_descriptors_leaves_no_process_and_is_tried_again(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []

    def full(*_: Any) -> Any:
        tries.append(1)
        raise OSError(errno.EMFILE, "too many open files")

    with running(tmp_path, "good", config("deny")) as rig:
        monkeypatch.setattr(child.os, place, full)  # type: ignore[attr-defined]
        die(rig)
        turn_until(lambda: len(tries) > 1)
        assert children() == []
        monkeypatch.undo()
        recovers(rig)


@pytest.mark.parametrize("place", ["_host._attach", "_host._initialize", "_host._spawn", "greet"])
def test_whatever_fails_while_it_is_restarted_there_is_a_next_attempt(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []

    def odd(*_: Any) -> Any:
        tries.append(1)
        raise KeyError("odd")

    with running(tmp_path, "good", config("deny")) as rig:
        owner = rig.bridge._host if place.startswith("_host.") else supervisor
        monkeypatch.setattr(owner, place.removeprefix("_host."), odd)
        die(rig)
        turn_until(lambda: len(tries) > 1)
        monkeypatch.undo()
        recovers(rig)


@pytest.mark.parametrize("what", ["died", "up", "manifest"])
def test_a_watcher_that_fails_does_not_keep_it_away(tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(tmp_path, "good", config("deny")) as rig:
        monkeypatch.setattr(rig.bridge, what, fails)
        starts = rig.starts
        os.kill(rig.pid(), signal.SIGKILL)
        turn_until(lambda: rig.starts > starts)
        monkeypatch.undo()
        recovers(rig)


def test_a_node_that_is_gone_for_a_while_is_tried_until_it_is_back(tmp_path: Path) -> None:
    with running(tmp_path, "good", config("deny")) as rig:
        (tmp_path / "node").rename(tmp_path / "replaced")
        die(rig)
        assert told(rig.answer("user_may_invite", *INVITE)) == DENIED
        (tmp_path / "replaced").rename(tmp_path / "node")
        recovers(rig)
        observed(39, "403 M_FORBIDDEN, then by the module", policy="deny", tried="Node is replaced by an upgrade")


def test_a_host_that_is_stopped_while_it_greets_is_given_up(tmp_path: Path) -> None:
    with running(tmp_path, "stops_in_greeting", {**config("deny"), "start_timeout": 500}) as rig:
        rig.answer("user_may_invite", *INVITE)
        turn_until(lambda: rig.starts > 3)
        recovers(rig)
        observed(15, "403 M_FORBIDDEN, then by the module", policy="deny", tried="SIGSTOP while it greets")


class Undying:
    """A process that waits for a broken disk: nothing ends it."""

    # No process has such a number: it is killed by itself.
    pid = 1 << 30
    killed = 0

    def poll(self) -> None:
        return None

    def kill(self) -> None:
        self.killed += 1


def test_a_process_that_not_even_sigkill_ends_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("synapse_module_bridge.process.reaping.time.monotonic", lambda: now[0])
    process, clock = Undying(), Clock()
    told: list[Any] = []
    when_exited(process, clock, 0.5, lambda: told.append("overdue"), told.append)  # type: ignore[arg-type]
    for _ in range(200):
        now[0] += 0.05
        clock.advance(0.05)
    assert (told, process.killed) == (["overdue", None], 1)
    assert clock.getDelayedCalls() == []


def test_a_timer_rings_where_the_system_has_no_more_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(steady_clock.threading.Thread, "start", start)  # type: ignore[attr-defined]
    rung: list[int] = []
    clock = steady_clock.SteadyClock(reactor)
    clock.callLater(0, lambda: rung.append(1))
    turn_until(lambda: rung)
