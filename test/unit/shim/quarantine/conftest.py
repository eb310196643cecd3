"""Fixtures of the tests of who is blamed and set aside."""

import pytest
from fake_time import Time
from synapse_module_bridge.quarantine import suspects


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """The time by which suspects are kept."""
    fake = Time()
    monkeypatch.setattr(suspects, "time", fake)
    return fake
