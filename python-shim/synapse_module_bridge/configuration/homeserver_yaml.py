"""The bridge's blocks in homeserver.yaml: finds them, and tells whether one is still what Synapse was started with."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from typing import Any

import attr
from synapse.config._base import find_config_files, read_config_files
from synapse.module_api import ModuleApi

from synapse_module_bridge.configuration.config import BridgeConfig, read_again
from synapse_module_bridge.configuration.module_configs import Unreadable, read_yaml

MODULE = "synapse_module_bridge.ModuleBridge"


@attr.s(frozen=True, slots=True, auto_attribs=True, kw_only=True)
class Homeserver:
    """What Synapse would read of some files and folders."""

    settings: Mapping[str, Any]
    # Of several files, the one whose `modules` hold.
    file: str | None

    def blocks(self) -> Iterator[tuple[str, Any]]:
        """The bridge's, each with its place. Raises Unreadable."""
        at = "" if self.file is None else f"{self.file}: "
        # Without any, Synapse takes what is empty, too.
        modules = self.settings.get("modules") or []
        if not isinstance(modules, list):
            raise Unreadable(f"{at}modules must be a list")
        return ((f"{at}modules[{index}]", block) for index, block in _blocks(modules))


def read_homeserver(paths: Sequence[str]) -> Homeserver:
    """Raises Unreadable. As `read_config_files` does, but it goes without what the bridge does not need."""
    # What it does not take, Synapse prints.
    with redirect_stdout(sys.stderr):
        try:
            files = find_config_files(list(paths))
        except OSError as e:
            raise Unreadable(f"{e.filename} cannot be read: {e.strerror}") from None
    if not files:
        raise Unreadable(f"there is no .yaml file in {', '.join(paths)}")
    settings: dict[str, Any] = {}
    holding = files[0]
    for file in files:
        content = read_yaml(file)
        if isinstance(content, dict):
            settings |= content
            holding = file if "modules" in content else holding
    return Homeserver(settings=settings, file=holding if len(files) > 1 else None)


def has_changed(api: ModuleApi, ours: BridgeConfig) -> bool:
    """False, too, where its files are not known. May run in a thread."""
    homeserver: Any = api._hs
    files = getattr(homeserver.config, "config_files", ())
    if not files:
        return False
    modules = read_config_files(files).get("modules") or []
    return all(read_again(block, ours.folder) != ours for _, block in _blocks(modules))


def _blocks(modules: Sequence[Any]) -> Iterator[tuple[int, Any]]:
    for index, entry in enumerate(modules):
        if isinstance(entry, dict) and entry.get("module") == MODULE:
            # As Synapse has it.
            yield index, entry.get("config") or {}
