"""Finds out whether a request is a server admin's, as Synapse itself sees it. No module of the bridge is asked."""

import logging
import time
from typing import Any

from synapse.api.errors import SynapseError
from synapse.module_api import ModuleApi

from synapse_module_bridge.reactor.unexpected import log_unexpected

logger = logging.getLogger("synapse_module_bridge.admin")

_BEARER = b"Bearer "


class Access:
    """Who may use the admin API of one homeserver."""

    def __init__(self, api: ModuleApi) -> None:
        self._api = api

    async def admin_of(self, request: Any) -> str | None:
        """The user id of the admin whose token the request has; None for whoever has none.

        The reason stays within: it must not show in the answer.
        """
        token = _token(request)
        if token is None:
            return None
        try:
            return await self._admin_with(token, request)
        except SynapseError:
            # Synapse's log tells about the request, and where an authentication service cannot be reached.
            return None
        except Exception as e:
            log_unexpected("looking for an admin's token", e)
            return None

    async def _admin_with(self, token: str, request: Any) -> str | None:
        # Otherwise modules are asked whether the user is expired (`is_user_expired`). This lets tokens pass that have
        # expired, too. What else is refused here: guests, locked users, deactivated users (their tokens are gone).
        requester = await self._api.get_user_by_req(request, allow_expired=True)
        auth: Any = self._api._auth
        if requester.app_service_id is not None or not await auth.is_server_admin(requester):
            return None
        user_id: str = requester.user.to_string()
        return None if await self._has_expired(token, user_id) else user_id

    async def _has_expired(self, token: str, user_id: str) -> bool:
        """Whether the token has expired, or the user has by Synapse's own `account_validity`."""
        homeserver: Any = self._api._hs
        store: Any = homeserver.get_datastores().main
        now = int(time.time() * 1000)
        # None where an authentication service has the tokens. It has been asked whether this one is active.
        found = await store.get_user_by_access_token(token)
        if found is not None and found.valid_until_ms is not None and found.valid_until_ms <= now:
            return True
        if homeserver.config.account_validity.account_validity_enabled:
            return bool(await store.is_account_expired(user_id, now))
        return False


def _token(request: Any) -> str | None:
    """The token in the request's header. Synapse would also take one from the query string, which ends up in logs."""
    given: list[bytes] = request.requestHeaders.getRawHeaders(b"Authorization") or []
    if len(given) != 1 or b"access_token" in request.args or not given[0].startswith(_BEARER):
        return None
    try:
        token: str = given[0][len(_BEARER) :].decode("ascii")
    except UnicodeDecodeError:
        return None
    return token or None
