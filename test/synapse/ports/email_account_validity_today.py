"""The published synapse-email-account-validity 0.3 on a Synapse of today.

It is of 2021: Synapse called its callbacks by name then. What Synapse has removed since is given back here, and the
callbacks and web resources are registered as they are today. All that is decided and sent, the published code does.
"""

import random
import sys
from collections.abc import Collection
from types import ModuleType
from typing import Any

from synapse.module_api import ModuleApi
from synapse.storage.database import DatabasePool


class _NotInstalled(Exception):
    pass


def _get_distribution(name: str) -> Any:
    raise _NotInstalled(name)


# It asks setuptools, which has none of this any more, for its own version.
_pkg_resources: Any = ModuleType("pkg_resources")
_pkg_resources.DistributionNotFound = _NotInstalled
_pkg_resources.get_distribution = _get_distribution
sys.modules["pkg_resources"] = _pkg_resources

from email_account_validity import (  # type: ignore[import-not-found]  # noqa: E402
    _store,
    account_validity,
    servlets,
)


class _DatabasePool:
    """Rows were dicts."""

    simple_select_one_onecol_txn = DatabasePool.simple_select_one_onecol_txn
    simple_update_one_txn = DatabasePool.simple_update_one_txn

    @staticmethod
    def cursor_to_dict(txn: Any) -> list[dict[str, Any]]:
        names = [column[0] for column in txn.description]
        return [dict(zip(names, row, strict=True)) for row in txn]

    @staticmethod
    def simple_select_one_txn(txn: Any, retcols: Collection[str], **how: Any) -> dict[str, Any]:
        row = DatabasePool.simple_select_one_txn(txn, retcols=retcols, **how)
        return dict(zip(retcols, row, strict=True))

    @staticmethod
    def simple_select_many_txn(txn: Any, retcols: Collection[str], **how: Any) -> list[dict[str, Any]]:
        rows = DatabasePool.simple_select_many_txn(txn, retcols=retcols, **how)
        return [dict(zip(retcols, row, strict=True)) for row in rows]

    @staticmethod
    def simple_insert_many_txn(txn: Any, table: str, values: list[dict[str, Any]]) -> None:
        keys = list(values[0])
        rows: list[Any] = [[value[key] for key in keys] for value in values]
        DatabasePool.simple_insert_many_txn(txn, table, keys, rows)


class _Random(random.SystemRandom):
    """It took floats."""

    def randrange(self, start: Any, *rest: Any) -> int:
        return super().randrange(int(start), *map(int, rest))


class _Api:
    """Two methods had other names."""

    def __init__(self, api: ModuleApi) -> None:
        self._api = api
        self.current_time_ms = api._clock.time_msec
        self.looping_background_call_async = api.looping_background_call

    def __getattr__(self, name: str) -> Any:
        return getattr(self._api, name)


class EmailAccountValidity(account_validity.EmailAccountValidity):  # type: ignore[misc]
    def __init__(self, config: Any, api: ModuleApi) -> None:
        _store.DatabasePool = _DatabasePool
        _store.random.SystemRandom = _Random
        # Caches have these names of their owner in their metrics.
        _store.EmailAccountValidityStore.server_name = api.server_name
        _store.EmailAccountValidityStore.clock = api._clock
        super().__init__(config, _Api(api))
        # Each servlet had a cache of its own, of which the others did not hear.
        servlets.EmailAccountValidityStore = lambda config, api: self._store
        path = "/_synapse/client/email_account_validity"
        api.register_web_resource(path, servlets.EmailAccountValidityServlet(config, _Api(api)))
        api.register_account_validity_callbacks(
            is_user_expired=self.is_user_expired,
            on_user_registration=self.on_user_registration,
            on_legacy_send_mail=self.on_legacy_send_mail,
            on_legacy_renew=self.on_legacy_renew,
            on_legacy_admin_request=self.on_legacy_admin_request,
        )

    async def is_user_expired(self, user_id: str) -> bool | None:
        expired, known = await self.user_expired(user_id)
        return expired if known else None
