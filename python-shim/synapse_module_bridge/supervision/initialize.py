"""Names the occasions at which a host is started, on which its `initialize` depends."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

# `start`: Synapse starts. `restart`: the host has ended, and a new one runs what was accepted last. `reload`: a new
# host runs what lies on disk now, and replaces the present one.
Occasion = Literal["start", "restart", "reload"]
# Returns the parameters of `initialize`. Raises StartupProblem.
Initialize = Callable[[Occasion], Mapping[str, Any]]
