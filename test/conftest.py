"""Fixtures that several files ask for by name."""

from typing import Any

import pytest
from synapse_module_bridge.process import child
from synapse_module_bridge.supervision import backoff, grace_period, supervisor, watchdog


@pytest.fixture
def faster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "LOOK_SECONDS", 0.03)
    monkeypatch.setattr(grace_period, "HOLD_SECONDS", 0.5)
    monkeypatch.setattr(backoff, "FIRST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(child, "SUDDEN_EXIT_SECONDS", 0.1)
    monkeypatch.setattr(supervisor, "DRAIN_SECONDS", 1.0)
    monkeypatch.setattr(supervisor, "CLOSE_SECONDS", 0.5)


@pytest.fixture
def log_contexts_are_kept(caplog: pytest.LogCaptureFixture) -> Any:
    yield
    assert [record for record in caplog.records if record.name == "synapse.logging.context"] == []
