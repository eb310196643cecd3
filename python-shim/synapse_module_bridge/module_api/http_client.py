"""Bounds what modules do with Synapse's HTTP client, in size and in time (`synapse.http.client.SimpleHttpClient`)."""

import copy
from typing import Any

from synapse.api.errors import SynapseError
from synapse.logging.context import make_deferred_yieldable
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from twisted.web.client import readBody
from twisted.web.http_headers import Headers

from synapse_module_bridge.schema.protocol import LIMITS

# A body has to fit into a frame as base64.
MOST_BYTES = LIMITS["body_bytes"]
# Synapse waits 60 s for the headers of a response, and without a limit for its body.
TIMEOUT_SECONDS = 90.0


def bounded(client: Any) -> Any:
    """A copy of the client. A response of more than MOST_BYTES fails with SynapseError 502."""
    own = copy.copy(client)

    async def request(*args: Any, **kwargs: Any) -> Any:
        return _BoundedResponse(await client.request(*args, **kwargs))

    own.request = request
    return own


async def request(client: Any, method: str, uri: str, data: bytes | None, headers: Any) -> dict[str, Any]:
    """Sends a request. Returns the response: its `code`, `phrase`, `headers` (lists by lower-case name) and `body`."""
    response = await client.request(method, uri, data=data, headers=Headers(headers or {}))
    reading: Deferred[bytes] = readBody(response)
    body = await make_deferred_yieldable(reading)
    named: dict[str, list[str]] = {}
    for name, values in response.headers.getAllRawHeaders():
        named.setdefault(name.decode("latin-1").lower(), []).extend(value.decode("latin-1") for value in values)
    return {
        "code": response.code,
        "phrase": response.phrase.decode("ascii", errors="replace"),
        "headers": named,
        "body": body,
    }


class _BoundedResponse:
    """An IResponse of Twisted."""

    def __init__(self, response: Any) -> None:
        self._response = response

    def __getattr__(self, name: str) -> Any:
        return getattr(self._response, name)

    def deliverBody(self, protocol: Any) -> None:
        self._response.deliverBody(_Counting(protocol))


class _Counting(Protocol):
    """Passes the body on, and aborts the connection where it is too large."""

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self._bytes = 0

    def connectionMade(self) -> None:
        self._protocol.makeConnection(self.transport)

    def dataReceived(self, data: bytes) -> None:
        if self._bytes > MOST_BYTES:
            return
        self._bytes += len(data)
        if self._bytes <= MOST_BYTES:
            self._protocol.dataReceived(data)
            return
        too_large = SynapseError(502, f"the answer has more than {MOST_BYTES} bytes", "M_TOO_LARGE")
        self._protocol.connectionLost(Failure(too_large))
        abort = getattr(self.transport, "abortConnection", None)
        if abort is not None:
            abort()

    def connectionLost(self, reason: Any = None) -> None:
        if self._bytes <= MOST_BYTES:
            self._protocol.connectionLost(reason)
