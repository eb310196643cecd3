"""What each new host is told first: `initialize`, which differs by why the host is started."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

# `start`: Synapse starts. `restart`: the host has ended, and runs again what it ran. `reload`: it is to be replaced by
# one that runs what lies on disk now.
Occasion = Literal["start", "restart", "reload"]
# Raises StartupProblem where there is nothing to tell.
Initialize = Callable[[Occasion], Mapping[str, Any]]
