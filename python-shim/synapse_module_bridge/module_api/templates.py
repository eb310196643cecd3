"""Jinja2 templates for modules: Synapse finds, keeps and renders them."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from synapse.module_api import ModuleApi

# Those of a module that makes up folders are forgotten, and read again.
MOST_KEPT = 200


class Templates:
    def __init__(self, api: ModuleApi) -> None:
        self._api = api
        self._kept: OrderedDict[tuple[str, str | None], Any] = OrderedDict()

    def read(self, filenames: list[str], folder: str | None) -> list[str]:
        """Reads them anew. Raises what Synapse does for one that it cannot find or read."""
        for filename, template in zip(filenames, self._api.read_templates(filenames, folder), strict=True):
            self._kept[filename, folder] = template
            self._kept.move_to_end((filename, folder))
        while len(self._kept) > max(MOST_KEPT, len(filenames)):
            self._kept.popitem(last=False)
        return filenames

    def render(self, filename: str, folder: str | None, variables: Mapping[str, Any]) -> str:
        if (filename, folder) not in self._kept:
            self.read([filename], folder)
        return str(self._kept[filename, folder].render(variables))
