"""The system's clock is set an hour back or forward under the bridge: no timer comes too early, and none too late."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from observed import observed
from outcomes import GOOD, INVITE, config, policy_count, recovers, told
from rig import Rig, running
from synapse.module_api.errors import Codes
from synapse_module_bridge.bridge import CLOCK
from synapse_module_bridge.supervision import backoff
from synapse_module_bridge.supervision.backoff import FIRST_AT_ONCE
from turning import reactor, settled, turn_until
from twisted.internet.task import deferLater

pytestmark = pytest.mark.usefixtures("log_contexts_are_kept")

HOUR = 3600
REFUSED = (403, Codes.FORBIDDEN)
Jump = Callable[[int], None]
both_ways = pytest.mark.parametrize("seconds", [HOUR, -HOUR])


@pytest.fixture
def jump(monkeypatch: pytest.MonkeyPatch) -> Jump:
    """Sets the clock that the reactor reads, as the system's is."""

    def set_by(seconds: int) -> None:
        monkeypatch.setattr(reactor, "seconds", lambda: time.time() + seconds)
        # What the reactor now takes for due, it does.
        settled(deferLater(reactor, 0))

    return set_by


def beats(rig: Rig, number: int) -> None:
    """Turns the reactor for some beats of the host's heart, and looks at them."""
    seen: list[object] = []
    host = rig.bridge._host
    host._child.on_pulse = seen.append
    turn_until(lambda: len(seen) >= number)


@both_ways
def test_a_call_that_waits_for_its_answer_gets_it(tmp_path: Path, jump: Jump, seconds: int) -> None:
    (tmp_path / "seconds").write_text("0.3")
    with running(tmp_path, "slow", config("deny", 5)) as rig:
        asked = rig.ask("user_may_invite", *INVITE)
        jump(seconds)
        assert settled(asked) is GOOD
    observed(40, "as if the clock had not been set", policy="deny")


@both_ways
def test_a_call_that_gets_no_answer_has_its_deadline(tmp_path: Path, jump: Jump, seconds: int) -> None:
    before = policy_count("deadline")
    with running(tmp_path, "answers_late", config("deny", 0.5)) as rig:
        asked = [rig.ask("user_may_invite", *INVITE) for _ in range(3)]
        jump(seconds)
        assert [told(settled(one)) for one in asked] == [REFUSED] * 3
        assert policy_count("deadline") == before + 3
        recovers(rig)
        assert rig.starts == 1
    observed(40, "as if the clock had not been set", policy="deny")


@both_ways
def test_a_restart_that_waits_comes_when_it_should(
    tmp_path: Path, jump: Jump, seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "FIRST_PAUSE_SECONDS", 1.0)
    with running(tmp_path, "crash_loop", config("deny")) as rig:
        assert rig.answer("user_may_invite", *INVITE) is GOOD
        # The first are restarted at once.
        turn_until(lambda: rig.starts == 1 + FIRST_AT_ONCE and rig.bridge._host._restart_timer.active())
        waits = rig.bridge._host._restart_timer
        jump(seconds)
        assert waits.active() and rig.starts == 1 + FIRST_AT_ONCE
        monkeypatch.setattr(backoff, "FIRST_PAUSE_SECONDS", 0.05)
        recovers(rig)
    observed(40, "as if the clock had not been set", policy="deny")


@both_ways
@pytest.mark.usefixtures("faster")
def test_a_host_that_lives_is_kept_and_one_that_hangs_is_ended(tmp_path: Path, jump: Jump, seconds: int) -> None:
    with running(tmp_path, "good", config("deny")) as rig:
        jump(seconds)
        beats(rig, 20)
        assert rig.starts == 1
        jump(0)
        beats(rig, 20)
        os.kill(rig.pid(), signal.SIGSTOP)
        jump(seconds)
        turn_until(lambda: rig.starts == 2)
        recovers(rig)
    observed(40, "as if the clock had not been set", policy="deny")


@both_ways
@pytest.mark.usefixtures("faster")
def test_a_host_that_is_asked_to_finish_and_does_not_is_ended(tmp_path: Path, jump: Jump, seconds: int) -> None:
    with running(tmp_path, "hangs", config("deny", 20)) as rig:
        asked = rig.ask("user_may_invite", *INVITE)
        stopped = rig.bridge._host.stop()
        jump(seconds)
        settled(stopped)
        assert told(settled(asked)) == REFUSED
    assert CLOCK.getDelayedCalls() == []
    observed(40, "as if the clock had not been set", policy="deny")
