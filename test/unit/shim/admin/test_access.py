"""Who is let in, by what Synapse tells of a request's token."""

import asyncio
from typing import Any

import pytest
from synapse.api.errors import InvalidClientTokenError
from synapse.appservice import ApplicationService
from synapse.storage.databases.main.registration import TokenLookupResult
from synapse.types import UserID, create_requester
from synapse_module_bridge.admin.access import Access
from twisted.web.http_headers import Headers

ADMIN = "@admin:test"
NOW = 1_000_000_000.5
NOW_MS = 1_000_000_000_500


class Request:
    """What `Access` uses of one of Twisted's."""

    def __init__(self, *authorization: bytes, **args: list[bytes]) -> None:
        self.requestHeaders = Headers({b"Authorization": list(authorization)} if authorization else {})
        self.args = {name.encode(): values for name, values in args.items()}


class Homeserver:
    """What `Access` asks of Synapse: whose a token is, who is an admin, and what has expired."""

    def __init__(self) -> None:
        self.requester: Any = create_requester(ADMIN, authenticated_entity=ADMIN)
        self.found: TokenLookupResult | None = TokenLookupResult(user_id=ADMIN, token_id=1)
        self.account_validity_enabled = False
        self.is_expired_by_then = 0
        self.admins = {ADMIN}
        self.asked: list[Any] = []
        self._auth = self._hs = self.main = self.config = self.account_validity = self

    def get_datastores(self) -> "Homeserver":
        return self

    async def get_user_by_req(self, request: Any, *, allow_expired: bool) -> Any:
        self.asked.append(("request", request, allow_expired))
        if isinstance(self.requester, Exception):
            raise self.requester
        return self.requester

    async def is_server_admin(self, requester: Any) -> bool:
        return requester.user.to_string() in self.admins

    async def get_user_by_access_token(self, token: str) -> TokenLookupResult | None:
        self.asked.append(("token", token))
        return self.found

    async def is_account_expired(self, user_id: str, now: int) -> int:
        self.asked.append(("account", user_id, now))
        return int(now >= self.is_expired_by_then)

    def lets_in(self, request: Request) -> str | None:
        api: Any = self
        return asyncio.run(Access(api).admin_of(request))


TOKEN = Request(b"Bearer syt_x")


@pytest.fixture
def homeserver(monkeypatch: pytest.MonkeyPatch) -> Homeserver:
    monkeypatch.setattr("synapse_module_bridge.admin.access.time.time", lambda: NOW)
    return Homeserver()


def test_an_admin_is_let_in_and_no_module_is_asked(homeserver: Homeserver) -> None:
    assert homeserver.lets_in(TOKEN) == ADMIN
    assert homeserver.asked == [("request", TOKEN, True), ("token", "syt_x")]


@pytest.mark.parametrize(
    "request_",
    [
        Request(),
        Request(b"Bearer "),
        Request(b"bearer syt_x"),
        Request(b"Basic syt_x"),
        Request(b"Bearer syt_x", b"Bearer syt_y"),
        Request(b"Bearer syt_\xff"),
        Request(b"Bearer syt_x", access_token=[b"syt_x"]),
        Request(access_token=[b"syt_x"]),
    ],
)
def test_only_one_token_in_one_header_counts(homeserver: Homeserver, request_: Request) -> None:
    assert homeserver.lets_in(request_) is None
    assert homeserver.asked == []


def test_a_user_is_no_admin(homeserver: Homeserver) -> None:
    homeserver.admins.clear()
    assert homeserver.lets_in(TOKEN) is None


def test_an_application_service_is_not_let_in_as_an_admin(
    homeserver: Homeserver,
) -> None:
    irc = ApplicationService("as_token", id="irc", sender=UserID.from_string("@irc:test"))
    homeserver.requester = create_requester(ADMIN, authenticated_entity=ADMIN, app_service=irc)
    assert homeserver.lets_in(TOKEN) is None


@pytest.mark.parametrize(
    ("valid_until_ms", "is_let_in"),
    [(None, True), (NOW_MS - 1, False), (NOW_MS, False), (NOW_MS + 1, True)],
)
def test_a_token_is_valid_until_it_has_expired(
    homeserver: Homeserver, valid_until_ms: int | None, is_let_in: bool
) -> None:
    homeserver.found = TokenLookupResult(user_id=ADMIN, token_id=1, valid_until_ms=valid_until_ms)
    assert (homeserver.lets_in(TOKEN) == ADMIN) == is_let_in


def test_a_token_of_an_authentication_service_is_not_in_the_database(
    homeserver: Homeserver,
) -> None:
    homeserver.found = None
    assert homeserver.lets_in(TOKEN) == ADMIN


@pytest.mark.parametrize(("expires", "is_let_in"), [(NOW_MS, False), (NOW_MS + 1, True)])
def test_an_account_expires_by_the_setting_of_synapse(homeserver: Homeserver, expires: int, is_let_in: bool) -> None:
    homeserver.account_validity_enabled = True
    homeserver.is_expired_by_then = expires
    assert (homeserver.lets_in(TOKEN) == ADMIN) == is_let_in
    assert homeserver.asked[-1] == ("account", ADMIN, NOW_MS)


def test_the_reason_stays_within(homeserver: Homeserver, caplog: pytest.LogCaptureFixture) -> None:
    homeserver.requester = InvalidClientTokenError()
    assert homeserver.lets_in(TOKEN) is None
    assert caplog.messages == []
    homeserver.requester = RuntimeError("what a user wrote")
    assert homeserver.lets_in(TOKEN) is None
    assert "looking for an admin's token failed: RuntimeError" in caplog.text and "wrote" not in caplog.text
