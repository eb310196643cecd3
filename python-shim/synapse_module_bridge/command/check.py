"""Implements the command `check` for homeserver.yaml: prints the callbacks of each module, warnings and problems.

They go to standard output, and what modules print to standard error.
"""

import logging
import re
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import attr

from synapse_module_bridge.command.exit_codes import FAULTY, NOT_LOOKED, SOUND
from synapse_module_bridge.command.inspection import Found, inspect
from synapse_module_bridge.command.report import not_looked, print_report
from synapse_module_bridge.configuration.homeserver_yaml import MODULE, read_homeserver
from synapse_module_bridge.configuration.module_configs import Unreadable
from synapse_module_bridge.schema.startup_problems import StartupProblem, format_path
from synapse_module_bridge.synapse_hooks.module_names import name_clashes

_RELEASE = re.compile(r"\d+\.\d+\.\d+(rc\d+)?")


@attr.s(frozen=True, slots=True, auto_attribs=True, kw_only=True)
class Options:
    """What is asked of the command beside the files."""

    # Print JSON, as check.schema.json describes it.
    json: bool = False
    # The release of Synapse to hold modules against; None for the one that is installed.
    synapse: str | None = None
    # Whether this process is of Synapse's user.
    as_user: bool = False


def check(paths: Sequence[str], options: Options) -> int:
    """Checks the bridge's blocks in these files and folders, prints the result, and returns the exit code."""
    handler = _Handler(keeps=options.json)
    logger = logging.getLogger("synapse_module_bridge")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    if options.synapse is not None and not _RELEASE.fullmatch(options.synapse):
        return not_looked(f"{options.synapse} is no version of Synapse: give one such as 1.130.0", options.json)
    try:
        homeserver = read_homeserver(paths)
        blocks = list(homeserver.blocks())
    except Unreadable as e:
        return not_looked(str(e), options.json)
    if not blocks:
        why = f"no module in {', '.join(paths)} is {MODULE}: {homeserver.why_no_blocks()}"
        return not_looked(why, options.json)
    found: list[tuple[str, Found]] = []
    taken: set[str] = set()
    for at, block in blocks:
        one = inspect(block, homeserver.settings, options.synapse, options.as_user)
        one.faults += name_clashes(one.names, taken)
        taken.update(one.names.values())
        found.append((at, one))
        if not options.json:
            _print(*found[-1])
    code = max(_code(one) for _, one in found)
    if options.json:
        print_report(code, _report(found, handler.findings, options.synapse))
    return code


def _code(found: Found) -> int:
    if not found.looked:
        return NOT_LOOKED
    return FAULTY if found.faults else SOUND


def _print(at: str, found: Found) -> None:
    """Prints what was found in the block at the place `at`."""
    sys.stdout.write(found.text)
    for text in found.advice:
        print(f"Warning: {text}.")
    print(_headline(len(found.faults)))
    for fault in found.faults:
        print("  " + f"{_place(at, fault)}: {fault.message}".replace("\n", "\n  "))


def _report(blocks: Sequence[tuple[str, Found]], warnings: Sequence[str], release: str | None) -> Mapping[str, Any]:
    faults = [{"at": _place(at, fault), "message": fault.message} for at, found in blocks for fault in found.faults]
    # Its last fault says why Node could not load the modules.
    why = next((found.faults[-1].message for _, found in blocks if not found.looked), None)
    return {
        **({} if why is None else {"why": why}),
        "synapse": release or version("matrix-synapse"),
        "faults": faults,
        "warnings": [*warnings, *(text for _, found in blocks for text in found.advice)],
        "modules": [module for _, found in blocks for module in found.modules],
    }


def _headline(faults: int) -> str:
    return "No faults." if faults == 0 else "One fault:" if faults == 1 else f"{faults} faults:"


def _place(at: str, fault: StartupProblem) -> str:
    return at if fault.path is None else f"{at}.{format_path(fault.path)}"


class _Handler(logging.Handler):
    """Makes the host's own warnings a part of the result, and prints all other records to standard error."""

    def __init__(self, *, keeps: bool) -> None:
        super().__init__()
        self._keeps = keeps
        self.findings: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        is_finding = record.levelno >= logging.WARNING and record.name == "synapse_module_bridge.host"
        if is_finding and self._keeps:
            self.findings.append(record.getMessage())
        else:
            print(record.getMessage(), file=sys.stdout if is_finding else sys.stderr)
