"""Reads and renders Jinja2 templates for modules, by ModuleApi's `read_templates`."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from synapse.module_api import ModuleApi

# A bound for modules that name ever new folders. A template that was dropped is read again.
MOST_KEPT = 200


class Templates:
    """Keeps the template objects, which cannot be sent to the host."""

    def __init__(self, api: ModuleApi) -> None:
        self._api = api
        self._kept: OrderedDict[tuple[str, str | None], Any] = OrderedDict()

    def read(self, filenames: list[str], folder: str | None) -> list[str]:
        """Reads templates from disk, and returns their names. Raises ConfigError where one is missing or broken."""
        for filename, template in zip(filenames, self._api.read_templates(filenames, folder), strict=True):
            self._kept[filename, folder] = template
            self._kept.move_to_end((filename, folder))
        while len(self._kept) > max(MOST_KEPT, len(filenames)):
            self._kept.popitem(last=False)
        return filenames

    def render(self, filename: str, folder: str | None, variables: Mapping[str, Any]) -> str:
        """Renders a template, which is read first where it is not kept. Raises ConfigError, and what Jinja2 raises."""
        if (filename, folder) not in self._kept:
            self.read([filename], folder)
        return str(self._kept[filename, folder].render(variables))
