"""What users and other servers may write, for property-based tests: JSON that Synapse takes, and events.

All of it follows from a seed, which the tests let Hypothesis choose: thousands of events are made in a second.
"""

import random
from collections.abc import Mapping
from typing import Any

from synapse.api.room_versions import KNOWN_ROOM_VERSIONS, EventFormatVersions
from synapse.events import EventBase
from synapse.federation.federation_base import event_from_pdu_json
from synapse_module_bridge.schema.catalogue import TYPES

# Synapse's events take an object with this key for the number that it names.
HIDDEN_NUMBER = "$serde_json::private::Number"

KEYS = [
    "__proto__",
    "constructor",
    "toJSON",
    "then",
    "body",
    "membership",
    "",
    "a.b",
    "length",
    "events",
    "\x00",
    "Infinity",
]
TEXTS = ["", "hello", "é\u2028\x00\x1b\U0001f600", "x" * 300, "NaN", "Infinity", '"\\', "@alice:test", "__proto__"]
# What Synapse takes in any room, in rooms before version 6 alone, and in the body of a request alone.
STRICT = [None, True, False, 0, 5, -1, 2**53 - 1, -(2**53) + 1]
LENIENT = [1.5, -0.0, 1e300, 5e-324, 2**53 + 1, -(2**70), 10**400]
IN_BODIES = [float("inf"), float("-inf"), "\ud800", "x\udfff"]
HIDDEN = ["1.5", "1e400", "-1E999", "-0.0", "9" * 40, "9" * 5_000]

# Those that Synapse demands are mostly left right, so that most events are taken.
_FIELDS = [
    field for field in TYPES["Event"]["properties"] if field not in ("type", "sender", "room_id", "content", "depth")
]
_TYPES = ["m.room.message", "m.room.member", "m.room.redaction", "m.room.power_levels", "org.example.x", "", "é"]


class Odd:
    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def one_of(self, choices: Any) -> Any:
        return self._random.choice(choices)

    def rarely(self, times: int = 8) -> bool:
        return self._random.randrange(times) == 0

    def value(self, scalars: list[Any], depth: int = 4) -> Any:
        kind = self._random.randrange(12)
        if kind < 2 and depth > 0:
            return [self.value(scalars, depth - 1) for _ in range(self._random.randrange(4))]
        if kind < 4 and depth > 0:
            return self.object(scalars, depth - 1)
        return self.one_of(TEXTS if kind < 6 else scalars)

    def object(self, scalars: list[Any], depth: int = 4) -> dict[str, Any]:
        keys = self._random.sample(KEYS, self._random.randrange(5))
        return {key: self.value(scalars, depth) for key in keys}

    def body(self, deepest: int) -> dict[str, Any]:
        """What a client may send as the body of a request."""
        body = self.object(STRICT + LENIENT + IN_BODIES)
        if self.rarely():
            body["deep"] = self._nested(self._random.randrange(deepest))
        return body

    def _nested(self, depth: int) -> Any:
        inner = self.one_of(STRICT + TEXTS)
        for level in range(depth):
            inner = [inner] if level % 2 else {"k": inner}
        return inner

    def pdu(self, version: str, *, state: bool = False) -> dict[str, Any]:
        """What another server may send as an event of a room of this version."""
        room_version = KNOWN_ROOM_VERSIONS[version]
        scalars: list[Any] = [*STRICT, *({HIDDEN_NUMBER: number} for number in HIDDEN)]
        if not room_version.strict_canonicaljson:
            scalars += LENIENT
        pdu: dict[str, Any] = {
            "type": self.one_of(_TYPES),
            "sender": self.one_of(["@bob:remote", "@b é:remote"]),
            "room_id": f"!{'r' * 43}",
            "content": {"body": "hello", **self.object(scalars)},
            "depth": self._random.randrange(2**40),
            "origin_server_ts": self._random.randrange(2**53),
            "hashes": {"sha256": "x"},
            "signatures": {"remote": {"ed25519:1": "x"}},
            "auth_events": [],
            "prev_events": [],
        }
        if state:
            pdu["state_key"] = self.one_of(TEXTS)
        if self.rarely():
            pdu["content"]["deep"] = self._nested(self._random.randrange(130))
        # Fields that nobody has declared, and a declared one with what does not belong there.
        pdu |= {key: self.value(scalars) for key in self._random.sample(KEYS, self._random.randrange(3))}
        if not self.rarely(3):
            fields = self._random.sample([*_FIELDS, "redacts", "redacts", "origin"], 1 + self.rarely())
            pdu |= {field: self.value(scalars) for field in fields}
        if room_version.event_format == EventFormatVersions.ROOM_V1_V2:
            pdu.setdefault("event_id", f"${self._random.randrange(2**40)}:remote")
        return pdu

    def event(self, version: str, *, state: bool = False) -> EventBase:
        """The first that Synapse takes."""
        while (event := taken(self.pdu(version, state=state), version)) is None:
            pass
        return event


def taken(pdu: Mapping[str, Any], version: str) -> EventBase | None:
    """The event that Synapse makes of what another server has sent; None where it refuses."""
    try:
        event = event_from_pdu_json({**pdu}, KNOWN_ROOM_VERSIONS[version])
        # Without them, Synapse can do nothing with it.
        known = isinstance(event.event_id, str) and isinstance(event.room_id, str)
    except Exception:
        # Whatever it is, the event goes no further.
        return None
    return event if known else None
