"""Reports what keeps Synapse from starting: any number of problems, in one line, each with its place and its remedy."""

from collections.abc import Sequence

# Keys and indexes that lead into the bridge's `config` block.
Path = tuple[str | int, ...]


class StartupProblem(Exception):
    """One problem. `path` is its place in the bridge's `config` block, or None where it has none."""

    def __init__(self, path: Path | None, message: str) -> None:
        super().__init__(message)
        self.path = path
        self.message = message

    def __str__(self) -> str:
        # In one line, since it has to be the last line that Synapse prints.
        message = " ".join(self.message.split())
        return f"{format_path(self.path)}: {message}" if self.path is not None else message


class StartupProblems(StartupProblem):
    """Several problems, raised together."""

    def __init__(self, faults: Sequence[StartupProblem]) -> None:
        super().__init__(None, "; ".join(map(str, faults)))
        self.faults = tuple(faults)


class StartupError(Exception):
    """The bridge cannot start. The message has all problems, in one line."""


def format_path(path: Path) -> str:
    """The path as text, such as `config.modules[0].path`."""
    return "config" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)


def describe(faults: Sequence[StartupProblem]) -> str:
    """All problems in one line."""
    if len(faults) == 1:
        return f"synapse_module_bridge: cannot start: {faults[0]}"
    listed = "; ".join(f"({number}) {fault}" for number, fault in enumerate(faults, 1))
    return f"synapse_module_bridge: cannot start, {len(faults)} faults: {listed}"
