"""Starts the Node process of the first host as early as its command line is known.

Node takes longer to start than all that the shim does meanwhile: it imports most of itself, and reads the host's files.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from synapse_module_bridge.configuration.config import BridgeConfig
from synapse_module_bridge.process.host_files import HostFiles, look_at
from synapse_module_bridge.process.node import AskedVersion, find_node
from synapse_module_bridge.process.spawn import Spawned, end, spawn
from synapse_module_bridge.schema.installed import HOST_FOLDER
from synapse_module_bridge.supervision.launch import environment, host_command


class FirstProcess:
    """Starts Node, which loads no module before `initialize`. Raises StartupProblem; then no process is left."""

    def __init__(self, config: BridgeConfig) -> None:
        self.node = find_node(config.node)
        self._version: AskedVersion | None = AskedVersion(self.node)
        self._seen = look_at(HOST_FOLDER)
        self._command = host_command(self.node, HOST_FOLDER, config)
        self._spawned: Spawned | None = None
        # What prevents this start prevents the next one, too, and that one reports it.
        with suppress(OSError):
            self._spawned = spawn(self._command, environment(config))

    def check(self) -> HostFiles:
        """Waits until the version of Node is known, and keeps the host's files. Raises StartupProblem."""
        if self._version is not None:
            version, self._version = self._version, None
            version.check()
        files = HostFiles(HOST_FOLDER)
        if not files.are_as_seen(self._seen):
            # After an upgrade, the process may run other files than those that are kept.
            self.abandon()
        return files

    def start(self, command: Sequence[str], env: Mapping[str, str]) -> Spawned:
        """As `spawn`. The first time, it gives the process that was started early, if that runs this command."""
        if command == self._command and self._spawned is not None:
            spawned, self._spawned = self._spawned, None
            return spawned
        self.abandon()
        return spawn(command, env)

    def abandon(self) -> None:
        """Kills what was started, unless `start` has given it away."""
        if self._version is not None:
            version, self._version = self._version, None
            version.forget()
        if self._spawned is not None:
            spawned, self._spawned = self._spawned, None
            end(spawned)
