"""Notes what a test has seen of a row of test/support/faults.json, for the fault matrix (`npm run faults`)."""

import json
import os
import re
from collections.abc import Sequence
from typing import Any


def observed(
    row: int,
    outcome: str,
    *,
    policy: str | None = None,
    on: str = "fake host",
    tried: str | None = None,
    pause: float | None = None,
    memory: Sequence[float] | None = None,
) -> None:
    """To be called once all else has held. `pause` is in seconds, `memory` in MiB: before, at most, after."""
    if (file := os.environ.get("FAULT_MATRIX")) is None:
        return
    note: dict[str, Any] = {"row": row, "on": on, "tried": tried or _title(), "outcome": outcome}
    if policy is not None:
        note["policy"] = policy
    if pause is not None:
        note["pauseMs"] = pause * 1000
    if memory is not None:
        note["memory"] = list(memory)
    with open(file, "a", encoding="utf-8") as matrix:
        matrix.write(json.dumps(note) + "\n")


def _title() -> str:
    """The test's name as the sentence that it is, with its parameters."""
    name = os.environ["PYTEST_CURRENT_TEST"].split("::")[-1].rsplit(" ", 1)[0]
    return re.sub(r"^test ", "", name.replace("_", " "))
