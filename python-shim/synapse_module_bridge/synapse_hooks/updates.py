"""Answers Synapse's questions about background updates. Where no module does, Synapse's own values hold.

For each iteration of an update, Synapse enters and leaves an async context manager: a call, and its follow-up.
"""

from collections.abc import Sequence
from types import TracebackType
from typing import Any

from synapse.module_api import ModuleApi

from synapse_module_bridge.pipeline.follow_up import FollowUp, FollowUps
from synapse_module_bridge.schema.catalogue import Callback
from synapse_module_bridge.synapse_hooks.forward import Answer, Forwarder, as_callback


def with_own_sizes(answer: Answer, api: ModuleApi) -> Answer:
    """`answer`, for default_batch_size and min_batch_size, with Synapse's own size in place of None."""

    async def answered(callback: Callback, args: Sequence[Any]) -> int:
        size = await answer(callback, args)
        if size is not None:
            return int(size)
        updater = updater_of(api, args[1])
        is_default = callback.name == "default_batch_size"
        own: int = updater.default_background_batch_size if is_default else updater.minimum_background_batch_size
        return own

    return answered


def make_update_forwarder(callback: Callback, answer: Answer, follow_ups: FollowUps, api: ModuleApi) -> Forwarder:
    """The function for `on_update`. Synapse does not await it: it returns the context manager at once."""
    return as_callback(callback, lambda *args: Iteration(callback, args, answer, follow_ups, api))


class Iteration:
    """One iteration of a background update: its start gives the duration in milliseconds."""

    def __init__(
        self,
        callback: Callback,
        args: Sequence[Any],
        answer: Answer,
        follow_ups: FollowUps,
        api: ModuleApi,
    ) -> None:
        self._callback = callback
        self._args = args
        self._answer = answer
        self._follow_ups = follow_ups
        self._api = api
        self._follow_up: FollowUp | None = None

    async def __aenter__(self) -> int:
        duration, self._follow_up = await self._answer(self._callback, self._args)
        if duration is not None:
            return int(duration)
        # As Synapse's own context manager (synapse/storage/background_updates.py) does.
        updater = updater_of(self._api, self._args[1])
        if updater.sleep_enabled:
            await self._api.sleep(updater.sleep_duration_ms / 1000)
        own: int = updater.update_duration_ms
        return own

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._follow_up is not None:
            await self._follow_ups.run(self._callback, self._follow_up, {})


def updater_of(api: ModuleApi, database_name: str) -> Any:
    """Synapse's BackgroundUpdater of a database."""
    databases = api._hs.get_datastores().databases
    found = next((database for database in databases if database.name() == database_name), databases[0])
    return found.updates
