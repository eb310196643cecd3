"""Fixtures of the tests about the real host."""

import logging
from pathlib import Path

import pytest
from two_modules import Two


@pytest.fixture
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


@pytest.fixture
def two(tmp_path: Path) -> Two:
    return Two(tmp_path)
