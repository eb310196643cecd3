"""A host that ends for threads that native code holds: what follows, and how long the next one bears that."""

import json
import logging
import os
from pathlib import Path

import pytest
from counted import count
from fake_time import Time
from observed import observed
from outcomes import GOOD, INVITE, config, in_words, recovers
from rig import running
from synapse_module_bridge.bridge import CLOCK
from synapse_module_bridge.process.child import Child
from synapse_module_bridge.process.logs import LogRelay
from synapse_module_bridge.process.spawn import spawn
from synapse_module_bridge.supervision.held_threads import HeldThreads
from turning import reactor, turn_until


@pytest.mark.parametrize(
    ("minutes", "patience"),
    [
        ([], 0),
        ([0], 30),
        ([0, 1], 60),
        ([0, 1, 2, 3], 240),
        ([0] * 6, 900),
        ([0] * 100, 900),
        # An hour is forgiven.
        ([-60], 0),
        ([-60, -59], 30),
    ],
)
def test_the_patience_grows_with_the_ends_of_an_hour(minutes: list[int], patience: float) -> None:
    time = Time()
    held = HeldThreads(time)
    for minute in minutes:
        time.now = minute * 60.0
        held.ended_node()
    time.now = max(0.0, time.now)
    assert held.patience_seconds == patience


@pytest.mark.usefixtures("faster", "log_contexts_are_kept")
@pytest.mark.parametrize("misbehaviour", ["native_code_holds_threads", "held_meanwhile"])
def test_calls_in_flight_are_asked_again_and_nobody_is_set_aside(
    tmp_path: Path, misbehaviour: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    ends = count("host_ends_total", cause="native code holds")
    with running(tmp_path, misbehaviour, config("deny", 10)) as rig:
        assert "held_patience_ms" not in json.loads((tmp_path / "initialize").read_text())
        assert rig.answer("user_may_invite", *INVITE) is GOOD
        recovers(rig)
        assert json.loads((tmp_path / "initialize").read_text())["held_patience_ms"] == 30_000
        assert rig.bridge._round_trip.quarantine.listed() == []
    assert count("host_ends_total", cause="native code holds") == ends + 1
    assert "the module host ended (native code holds 8 threads, in m)" in caplog.text
    observed(76, in_words([GOOD]), policy="deny", tried=misbehaviour.replace("_", " "))


def _is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


# It does not tell the program that it waits for.
COMMAND = ["sh", "-c", "sleep 100 & echo $!; wait"]


def test_what_a_process_has_started_ends_with_it_when_it_is_killed() -> None:
    ended: list[str] = []
    child = Child(COMMAND, dict(os.environ), lambda *_: None, LogRelay())
    child.attach(reactor, CLOCK, ended.append)
    child._readers[0].stopReading()
    os.set_blocking(child._stdout, True)
    sleeping = int(os.read(child._stdout, 100))
    os.set_blocking(child._stdout, False)
    assert not _is_gone(sleeping)
    child._readers[0].startReading()
    child.kill("it did not answer")
    turn_until(lambda: ended and _is_gone(sleeping))
    assert ended == ["it did not answer"]


def test_what_a_process_has_started_ends_with_it_when_the_lifeline_is_cut() -> None:
    spawned = spawn(COMMAND, dict(os.environ))
    os.set_blocking(spawned.pipes["stdout"], True)
    sleeping = int(os.read(spawned.pipes["stdout"], 100))
    assert not _is_gone(sleeping)
    spawned.lifeline.cut()
    turn_until(lambda: _is_gone(sleeping) and spawned.popen.poll() is not None)
    for fd in spawned.pipes.values():
        os.close(fd)
