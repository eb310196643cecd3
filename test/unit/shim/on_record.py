"""What goes on record of calls."""

import pytest


def recorded(caplog: pytest.LogCaptureFixture) -> list[list[str]]:
    """The module, the outcome and perhaps the answer and the reason of each decision."""
    kept = ("module=", "outcome=", "answer=", "reason=")
    lines = [record.getMessage() for record in caplog.records if record.name == "synapse_module_bridge.decision"]
    return [[part for part in line.split() if part.startswith(kept)] for line in lines]
