"""Holds what all bridges of a process share: the modes, the requests for a reload, and one look at both."""

import logging
from collections.abc import Mapping
from typing import Any

from synapse.module_api import ModuleApi

from synapse_module_bridge.configuration.per_homeserver import PerHomeserver
from synapse_module_bridge.reactor.unexpected import contained
from synapse_module_bridge.routing.workers import name_of_process
from synapse_module_bridge.shared.direct import NoDatabase, interact
from synapse_module_bridge.shared.mode_tables import CREATE, Reading, are_made, read
from synapse_module_bridge.shared.modes import FIRST_READING_SECONDS, Modes
from synapse_module_bridge.shared.poll import Poll
from synapse_module_bridge.shared.reloads import Reloads
from synapse_module_bridge.storage.own_tables import OwnTables, Txn

logger = logging.getLogger("synapse_module_bridge.shared")

NOTHING = Reading(overrides={}, latest_reload=0)


class Deployment:
    """For one homeserver, in this process. `clock` is an IReactorTime."""

    def __init__(self, api: ModuleApi, clock: Any) -> None:
        self._api = api
        self._clock = clock
        tables = OwnTables(api, "module_bridge_modes", CREATE)
        self.process = name_of_process(api)
        self.modes = Modes(api, tables, clock, self._announce)
        self.reloads = Reloads(api, tables, self.process, self._announce)
        self._poll = Poll(api, tables, clock, self._look)
        self._hint = Hint(self._poll)
        self._first_reading: Any = None

    def begin(self, reactor: Any) -> None:
        """Reads the database, which blocks, and looks at it regularly once the reactor runs."""
        try:
            self.modes.read_before(_read_before(self._api))
        except NoDatabase as e:
            logger.warning("the modes of modules cannot be read yet: %s", e)
        self._api.register_cached_function(self._hint)  # type: ignore[arg-type]
        reactor.callWhenRunning(self._run)
        reactor.addSystemEventTrigger("before", "shutdown", self.stop)

    def _run(self) -> None:
        if not self.modes.is_known:
            self._first_reading = self._clock.callLater(FIRST_READING_SECONDS, self.modes.wait_no_longer)
        self._poll.start()

    def stop(self) -> None:
        """Synapse stops: its database goes."""
        self._poll.stop()
        if self._first_reading is not None and self._first_reading.active():
            self._first_reading.cancel()

    def _look(self, reading: Reading | None) -> None:
        self.modes.look(reading)
        if reading is not None:
            self.reloads.look(reading.latest_reload)

    async def _announce(self) -> None:
        try:
            await self._api.invalidate_cache(self._hint, ("changed",))  # type: ignore[arg-type]
        except Exception as e:
            # They look regularly.
            logger.debug("the other processes cannot be told at once: %s", type(e).__name__)
        await self._poll.look()


_DEPLOYMENTS: PerHomeserver[Deployment] = PerHomeserver()


def deployment_of(api: ModuleApi, clock: Any, reactor: Any) -> Deployment:
    """That of the api's homeserver. The first time, it is made, and reads the database."""

    def make() -> Deployment:
        deployment = Deployment(api, clock)
        deployment.begin(reactor)
        return deployment

    return _DEPLOYMENTS.of(api, make)


class Hint:
    """What Synapse takes for a cached function (`CachedFunction`): its invalidation lets a process look at once.

    On PostgreSQL with Redis, Synapse passes it on to the other processes. Without, they look a little later.
    """

    def __init__(self, poll: Poll) -> None:
        # Synapse names the function by both.
        self.__module__ = "synapse_module_bridge.shared"
        self.__name__ = "look"
        self._poll = poll

    def invalidate(self, _key: tuple[Any, ...]) -> None:
        """Synapse calls it before it writes the row: too early."""

    def invalidate_local(self, _key: tuple[Any, ...]) -> None:
        """Synapse calls it for a row of another process. It must not raise."""
        contained("looking at what another process has written", self._poll.soon, None)

    def invalidate_all(self) -> None:
        """Synapse calls it for a row without keys, which the bridge does not write."""


def database_of(config: Any) -> Mapping[str, Any]:
    """Synapse's configuration of the database that has its main data, from its `DatabaseConfig`."""
    databases = config.databases
    main = next((one for one in databases if "main" in one.databases), databases[0])
    found: Mapping[str, Any] = main.config
    return found


def _read_before(api: ModuleApi) -> Reading:
    """What the tables have, before the reactor runs. Raises NoDatabase."""

    def look(txn: Txn, postgres: bool) -> Reading:
        return read(txn) if are_made(txn, postgres) else NOTHING

    homeserver: Any = api._hs
    try:
        database = database_of(homeserver.config.database)
    except AttributeError:
        raise NoDatabase("this Synapse does not say where it is") from None
    return interact(database, look)
