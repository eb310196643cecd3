"""Keeps what was accepted last, for a restart: the modules, their configs, and the host's snapshot of their files."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from synapse_module_bridge.configuration.module_configs import ConfigFiles, Unreadable, with_configs
from synapse_module_bridge.schema.modes import ENFORCE, Mode
from synapse_module_bridge.supervision.handshake import Occasion, faults_from_host
from synapse_module_bridge.supervision.on_disk import OnDisk
from synapse_module_bridge.supervision.versions import Version, version_of

# A module, as the host gets it or as it declares it.
Module = Mapping[str, Any]
# The host's answer to `initialize`.
Manifest = Mapping[str, Any]

# A message names so many files.
MOST_NAMED = 5


class Accepted:
    """`configured` is `modules` of homeserver.yaml, as of Synapse's start. `secret` is for the hashes of configs."""

    def __init__(self, configured: Sequence[Module], secret: bytes = b"") -> None:
        self._configured = configured
        self._secret = secret
        # The modules as the host got them.
        self._told: Sequence[Module] = ()
        # Opaque: only the host reads it.
        self._snapshot: Any = None
        self._on_disk = OnDisk()
        self._configs = ConfigFiles()
        # When the modules were loaded from disk, in seconds since the epoch.
        self._at = 0.0
        # The declarations of all modules.
        self.modules: Sequence[Module] = ()
        # By name, the version of each module that runs.
        self.versions: Mapping[str, Version] = {}
        # The names of the modules that differ from those accepted before.
        self.changed: Sequence[str] = ()
        # By name, why a module could not be loaded again at a restart.
        self.missing: Mapping[str, str] = {}
        # By name, what is wrong with a module that was off when its file was read.
        self.broken: dict[str, str] = {}

    def initialize(self, occasion: Occasion) -> dict[str, Any]:
        """The part of `initialize` about the modules.

        For a restart, it reads no files. Otherwise it reads the modules' configs, and may run in a thread.
        """
        if occasion == "restart":
            return {"modules": self._told, **({} if self._snapshot is None else {"snapshot": self._snapshot})}
        return {"modules": with_configs(self._configured, self._configs.read)}

    def accept(self, told: Mapping[str, Any], manifest: Manifest) -> None:
        """Keeps what a host has taken over with: `told` is its `initialize`, `manifest` its answer.

        A module that could not be loaded again keeps its declarations.
        """
        before, before_told = {module["name"]: module for module in self.modules}, self._told
        self._told = told["modules"]
        if "snapshot" not in told:
            self._snapshot = manifest.get("snapshot")
            self._at = time.time()
        declared = {module["name"]: module for module in manifest["modules"]}
        if "snapshot" not in told:
            self.broken = self._broken(manifest)
        if self.modules:
            # What is broken declares nothing.
            declared = {name: module for name, module in declared.items() if name not in self.broken}
        self.modules = [declared.get(module["name"], module) for module in self.modules or manifest["modules"]]
        self.missing = self._missing(manifest)
        self.versions = {
            module["name"]: version_of(module, given.get("config"), self._secret)
            for module, given in zip(self.modules, self._told, strict=False)
        }
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

    def _broken(self, manifest: Manifest) -> dict[str, str]:
        modules, broken = self.modules or manifest["modules"], dict[str, str]()
        for fault in faults_from_host(manifest.get("broken", [])):
            at = fault.path[1] if fault.path is not None and len(fault.path) > 1 else None
            if isinstance(at, int) and at < len(modules):
                broken.setdefault(modules[at]["name"], fault.message)
        return broken

    def declared(self, name: str) -> Module | None:
        """What a module declares; None where there is no such module."""
        return next((module for module in self.modules if module["name"] == name), None)

    def not_kept(self, told: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
        """By module, what a restart will read from disk, since the snapshot lacks it. Empty after a restart."""
        if "snapshot" in told:
            return {}
        return {module["name"]: module["not_kept"] for module in self.modules if module.get("not_kept")}

    def differing(self) -> list[str]:
        """The paths of the files that have changed since they were loaded. May run in a thread."""
        configs = [told["config_source"] for told in self._told if self._has_changed(told)]
        return self._on_disk.differing(self._digests()) + configs

    def differing_by_module(self) -> Mapping[str, list[str]]:
        """By name, the paths of a module's files that have changed since they were loaded. May run in a thread."""
        return {
            module["name"]: self._on_disk.differing(_files(module))
            + ([told["config_source"]] if self._has_changed(told) else [])
            for module, told in zip(self.modules, self._told, strict=False)
        }

    def differs(self, name: str) -> bool:
        """Whether a file or the config of this module has changed since it was loaded. May run in a thread."""
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
        """The end of a sentence that says what runs, and that these files differ from it; empty where none do."""
        if not differing:
            return ""
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self._at))
        more = len(differing) - MOST_NAMED
        others = f" and {more} more" if more > 0 else ""
        return f"; it runs what was loaded at {at}; on disk differs: {', '.join(differing[:MOST_NAMED])}{others}"


def modes_of(told: Mapping[str, Any]) -> Mapping[str, Mode]:
    """By name, the modes of an `initialize` of the bridge."""
    return {module["name"]: module.get("mode", ENFORCE) for module in told["modules"]}


def _files(module: Module) -> dict[str, str]:
    return {**module.get("files", {}), **module.get("packages", {})}
