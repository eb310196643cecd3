"""Implements the command `check` for homeserver.yaml: prints the callbacks of each module, warnings and problems.

They go to standard output, and what modules print to standard error.
"""

import logging
import sys
from collections.abc import Sequence

from synapse_module_bridge.command.exit_codes import FAULTY, NOT_LOOKED, SOUND
from synapse_module_bridge.command.inspection import Found, inspect
from synapse_module_bridge.configuration.homeserver_yaml import MODULE, read_homeserver
from synapse_module_bridge.configuration.module_configs import Unreadable
from synapse_module_bridge.schema.startup_problems import StartupProblem, format_path


def check(paths: Sequence[str]) -> int:
    """Checks the bridge's blocks in these files and folders, prints the result, and returns the exit code."""
    logger = logging.getLogger("synapse_module_bridge")
    logger.setLevel(logging.INFO)
    logger.addHandler(_Handler())
    try:
        homeserver = read_homeserver(paths)
        blocks = list(homeserver.blocks())
    except Unreadable as e:
        return _not_looked(str(e))
    if not blocks:
        return _not_looked(f"no module in {', '.join(paths)} is {MODULE}: {homeserver.why_no_blocks()}")
    return max(_report(at, inspect(block, homeserver.settings)) for at, block in blocks)


def _not_looked(why: str) -> int:
    print(why, file=sys.stderr)
    return NOT_LOOKED


def _report(at: str, found: Found) -> int:
    """Prints what was found in the block at the place `at`, and returns the exit code."""
    sys.stdout.write(found.text)
    for text in found.advice:
        print(f"Warning: {text}.")
    print(_headline(len(found.faults)))
    for fault in found.faults:
        print("  " + _described(at, fault).replace("\n", "\n  "))
    if not found.looked:
        return NOT_LOOKED
    return FAULTY if found.faults else SOUND


def _headline(faults: int) -> str:
    return "No faults." if faults == 0 else "One fault:" if faults == 1 else f"{faults} faults:"


def _described(at: str, fault: StartupProblem) -> str:
    place = at if fault.path is None else f"{at}.{format_path(fault.path)}"
    return f"{place}: {fault.message}"


class _Handler(logging.Handler):
    """Prints the host's own warnings as part of the result, and all other records to standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        is_finding = record.levelno >= logging.WARNING and record.name == "synapse_module_bridge.host"
        print(record.getMessage(), file=sys.stdout if is_finding else sys.stderr)
