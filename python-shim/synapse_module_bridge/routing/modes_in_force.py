"""Knows which mode of each module is in force in this process, and which entries are asked because of it.

A mode that allows less is in force at once. One that allows more is in force once the host runs the module in it.
"""

from collections.abc import Mapping, Sequence

import attr

from synapse_module_bridge.routing.entry import Entry
from synapse_module_bridge.schema.modes import ENFORCE, OFF, SHADOW, Mode, lesser


class ModesInForce:
    """A module that it does not know enforces."""

    def __init__(self) -> None:
        # The modes that modules should have.
        self.wished: Mapping[str, Mode] = {}
        # The modes in which the host runs them.
        self.running: Mapping[str, Mode] = {}
        self.in_force: Mapping[str, Mode] = {}
        # Whether any module does not enforce. Each call reads this.
        self.restrict = False

    def update(self, wished: Mapping[str, Mode], running: Mapping[str, Mode]) -> None:
        """Other modes are wished, or another host has taken over."""
        self.wished, self.running = wished, running
        self.in_force = {name: lesser(mode, running.get(name, mode)) for name, mode in wished.items()}
        self.restrict = any(mode != ENFORCE for mode in self.in_force.values())

    def of(self, module: str) -> Mode:
        """The mode that is in force."""
        return self.in_force.get(module, ENFORCE)

    def is_off(self, module: str) -> bool:
        """Whether the module answers nothing."""
        return self.of(module) == OFF

    def still_asked(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Those of the entries of a call whose modules may still be asked: others were switched off meanwhile.

        A module that has become a shadow is not asked about the calls that it was to decide.
        """
        return [entry for entry in entries if not self._is_out(entry)]

    def are_out(self, entries: Sequence[Entry]) -> bool:
        """Whether any of the entries is not asked any more."""
        return self.restrict and any(self._is_out(entry) for entry in entries)

    def _is_out(self, entry: Entry) -> bool:
        mode = self.of(entry.module)
        return mode == OFF or (mode == SHADOW and not entry.shadow)

    def table(self, entries: Mapping[str, Sequence[Entry]]) -> Mapping[str, Sequence[Entry]]:
        """The routing table, from the entries of all modules."""
        return {
            callback: [
                attr.evolve(entry, shadow=self.of(entry.module) == SHADOW)
                for entry in listed
                if not self.is_off(entry.module)
            ]
            for callback, listed in entries.items()
        }
