"""What can be wrong at start, and how it is told: several faults as one line that names each place and remedy."""

from collections.abc import Sequence

Path = tuple[str | int, ...]


class StartupProblem(Exception):
    """One thing that is wrong. `path` begins at the bridge's `config` block; None where it is about no place in it."""

    def __init__(self, path: Path | None, message: str) -> None:
        super().__init__(message)
        self.path = path
        self.message = message

    def __str__(self) -> str:
        # One line: it must be the last line of what Synapse prints.
        message = " ".join(self.message.split())
        return f"{format_path(self.path)}: {message}" if self.path is not None else message


class StartupProblems(StartupProblem):
    """Several things that are wrong."""

    def __init__(self, faults: Sequence[StartupProblem]) -> None:
        super().__init__(None, "; ".join(map(str, faults)))
        self.faults = tuple(faults)


class StartupError(Exception):
    """The bridge cannot start: all faults that were found, in one line."""


def format_path(path: Path) -> str:
    """The path as an admin finds it in the bridge's entry of homeserver.yaml, such as `config.modules[0].path`."""
    return "config" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)


def describe(faults: Sequence[StartupProblem]) -> str:
    """All faults as one line."""
    if len(faults) == 1:
        return f"synapse_module_bridge: cannot start: {faults[0]}"
    listed = "; ".join(f"({number}) {fault}" for number, fault in enumerate(faults, 1))
    return f"synapse_module_bridge: cannot start, {len(faults)} faults: {listed}"
