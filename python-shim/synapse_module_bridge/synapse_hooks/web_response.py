"""Checks the host's response to a client's HTTP request, which is untrusted, before any of it is written.

So an error in its place contains nothing of it.
"""

import base64
import re
from dataclasses import dataclass
from typing import Any

from synapse_module_bridge.schema.protocol import LIMITS, fits

# For requests and responses: a body has to fit into a frame as base64.
MOST_BODY_BYTES = LIMITS["body_bytes"]
# RFC 9110: a field's name is a token, and its value has visible characters, spaces and tabs.
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
# Hop-by-hop headers, which hold for one connection only. Twisted sets its own.
_OF_CONNECTION = frozenset(
    b"connection content-length keep-alive proxy-connection te trailer transfer-encoding upgrade".split()
)


@dataclass(frozen=True)
class WebResponse:
    """A response that can be written."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def read_response(reply: Any) -> WebResponse:
    """The response in the host's reply. Raises ValueError where it is malformed or too large."""
    if not fits("WebAnswer", reply):
        raise ValueError("no answer")
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply["headers"]]
    if not all(_NAME.fullmatch(name) and _VALUE.fullmatch(value) for name, value in headers):
        raise ValueError("no header")
    body = base64.b64decode(reply["body"], validate=True)
    if len(body) > MOST_BODY_BYTES:
        raise ValueError("too large")
    return WebResponse(reply["status"], [header for header in headers if header[0].lower() not in _OF_CONNECTION], body)
