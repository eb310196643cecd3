"""What the host asks, and what becomes of it and of its calls when it ends; with the real bridge over a fake host."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from objects import event
from observed import observed
from outcomes import GOOD, INVITE, config, depths, local_event, recovers, told
from rig import running
from synapse.module_api.errors import Codes
from synapse_module_bridge.supervision import backoff, grace_period, supervisor, watchdog
from turning import reactor, settled, turn_until
from twisted.internet.abstract import FileDescriptor
from twisted.internet.defer import Deferred, ensureDeferred

pytestmark = pytest.mark.usefixtures("faster", "log_contexts_are_kept")


def test_the_host_may_ask_for_state_and_calls_of_what_is_not_there_are_refused(tmp_path: Path) -> None:
    with running(tmp_path, "asks_back", config("deny")) as rig:
        assert rig.answer("user_may_invite", *INVITE) is GOOD
        said = json.loads((tmp_path / "said").read_text())
        assert "has no state_events" in said["error"]["message"]
        observed(33, "a typed error for the module; by the module", tried="asks for the state of a call that has none")
        create = event(type="m.room.create", state_key="", depth=next(depths))
        rig.answer("check_event_allowed", local_event(), {("m.room.create", ""): create})
        [found] = json.loads((tmp_path / "said").read_text())["result"]
        assert found["event_id"] == create.event_id


def test_what_the_host_asked_is_let_go_when_it_dies_meanwhile(tmp_path: Path) -> None:
    slow: Deferred[Any] = Deferred()

    async def get_userinfo_by_id(user_id: str) -> Any:
        return await slow

    with running(tmp_path, "asks_and_dies", config("deny")) as rig:
        rig.api.get_userinfo_by_id = get_userinfo_by_id  # type: ignore[attr-defined]
        assert rig.answer("user_may_invite", *INVITE) is GOOD
        slow.callback(None)
        recovers(rig)
        observed(33, "by the module, once Node is back", policy="deny")


def test_an_event_that_a_replaced_host_never_finished_is_no_suspect_when_the_next_one_dies(tmp_path: Path) -> None:
    slow = local_event()
    with running(tmp_path, "id_null", config("deny", 0.2)) as rig:
        assert told(rig.answer("check_event_for_spam", slow)) == (403, Codes.FORBIDDEN)
        rig.misbehave(False)
        assert settled(ensureDeferred(rig.bridge._host.replace(lambda _: None))) is None
        os.kill(rig.pid(), signal.SIGKILL)
        recovers(rig)
        assert rig.answer("check_event_for_spam", slow) is GOOD


def test_stopping_lets_the_host_finish_what_is_under_way(tmp_path: Path) -> None:
    (tmp_path / "seconds").write_text("0.3")
    with running(tmp_path, "slow", config("deny", 5)) as rig:
        asked = rig.ask("user_may_invite", *INVITE)
        turn_until(lambda: rig.bridge._host._child.writer.unsent_bytes == 0)
        stopped = rig.bridge._host.stop()
        assert settled(asked) is GOOD
        assert settled(stopped) is None
        assert rig.starts == 1
        observed(34, "by the module")
        assert told(rig.answer("user_may_invite", *INVITE)) == (403, Codes.FORBIDDEN)


class Received(FileDescriptor):
    """Whether a descriptor is still read: that of a client's connection, for example."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(reactor)
        self._descriptor = descriptor
        self.data = b""

    def fileno(self) -> int:
        return self._descriptor

    def doRead(self) -> None:
        self.data += os.read(self._descriptor, 100)


def test_what_is_written_to_a_dead_host_takes_no_descriptor_of_others_out_of_the_reactor(tmp_path: Path) -> None:
    with running(tmp_path, "good", config("deny")) as rig:
        child = rig.bridge._host._child
        descriptor = child._stdin
        os.kill(rig.pid(), signal.SIGKILL)
        turn_until(lambda: "stdin" not in child._open)
        reading, writing = os.pipe()
        # The system gives its number to the next that is opened.
        os.dup2(reading, descriptor)
        client = Received(descriptor)
        reactor.addReader(client)
        child.rpc.write(b"an answer that was still to be given")
        os.write(writing, b"a request")
        try:
            turn_until(lambda: client.data == b"a request")
        finally:
            reactor.removeReader(client)
            for each in {reading, writing, descriptor}:
                os.close(each)


def test_a_host_that_does_not_end_when_it_should_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "DRAIN_SECONDS", 0.1)
    monkeypatch.setattr(supervisor, "CLOSE_SECONDS", 0.1)
    monkeypatch.setattr(watchdog, "LOOK_SECONDS", 10.0)
    with running(tmp_path, "hangs", config("deny", 5)) as rig:
        asked = rig.ask("user_may_invite", *INVITE)
        turn_until(lambda: rig.bridge._host._child.writer.unsent_bytes == 0)
        assert settled(rig.bridge._host.stop()) is None
        assert told(settled(asked)) == (403, Codes.FORBIDDEN)
        observed(34, "403 M_FORBIDDEN", policy="deny")


def test_an_outage_at_shutdown_keeps_nothing_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "FIRST_PAUSE_SECONDS", 20)
    monkeypatch.setattr(grace_period, "HOLD_SECONDS", 60)
    with running(tmp_path, "crash_loop", config("deny", 60)) as rig:
        assert rig.answer("user_may_invite", *INVITE) is GOOD
        turn_until(lambda: rig.starts == 2 and not rig.bridge._host._grace_period.is_up)
        asked = rig.ask("user_may_invite", *INVITE)
        rig.answer("on_new_event", local_event(), {})
        assert settled(rig.bridge._host.stop()) is None
        assert told(settled(asked)) == (403, Codes.FORBIDDEN)
        assert rig.bridge._notifications.queued == 0
