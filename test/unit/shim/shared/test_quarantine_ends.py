"""The end of a quarantine that another process has."""

import asyncio
import time
from typing import Any

import pytest
from shared_database import SharedDatabase
from synapse_module_bridge.shared.quarantine_ends import KEPT_MS, QuarantineEnds


def test_what_one_process_asks_for_the_others_read_until_it_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    database: Any = SharedDatabase()
    ours, theirs = QuarantineEnds(database), QuarantineEnds(database)
    assert asyncio.run(theirs.asked()) == frozenset()
    asyncio.run(ours.ask("1a"))
    asyncio.run(ours.ask("1a"))
    asyncio.run(ours.ask("2b"))
    assert asyncio.run(theirs.asked()) == {"1a", "2b"}
    later = time.time() + KEPT_MS / 1000 + 1
    monkeypatch.setattr(time, "time", lambda: later)
    asyncio.run(ours.ask("3c"))
    assert asyncio.run(theirs.asked()) == {"3c"}
