"""Keeps the modes of one bridge's modules: which are wished, in force and run, and who is asked because of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from synapse_module_bridge.configuration.config import BridgeConfig, mode_of, name_of
from synapse_module_bridge.pipeline.router import Router
from synapse_module_bridge.routing.entry import Entry
from synapse_module_bridge.routing.modes_in_force import ModesInForce
from synapse_module_bridge.schema.modes import ENFORCE, SHADOW, Mode, lesser
from synapse_module_bridge.shared.keeping import Keeping
from synapse_module_bridge.shared.modes import Modes
from synapse_module_bridge.supervision.accepted import Accepted, modes_of
from synapse_module_bridge.supervision.handshake import Occasion
from synapse_module_bridge.supervision.reload import Reload
from synapse_module_bridge.supervision.switching import Switching

# By callback.
Entries = Mapping[str, Sequence[Entry]]


def yaml_modes(config: BridgeConfig) -> dict[str, Mode]:
    """The modes of homeserver.yaml, by module."""
    return {name_of(module): mode_of(module) for module in config.modules}


class BridgeModes:
    """`set_modes` are those that admins have set; None where nobody can."""

    def __init__(self, config: BridgeConfig, set_modes: Modes | None) -> None:
        self._set_modes = set_modes
        self.yaml = yaml_modes(config)
        # In this process.
        self.in_force = ModesInForce()
        # The entries of all modules, as if all enforced.
        self._entries: Entries = {}

    def connect(
        self,
        accepted: Accepted,
        switching: Switching,
        reload: Reload,
        router: Router,
        keeping: Keeping | None,
        ask: Callable[[Entries], None],
    ) -> None:
        """What follows the modes. `ask` lets these entries be asked, and no others."""
        self._accepted = accepted
        self._switching = switching
        self._reload = reload
        self._router = router
        self._keeping = keeping
        self._ask = ask

    def begin(self) -> None:
        """Follows what admins set from now on."""
        if self._set_modes is not None:
            self._set_modes.add(self.yaml, self.changed)
            self.changed()

    def mode_of(self, name: str) -> Mode:
        """The mode that is in force in this process."""
        return self.in_force.of(name)

    def problem_of(self, name: str) -> str | None:
        """Why a module could not be loaded, or does not have the mode that it should have."""
        switching = self._switching.problems.get(name)
        return switching or self._accepted.missing.get(name) or self._accepted.broken.get(name)

    def why_restart_needed(self, name: str, mode: Mode) -> str | None:
        """Why a module cannot have this mode before Synapse is restarted, or at all; or None."""
        return self._switching.why_restart_needed(name, mode)

    def wished(self) -> Mapping[str, Mode]:
        """The modes that modules should have."""
        if self._set_modes is None:
            return self.yaml
        return {name: self._set_modes.wished(name, mode) for name, mode in self.yaml.items()}

    def of_host(self, occasion: Occasion) -> Mapping[str, Mode]:
        """The modes for a host that is to start."""
        # No restart and no reload depends on a module that is to do more: that comes once the others run.
        return self.wished() if occasion == "start" else self.in_force.in_force

    def of_requests(self, told: Mapping[str, Any]) -> Mapping[str, Mode]:
        """The modes whose grants a host may use that was started with `told`.

        One that is to take over may use those of a module that it enforces; one that is to go, no more.
        """
        return {name: lesser(mode, self.in_force.wished.get(name, mode)) for name, mode in modes_of(told).items()}

    def may_enforce(self, name: str) -> bool:
        """Whether the module enforces, or may do so while Synapse runs: what an admin has set may end."""
        return ENFORCE in (self.mode_of(name), self.yaml[name])

    def shadows(self) -> Mapping[str, bool]:
        """The modules, and whether each is a shadow module."""
        return {name: self.mode_of(name) == SHADOW for name in self.yaml}

    def describe(self) -> str:
        """The modules, for the log."""
        modes = {name: self.mode_of(name) for name in self.yaml}
        return ", ".join(name if mode == ENFORCE else f"{name} ({mode})" for name, mode in modes.items())

    def changed(self) -> None:
        """Modules should have other modes."""
        if self._set_modes is not None:
            self._router.until_modes = None if self._set_modes.is_known else self._set_modes.until_known
        self._switching.forget_problems()
        self._apply(self.in_force.running)
        self.switch()

    def taken_over(self, entries: Entries, running: Mapping[str, Mode]) -> None:
        """A host has taken over that runs modules in these modes. `entries` are those of all modules."""
        self._entries = entries
        self._apply(running)

    def switch(self) -> None:
        """Replaces the host, if modules should run in other modes than it runs them in."""
        if self._switching.is_due:
            self._reload.modes_changed()

    def _apply(self, running: Mapping[str, Mode]) -> None:
        if self._keeping is not None:
            self._keeping.modes_change()
        self.in_force.update(self.wished(), running)
        self._ask(self.in_force.table(self._entries))
