"""Encodes a client's HTTP request for the host, and tells which visitor it is of."""

import base64
import ipaddress
import re
from typing import Any

from synapse.module_api.errors import Codes, SynapseError

from synapse_module_bridge.schema.protocol import LIMITS

# Callbacks get requests of admins, whose bodies are short.
MOST_BYTES = LIMITS["callback_body_bytes"]

# Other characters would change which part of the URL is its path.
HOST = re.compile(rb"[^\s/?#@\\]+")


# A client may write anything into X-Forwarded-For.
MOST_OF_AN_ADDRESS = 64
# Who has one IPv6 address has all of its network.
IPV6_NETWORK_BITS = 64


def visitor_of(request: Any) -> str:
    """Whose a request of Synapse's is: its IP address, or the network of an IPv6 address."""
    host: str = request.get_client_ip_if_available()
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        # A Unix socket.
        return host[:MOST_OF_AN_ADDRESS]
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address), IPV6_NETWORK_BITS), strict=False))


def encode_bounded_request(request: Any) -> dict[str, Any]:
    """The wire form of a Twisted request, with its body, which is read here. Raises SynapseError, 413 or 400."""
    body = request.content.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise SynapseError(413, f"the body has more than {MOST_BYTES} bytes", Codes.TOO_LARGE)
    return encode_request(request, body)


def encode_request(request: Any, body: bytes) -> dict[str, Any]:
    """The wire form of a Twisted request. Raises SynapseError 400 where its Host header is malformed."""
    headers = [
        [name.decode("latin-1"), value.decode("latin-1")]
        for name, values in request.requestHeaders.getAllRawHeaders()
        for value in values
    ]
    host = request.getHeader(b"host") or b"localhost"
    if not HOST.fullmatch(host):
        raise SynapseError(400, "the Host header names no host", Codes.UNRECOGNIZED)
    scheme = "https" if request.isSecure() else "http"
    return {
        "method": request.method.decode("ascii"),
        "url": f"{scheme}://{host.decode('latin-1')}{request.uri.decode('latin-1')}",
        "headers": headers,
        "body": base64.b64encode(body).decode("ascii"),
    }
