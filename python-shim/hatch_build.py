"""Refuses to build a package without the host and the page, which `npm run build` makes. It is in Python for pip."""

import json
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HOST = Path("synapse_module_bridge", "_host")
PAGE = Path("synapse_module_bridge", "_page")
REMEDY = "Run `npm ci && npm run wheel` at the root of the project: it builds both, and needs Node >= 20.19"


class NeedsHost(BuildHookInterface[Any]):
    """The build hook of pyproject.toml's `tool.hatch.build.hooks.custom`."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        # An editable installation uses the host in this folder, which may be built later.
        if version == "editable":
            return
        problem = self._problem()
        if problem is not None:
            # `sys.exit`, so that pip shows the message without a traceback.
            sys.exit(f"synapse-module-bridge: {problem}. {REMEDY}")

    def _problem(self) -> str | None:
        folder = Path(self.root, HOST)
        try:
            built = json.loads((folder / "package.json").read_text())["version"]
        except (OSError, ValueError, KeyError):
            built = None
        if built is None or not (folder / "cli.mjs").is_file():
            return f"the Node host is not built ({HOST} is missing)"
        if built != self.metadata.version:
            return f"the Node host in {HOST} is {built}, and this is {self.metadata.version}"
        if not Path(self.root, PAGE, "index.html").is_file():
            return f"the admin's page is not built ({PAGE} is missing)"
        return None
