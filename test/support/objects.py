"""Real objects of Synapse for the tests."""

from io import BytesIO
from typing import Any

from synapse.api.room_versions import KNOWN_ROOM_VERSIONS
from synapse.events import EventBase, make_event_from_dict
from twisted.web.http import Request
from twisted.web.test.requesthelper import DummyChannel


def event(room_version: str = "10", **fields: Any) -> EventBase:
    """An event of @alice:test; a field of None is left out."""
    pdu = {
        "type": "m.room.message",
        "sender": "@alice:test",
        "room_id": "!room:test",
        "content": {"body": "hello", "msgtype": "m.text"},
        "origin_server_ts": 1,
        "depth": 2,
        "auth_events": [],
        "prev_events": [],
        "hashes": {"sha256": "x"},
        "signatures": {},
        "unsigned": {"age_ts": 1},
        **fields,
    }
    return make_event_from_dict(
        {key: value for key, value in pdu.items() if value is not None}, KNOWN_ROOM_VERSIONS[room_version]
    )


def request(body: bytes = b"{}", **headers: str) -> Request:
    """A POST to @admin's server, as a servlet of Synapse gets it."""
    made: Any = Request(DummyChannel(), queued=False)  # type: ignore[arg-type] # it has all that a request looks for
    made.method, made.uri, made.content = b"POST", b"/_synapse/admin/v1/x?a=1", BytesIO(body)
    for name, value in {"host": "test:8008", **headers}.items():
        made.requestHeaders.addRawHeader(name.encode(), value.encode())
    # As of a SynapseRequest.
    made.get_client_ip_if_available = lambda: "192.0.2.1"
    request: Request = made
    return request
