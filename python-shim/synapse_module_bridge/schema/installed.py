"""Finds the files that are installed with the shim: the host, the page, and the declarations that both sides share."""

import json
from pathlib import Path
from typing import Any

from synapse_module_bridge.schema.startup_problems import StartupError, StartupProblem, describe

HOST_FOLDER = Path(__file__).parents[1] / "_host"
SCHEMAS_FOLDER = HOST_FOLDER / "schemas"
PAGE_FOLDER = Path(__file__).parents[1] / "_page"


def read_schema(name: str) -> dict[str, Any]:
    """The content of a file of `schemas/`. Raises StartupError where the package has no built host."""
    try:
        with open(SCHEMAS_FOLDER / name, encoding="utf-8") as file:
            content: dict[str, Any] = json.load(file)
    except FileNotFoundError:
        fault = StartupProblem(
            None,
            f"this installation is without the Node host ({SCHEMAS_FOLDER} is missing): install the released package, "
            "or, from the sources, the wheel that `npm run wheel` builds",
        )
        raise StartupError(describe([fault])) from None
    content.pop("$schema", None)
    return content
