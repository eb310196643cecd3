"""Keeps the names of modules apart, across all bridges of one homeserver.yaml.

A module's keys in the store, its decisions and its metrics go by its name.
"""

from collections.abc import Iterable, Mapping, Sequence

from synapse.module_api import ModuleApi

from synapse_module_bridge.configuration.per_homeserver import PerHomeserver
from synapse_module_bridge.schema.startup_problems import StartupProblem, StartupProblems

_TAKEN: PerHomeserver[set[str]] = PerHomeserver()


def claim_names(api: ModuleApi, names: Sequence[str]) -> None:
    """Takes the names of a bridge's modules. Raises StartupProblems for those that another bridge has taken."""
    taken = _TAKEN.of(api, set)
    if faults := name_clashes(dict(enumerate(names)), taken):
        raise StartupProblems(faults)
    taken.update(names)


def name_clashes(names: Mapping[int, str], taken: Iterable[str]) -> list[StartupProblem]:
    """The problems of a bridge's modules, named by their place, whose names other bridges have."""
    return [
        StartupProblem(
            ("modules", index, "name"),
            f"a module of another bridge in homeserver.yaml is called {name} already: give each a `name` of its own",
        )
        for index, name in names.items()
        if name in taken
    ]
