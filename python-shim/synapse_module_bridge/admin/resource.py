"""Serves the admin API: lets admins in, hands their requests on, and writes the answers.

For all others it looks like a path that does not exist.
"""

import json
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from synapse.api.errors import Codes
from synapse.http.server import UnrecognizedRequestResource, respond_with_json_bytes
from synapse.module_api import DirectServeJsonResource

from synapse_module_bridge.admin.access import Access
from synapse_module_bridge.admin.questions import MOST_BODY_BYTES, Question, find, read_body, read_query
from synapse_module_bridge.admin.rate_limits import RateLimit, too_many
from synapse_module_bridge.admin.refused import Refused
from synapse_module_bridge.reactor.unexpected import log_unexpected
from synapse_module_bridge.schema.admin import ADMIN_LIMITS
from synapse_module_bridge.telemetry.log_text import one_line

logger = logging.getLogger("synapse_module_bridge.admin")

AT_ONCE = ADMIN_LIMITS["at_once"]
# An answer is for whoever has asked, and is data, wherever a browser may want to put it.
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}
# What a browser says of a page of this site, and of an address that somebody has typed in.
_SAME_SITE = (b"same-origin", b"none")
_READS = (b"GET", b"HEAD")
_UNKNOWN: Any = UnrecognizedRequestResource()  # type: ignore[no-untyped-call]

Handler = Callable[[Question], Awaitable[Mapping[str, Any]]]


class AdminResource(DirectServeJsonResource):
    """`handlers` are by the names of `ENDPOINTS`. `is_served` tells whether there is an admin API at all."""

    # It serves all paths below its own, so that no module's web resource can stand there.
    isLeaf = True

    def __init__(
        self, access: Access, handlers: Mapping[str, Handler], is_served: Callable[[], bool], public_baseurl: str | None
    ) -> None:
        super().__init__()
        self._access = access
        self._handlers = handlers
        self._is_served = is_served
        self._public_host = urlsplit(public_baseurl or "").netloc.lower()
        self._reads = RateLimit(ADMIN_LIMITS["reads_a_minute"], time.monotonic)
        self._writes = RateLimit(ADMIN_LIMITS["writes_a_minute"], time.monotonic)
        # By the names of `ENDPOINTS`, so that slow questions leave the way free to switch a module off.
        self._under_way: Counter[str] = Counter()

    async def _async_render(self, request: Any) -> None:
        admin = await self._access.admin_of(request) if self._is_served() else None
        if admin is None:
            _as_unknown(request)
            return
        status = 200
        headers: Mapping[str, str] = {}
        try:
            # Synapse would leave the request open for ever where it cannot be encoded.
            body = _encoded(await self._answer(request, admin))
        except Refused as e:
            status, body, headers = e.status, _encoded(e.body), e.headers
        except Exception as e:
            log_unexpected(f"answering {_name(request)}", e)
            body = _encoded({"errcode": Codes.UNKNOWN, "error": "this has failed: Synapse's log has the error"})
            status = 500
        if request.method not in _READS:
            logger.info("%s: %s: %d", one_line(admin), _name(request), status)
        for name, value in {**_HEADERS, **headers}.items():
            request.setHeader(name, value)
        respond_with_json_bytes(request, status, body)

    async def _answer(self, request: Any, admin: str) -> Mapping[str, Any]:
        self._refuse_other_sites(request)
        (self._reads if request.method in _READS else self._writes).count(admin)
        method = request.method.decode("ascii", "replace")
        endpoint, name = find(method, request.postpath, self._handlers)
        question = Question(
            endpoint=endpoint,
            admin=admin,
            name=name,
            query=read_query(endpoint, request.uri.partition(b"?")[2]),
            body=read_body(endpoint, request.getHeader(b"Content-Type"), request.content.read(MOST_BODY_BYTES + 1)),
        )
        if self._under_way[endpoint.name] >= AT_ONCE:
            raise too_many(1)
        self._under_way[endpoint.name] += 1
        try:
            return await self._handlers[endpoint.name](question)
        finally:
            self._under_way[endpoint.name] -= 1

    def _refuse_other_sites(self, request: Any) -> None:
        """Raises Refused for what a browser sends from a page of another site. Other programs send neither header."""
        fetch_site = request.getHeader(b"Sec-Fetch-Site")
        origin = request.getHeader(b"Origin")
        if fetch_site is not None:
            if fetch_site.lower() in _SAME_SITE:
                return
        elif origin is None or self._is_ours(origin, request):
            return
        raise Refused(
            403, Codes.FORBIDDEN, "this is for pages of the same site only: ask from one, or from no browser at all"
        )

    def _is_ours(self, origin: bytes, request: Any) -> bool:
        # A reverse proxy may have replaced `Host`.
        host = urlsplit(origin.decode("latin-1")).netloc.lower()
        own = (request.getHeader(b"Host") or b"").decode("latin-1").lower()
        return host != "" and host in (own, self._public_host)


def _as_unknown(request: Any) -> None:
    """Answers as Synapse does for a path that it does not have."""
    # From Synapse's tracing, which does not trace unknown paths.
    request.responseHeaders.removeHeader(b"Synapse-Trace-Id")
    _UNKNOWN.render(request)


def _encoded(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, allow_nan=False, separators=(",", ":")).encode("ascii")


def _name(request: Any) -> str:
    """The request for the log, without its parameters."""
    method = request.method.decode("ascii", "replace")
    return one_line(f"{method} {request.path.decode('latin-1')[:300]}")
