"""Which records the host is told that nobody wants."""

import logging
from typing import Any

import pytest
from synapse_module_bridge.telemetry.log_levels import LogLevels

M, N = ({"name": name} for name in ("m", "n"))


def test_the_host_is_told_what_is_wanted_and_again_when_that_changes(caplog: pytest.LogCaptureFixture) -> None:
    told: list[Any] = []
    levels = LogLevels(lambda method, params: told.append((method, params["levels"])))
    own = logging.getLogger("synapse_module_bridge.module.n")
    try:
        with caplog.at_level(logging.WARNING):
            own.setLevel(logging.DEBUG)
            levels.tell([M, N])
            levels.tell([M, N])
            own.setLevel(logging.ERROR)
            levels.tell([M, N])
        with caplog.at_level(logging.INFO):
            own.setLevel(logging.CRITICAL)
            levels.tell([M, N])
    finally:
        own.setLevel(logging.NOTSET)
    assert told == [
        ("log_levels", {"m": 40, "n": 20}),
        ("log_levels", {"m": 40, "n": 50}),
        ("log_levels", {"m": 30, "n": 60}),
    ]
