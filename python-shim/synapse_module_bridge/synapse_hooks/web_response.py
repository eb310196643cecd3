"""What the host answers to a client's HTTP request, looked through before any of it is written.

An error that the client gets in its place must have nothing of it.
"""

import base64
import re
from dataclasses import dataclass
from typing import Any

from synapse_module_bridge.schema.protocol import LIMITS, fits

# Of a request's and of an answer's body: as base64 it must fit into a frame.
MOST_BODY_BYTES = LIMITS["body_bytes"]
# RFC 9110: a token; visible characters, and what is between them.
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
# These are of one connection: they mean nothing on another, and Twisted sets its own.
_OF_CONNECTION = frozenset(
    b"connection content-length keep-alive proxy-connection te trailer transfer-encoding upgrade".split()
)


@dataclass(frozen=True)
class WebResponse:
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def read_response(reply: Any) -> WebResponse:
    """Raises ValueError."""
    if not fits("WebAnswer", reply):
        raise ValueError("no answer")
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply["headers"]]
    if not all(_NAME.fullmatch(name) and _VALUE.fullmatch(value) for name, value in headers):
        raise ValueError("no header")
    body = base64.b64decode(reply["body"], validate=True)
    if len(body) > MOST_BODY_BYTES:
        raise ValueError("too large")
    return WebResponse(reply["status"], [header for header in headers if header[0].lower() not in _OF_CONNECTION], body)
