"""Counts what entries have let pass, and how long they took, as the untrusted host tells it in `asked`."""

from collections.abc import Sequence
from typing import Any

from synapse_module_bridge.routing.entry import Entry

# More than any call may take.
_MOST_MS = 3_600_000


def count_passed(entries: Sequence[Entry]) -> None:
    """These have let a call pass."""
    for entry in entries:
        entry.count.passed += 1


def count_failed(entries: Sequence[Entry], asked: Any) -> None:
    """Of these, which have let a notification pass, counts those as errors whose handlers failed."""
    for entry, told in zip(entries, asked if isinstance(asked, list) else (), strict=False):
        if isinstance(told, dict) and told.get("failed") is True and told.get("module") == entry.module:
            entry.count.passed -= 1
            entry.count.errors += 1


def count_times(entries: Sequence[Entry], asked: Any) -> None:
    """Counts how long each of these took. A host may tell no times, and what does not fit is left out."""
    # Each call does this. Nearly always all is as it should be, and a look at each type would take longer than that.
    try:
        for entry, told in zip(entries, asked or ()):  # noqa: B905 # without `strict`, as in `bind`
            if told["module"] != entry.module:
                return
            ms = told["ms"]
            if 0 <= ms < _MOST_MS:
                entry.count.took(ms / 1000)
    except (TypeError, KeyError):
        return
