"""What was accepted last: the modules with their configs, and what they were loaded from. A restart runs that again."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from synapse_module_bridge.configuration.module_configs import ConfigFiles, Unreadable, with_configs
from synapse_module_bridge.supervision.initialize import Occasion
from synapse_module_bridge.supervision.on_disk import OnDisk

Module = Mapping[str, Any]
Manifest = Mapping[str, Any]

MOST_NAMED = 5


class Accepted:
    """`configured` is what homeserver.yaml had for `modules` when Synapse was started."""

    def __init__(self, configured: Sequence[Module]) -> None:
        self._configured = configured
        self._told: Sequence[Module] = ()
        # The host alone knows what is in it.
        self._snapshot: Any = None
        self._on_disk = OnDisk()
        self._configs = ConfigFiles()
        self._at = 0.0
        # What all modules declare.
        self.modules: Sequence[Module] = ()
        # Those that are not as they were before.
        self.changed: Sequence[str] = ()
        # Those that could not be loaded again at a restart: each one's name, and why.
        self.missing: Mapping[str, str] = {}

    def initialize(self, occasion: Occasion) -> dict[str, Any]:
        """What a new host is told of the modules. At a restart it reads nothing; else it may run in a thread."""
        if occasion == "restart":
            return {"modules": self._told, **({} if self._snapshot is None else {"snapshot": self._snapshot})}
        return {"modules": with_configs(self._configured, self._configs.read)}

    def accept(self, told: Mapping[str, Any], manifest: Manifest) -> None:
        """A host that was told this has taken over with these declarations.

        A module that could not be loaded again still declares what it did.
        """
        before, before_told = {module["name"]: module for module in self.modules}, self._told
        self._told = told["modules"]
        if "snapshot" not in told:
            self._snapshot = manifest.get("snapshot")
            self._at = time.time()
        declared = {module["name"]: module for module in manifest["modules"]}
        self.modules = [declared.get(module["name"], module) for module in self.modules or manifest["modules"]]
        self.missing = self._missing(manifest)
        self._on_disk.forget_others(self._digests())
        configs = zip(before_told, self._told, strict=False)
        have_changed = [one.get("config") != other.get("config") for one, other in configs] or [True] * len(self._told)
        self.changed = [
            module["name"]
            for module, has_config_changed in zip(self.modules, have_changed, strict=False)
            if has_config_changed or _files(before.get(module["name"], {})) != _files(module)
        ]

    def _missing(self, manifest: Manifest) -> Mapping[str, str]:
        missing: dict[str, str] = {}
        for fault in manifest.get("faults", ()):
            at = fault["path"][1] if len(fault["path"]) > 1 else None
            if isinstance(at, int) and at < len(self.modules):
                missing.setdefault(self.modules[at]["name"], fault["message"])
        return missing

    def not_kept(self, told: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
        """What a restart has to take from disk, by module, of modules that were loaded from there just now."""
        if "snapshot" in told:
            return {}
        return {module["name"]: module["not_kept"] for module in self.modules if module.get("not_kept")}

    def differing(self) -> list[str]:
        """The files that hold something else now than when they were loaded. May run in a thread."""
        configs = [told["config_source"] for told in self._told if self._has_changed(told)]
        return self._on_disk.differing(self._digests()) + configs

    def differs(self, name: str) -> bool:
        """Whether this module is not on disk as it was loaded. May run in a thread."""
        for module, told in zip(self.modules, self._told, strict=False):
            if module["name"] == name:
                return bool(self._on_disk.differing(_files(module))) or self._has_changed(told)
        return False

    def _digests(self) -> dict[str, str]:
        return {path: digest for module in self.modules for path, digest in _files(module).items()}

    def _has_changed(self, told: Module) -> bool:
        if "config_source" not in told:
            return False
        try:
            return bool(self._configs.read(told["config_source"]) != told["config"])
        except Unreadable:
            return True

    def describe(self, differing: Sequence[str]) -> str:
        """What runs, where that is not what lies on disk."""
        if not differing:
            return ""
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self._at))
        more = len(differing) - MOST_NAMED
        others = f" and {more} more" if more > 0 else ""
        return f"; it runs what was loaded at {at}; on disk differs: {', '.join(differing[:MOST_NAMED])}{others}"


def _files(module: Module) -> dict[str, str]:
    return {**module.get("files", {}), **module.get("packages", {})}
