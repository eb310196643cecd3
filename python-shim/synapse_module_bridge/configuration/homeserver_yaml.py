"""Finds the bridge's blocks in homeserver.yaml, and tells whether one has changed since Synapse was started."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from typing import Any

import attr
from synapse.config._base import find_config_files, read_config_files
from synapse.module_api import ModuleApi

from synapse_module_bridge.configuration.config import BridgeConfig, read_again
from synapse_module_bridge.configuration.denied import describe_denied
from synapse_module_bridge.configuration.module_configs import Unreadable, read_yaml

MODULE = "synapse_module_bridge.ModuleBridge"


@attr.s(frozen=True, slots=True, auto_attribs=True, kw_only=True)
class Homeserver:
    """The settings that Synapse would read from some files and folders."""

    settings: Mapping[str, Any]
    # Where there are several files, the last one that has `modules`, which replaces those before.
    file: str | None
    files: Sequence[str]

    def blocks(self) -> Iterator[tuple[str, Any]]:
        """The `config` of each of the bridge's entries, with its place in the files. Raises Unreadable."""
        at = "" if self.file is None else f"{self.file}: "
        # Synapse takes any empty value for an empty list.
        modules = self.settings.get("modules") or []
        if not isinstance(modules, list):
            raise Unreadable(f"{at}modules must be a list")
        return ((f"{at}modules[{index}]", block) for index, block in _blocks(modules))

    def why_no_blocks(self) -> str:
        """Why there are no blocks, or what to do. Reads the files again."""
        for file in self.files:
            content = read_yaml(file)
            modules = content.get("modules") if isinstance(content, dict) else None
            if isinstance(modules, list) and any(_blocks(modules)):
                return f"it is in {file}, but Synapse takes `modules` from {self.file}, the last file that has it"
        for file in self.files:
            with open(file, "rb") as opened:
                if MODULE.encode() in opened.read():
                    return f"it is in {file}, but not under `modules:`"
        return "add it to `modules`"


def read_homeserver(paths: Sequence[str]) -> Homeserver:
    """The settings in these files and folders. Raises Unreadable.

    Merges files as `synapse.config._base.read_config_files` does, but names the place of a fault in the YAML.
    """
    # Synapse prints what it ignores.
    with redirect_stdout(sys.stderr):
        try:
            files = find_config_files(list(paths))
        except PermissionError as e:
            raise Unreadable(describe_denied(e.filename)) from None
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
    return Homeserver(settings=settings, file=holding if len(files) > 1 else None, files=files)


def has_changed(api: ModuleApi, ours: BridgeConfig) -> bool:
    """Whether homeserver.yaml has no bridge with the config `ours` any more. May run in a thread.

    False where this Synapse does not know its files (`synapse.config.homeserver.HomeServerConfig.config_files`). Raises
    what `synapse.config._base.read_config_files` raises.
    """
    homeserver: Any = api._hs
    files = getattr(homeserver.config, "config_files", ())
    if not files:
        return False
    modules = read_config_files(files).get("modules") or []
    return all(read_again(block, ours.folder) != ours for _, block in _blocks(modules))


def _blocks(modules: Sequence[Any]) -> Iterator[tuple[int, Any]]:
    for index, entry in enumerate(modules):
        if isinstance(entry, dict) and entry.get("module") == MODULE:
            # Synapse, too, makes a mapping of an empty value.
            yield index, entry.get("config") or {}
