"""Defines the class that homeserver.yaml names. It imports little, so that Node starts before the rest is imported."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from synapse.module_api import ModuleApi

from synapse_module_bridge.configuration import config as configuration
from synapse_module_bridge.configuration.config import BridgeConfig
from synapse_module_bridge.routing.workers import Workers
from synapse_module_bridge.schema.startup_problems import StartupError, StartupProblem, StartupProblems, describe
from synapse_module_bridge.supervision.first_process import FirstProcess

logger = logging.getLogger("synapse_module_bridge.bridge")


class ModuleBridge:
    """`synapse_module_bridge.ModuleBridge` in homeserver.yaml. Raises StartupError where it cannot start."""

    @staticmethod
    def parse_config(config: Any) -> BridgeConfig:
        """Validates the YAML block. Raises ConfigError. Starts no process, since Synapse's scripts call this, too."""
        return configuration.parse(config)

    def __init__(self, config: BridgeConfig, api: ModuleApi) -> None:
        with _told_to_the_admin():
            workers = Workers(config, api)
            first = FirstProcess(config) if workers.starts_node() else None
            try:
                # While Node starts, which takes longer.
                from synapse_module_bridge.bridge import start

                start(config, api, workers, first)
            except BaseException:
                if first is not None:
                    first.abandon()
                raise


@contextmanager
def _told_to_the_admin() -> Iterator[None]:
    """Makes the last line that Synapse prints, and one of its log, of what stops it."""
    try:
        yield
    except StartupProblem as e:
        message = describe(e.faults if isinstance(e, StartupProblems) else [e])
        logger.critical("%s", message)
        raise StartupError(message) from None
