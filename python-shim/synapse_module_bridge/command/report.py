"""Prints what `check --json` prints, as check.schema.json describes it. It imports nothing of Synapse."""

import json
import sys
from collections.abc import Mapping
from typing import Any

from synapse_module_bridge.command.exit_codes import FAULTY, NOT_LOOKED, SOUND

_RESULTS = {SOUND: "good", FAULTY: "faults", NOT_LOOKED: "not_looked"}


def print_report(code: int, found: Mapping[str, Any]) -> None:
    """`code` is the exit code."""
    print(json.dumps({"result": _RESULTS[code], **found}, indent=2))


def not_looked(why: str, as_json: bool) -> int:
    """Tells why the check could not be made, and returns the exit code."""
    print(why, file=sys.stderr)
    if as_json:
        print_report(NOT_LOOKED, {"why": why, "faults": [], "warnings": [], "modules": []})
    return NOT_LOOKED
