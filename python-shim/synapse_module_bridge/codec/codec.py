"""Converts between Synapse's objects and wire values: one encoder or decoder for each wire type that is not plain JSON.

ENCODE converts a callback's parameter, or a ModuleApi method's result, into its wire value. A type that it lacks is
plain JSON. DECODE converts a callback's normalised answer into the object that Synapse expects, by identity where
Synapse compares so. DECODE_PARAM converts a wire value into what a ModuleApi method takes.
"""

import base64
import logging
import sys
from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Any

from synapse.events import EventBase
from synapse.module_api import NOT_SPAM
from synapse.spam_checker_api import RegistrationBehaviour
from synapse.synapse_rust.events import EventInternalMetadata

from synapse_module_bridge.codec.answer_schema import MOST_LEVELS, fits
from synapse_module_bridge.codec.codes import code_of
from synapse_module_bridge.codec.http_request import encode_bounded_request
from synapse_module_bridge.codec.merge import Unsafe, merge
from synapse_module_bridge.codec.replacement import refused_by_synapse, too_deep, with_surrogate
from synapse_module_bridge.codec.synapse_objects import (
    interested_users,
    presence_routes,
    ratelimit_override,
    upload_limits,
)
from synapse_module_bridge.schema.catalogue import TYPES

logger = logging.getLogger("synapse_module_bridge.codec")

Params = Mapping[str, Any]


class Unfit(Exception):
    """Synapse would not accept this answer, or would misunderstand it."""


_METADATA_FIELDS = frozenset(TYPES["EventInternalMetadata"]["properties"])
# Those that have a value also where none was set; the others raise AttributeError.
_ALWAYS_SET = tuple(field for field in sorted(_METADATA_FIELDS) if hasattr(EventInternalMetadata({}), field))
_always_set = attrgetter(*_ALWAYS_SET)
_REQUESTER_FIELDS = tuple(TYPES["Requester"]["properties"])
_PRESENCE_FIELDS = tuple(TYPES["UserPresenceState"]["properties"])
_UPLOAD_LIMIT_FIELDS = tuple(TYPES["MediaUploadLimit"]["properties"])
_USER_INFO_FIELDS = tuple(TYPES["UserInfo"]["properties"])
# Fields that an event's wire form has beyond its PDU.
_ADDED_FIELDS = ("event_id", "room_version", "internal_metadata")
# Fields that a replacement may repeat, but not change.
_FIXED_FIELDS = ("type", "room_id", "state_key")
_TOO_DEEP = f"is nested deeper than {MOST_LEVELS} levels, which Synapse cannot write"


def encode_event(event: EventBase) -> dict[str, Any]:
    """The event's PDU fields, with `event_id`, `room_id`, `room_version` and `internal_metadata`."""
    encoded = pdu_of(event)
    # The PDU lacks the event id from room version 3 on, and a create event's room id from 12 on.
    encoded["event_id"] = event.event_id
    encoded["room_id"] = event.room_id
    encoded["room_version"] = event.room_version.identifier
    encoded["internal_metadata"] = _metadata(event.internal_metadata)
    return encoded


def pdu_of(event: EventBase) -> dict[str, Any]:
    """The event's fields as they are federated: `synapse.events.EventBase.get_dict`."""
    pdu: dict[str, Any]
    try:
        pdu = event.get_dict()
    except Exception:
        pdu = with_any_digits(event.get_dict)
    # Older releases of Synapse keep the redaction of a redacted event there, as an object. Newer ones do not.
    unsigned = pdu.get("unsigned")
    if unsigned and "redacted_because" in unsigned and isinstance(unsigned["redacted_because"], EventBase):
        pdu["unsigned"] = {key: value for key, value in unsigned.items() if key != "redacted_because"}
    return pdu


def with_any_digits(read: Callable[[], Any]) -> Any:
    """Calls `read`, which reads from an event, without Python's limit on the digits of an integer.

    Synapse accepts integers in events that exceed that limit.
    """
    if not hasattr(sys, "get_int_max_str_digits"):
        return read()
    most = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        return read()
    finally:
        sys.set_int_max_str_digits(most)


def _metadata(metadata: Any) -> dict[str, Any]:
    encoded: dict[str, Any] = metadata.get_dict()
    if not encoded.keys() <= _METADATA_FIELDS:
        encoded = {field: value for field, value in encoded.items() if field in _METADATA_FIELDS}
    # In a loop, which is faster than `update` with an iterator; and without `strict`, as in `bind`.
    for field, value in zip(_ALWAYS_SET, _always_set(metadata)):  # noqa: B905
        encoded[field] = value
    encoded["outlier"] = bool(encoded["outlier"])
    return encoded


def _fields(*names: str) -> Callable[[Any], dict[str, Any]]:
    return lambda value: {name: getattr(value, name) for name in names if hasattr(value, name)}


def _encode_requester(requester: Any) -> dict[str, Any]:
    encoded = {name: getattr(requester, name) for name in _REQUESTER_FIELDS if hasattr(requester, name)}
    # Before Synapse 1.155.0, there was only an object for the user, and one for the app service.
    encoded["user_id"] = requester.user.to_string()
    encoded.setdefault("app_service_id", getattr(getattr(requester, "app_service", None), "id", None))
    encoded["scope"] = sorted(encoded.get("scope", ()))
    # SQLite stores 0 and 1, which older releases of Synapse pass on.
    encoded["is_guest"], encoded["shadow_banned"] = bool(requester.is_guest), bool(requester.shadow_banned)
    return encoded


def _encode_file_info(info: Any) -> dict[str, Any]:
    thumbnail = info.thumbnail
    return {
        "server_name": info.server_name,
        "file_id": info.file_id,
        "url_cache": bool(info.url_cache),
        "thumbnail": None if thumbnail is None else _fields("width", "height", "method", "type", "length")(thumbnail),
    }


def _encode_user_info(info: Any) -> dict[str, Any]:
    encoded = _fields(*_USER_INFO_FIELDS)(info)
    encoded["user_id"] = info.user_id.to_string()
    return encoded


def _encode_events(events: Any) -> list[dict[str, Any]]:
    listed: Iterable[EventBase] = events.values() if isinstance(events, Mapping) else events
    return [encode_event(event) for event in listed]


def _encode_presences(states: Iterable[Any]) -> list[dict[str, Any]]:
    return [{name: getattr(state, name) for name in _PRESENCE_FIELDS} for state in states]


def _encode_delivery(delivery: Any) -> dict[str, Any]:
    return {
        "server_name": delivery.server_name,
        "event_ids": [event.event_id for event in delivery.events],
        "method": delivery.method.value,
    }


# Parameters that are encoded when the call begins: the call would otherwise keep large objects alive.
ENCODE_AT_ONCE: Mapping[str, Callable[[Any], Any]] = {"FederationEventDeliveryEvent": _encode_delivery}


def _encode_bytes(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


ENCODE: Mapping[str, Callable[[Any], Any]] = {
    "Bytes": _encode_bytes,
    "Event": encode_event,
    "Events": _encode_events,
    "FileInfo": _encode_file_info,
    "FileWrapper": lambda wrapper: {"path": wrapper.path},
    "HttpRequest": encode_bounded_request,
    "HttpResponse": lambda response: {**response, "body": _encode_bytes(response["body"])},
    "JsonObject": dict,
    "MediaUploadLimit": _fields(*_UPLOAD_LIMIT_FIELDS),
    "Nothing": lambda _: None,
    "ProfileInfo": _fields("avatar_url", "display_name"),
    "RequestInfo": lambda info: [list(pair) for pair in info],
    "Requester": _encode_requester,
    "RoomAlias": lambda alias: alias.to_string(),
    "UserInfo": _encode_user_info,
    "UserPresenceStates": _encode_presences,
    "UserIpsAndAgents": lambda seen: [_fields("ip", "user_agent", "last_seen")(one) for one in seen],
}

DECODE_PARAM: Mapping[str, Callable[[Any], Any]] = {
    "Bytes": base64.b64decode,
    "StateFilter": lambda keys: [(event_type, state_key) for event_type, state_key in keys],
}


def _decode_verdict(answer: Any, params: Params) -> Any:
    if isinstance(answer, str):
        # Synapse compares by identity (spamchecker_callbacks.py): an equal string would refuse.
        if answer == NOT_SPAM:
            return NOT_SPAM
        return code_of(answer) or answer
    if isinstance(answer, list):
        code, fields = code_of(answer[0]), answer[1]
        if code is None:
            raise Unfit(f"{answer[0]} is no code of Synapse")
        return code, safe_fields(fields)
    return answer


def _decode_event_allowed(answer: Any, params: Params) -> tuple[bool, dict[str, Any] | None]:
    if isinstance(answer, bool):
        return answer, None
    event: EventBase = params["event"]
    original = pdu_of(event)
    changed = {key: value for key, value in answer.items() if key not in _ADDED_FIELDS}
    for key in _FIXED_FIELDS:
        expected = event.room_id if key == "room_id" else original.get(key)
        if key in changed and changed.pop(key) != expected:
            raise Unfit(f"the replacement changes {key}, which Synapse does not allow")
    if field := with_surrogate(changed):
        raise Unfit(f"the replacement's {field} has half a character (a lone surrogate)")
    if field := too_deep(changed, original):
        raise Unfit(f"the replacement's {field} {_TOO_DEEP}")
    strict = event.room_version.strict_canonicaljson
    try:
        merged = merge(original, changed)
    except Unsafe as e:
        if not strict:
            raise Unfit(f"the replacement's {e}") from None
        # In this room version, Synapse refuses such a number with an error of its own, which clients know.
        merged = changed
    if problem := refused_by_synapse(merged, strict=strict):
        logger.warning("Synapse refuses the replacement of %s: its %s", event.event_id, problem)
    return True, {**original, **merged}


def _decode_edits(answer: Any, params: Params) -> None:
    if answer is None:
        return
    content: dict[str, Any] = params["request_content"]
    if field := too_deep(answer, content):
        raise Unfit(f"request_content's {field} {_TOO_DEEP}")
    try:
        merged = merge(content, answer)
    except Unsafe as e:
        raise Unfit(f"request_content's {e}") from None
    # Synapse goes on with this object, so it is changed in place.
    content.clear()
    content.update(merged)


def _decode_with_follow_up(answer: Any, params: Params) -> tuple[Any, Mapping[str, str] | None]:
    """The value, and the follow-up, if there is one."""
    value, follow_up = answer if isinstance(answer, list) else (answer, None)
    # JSON Schema accepts 1.0 as an integer.
    return int(value) if isinstance(value, float) else value, follow_up


DECODE: Mapping[str, Callable[[Any, Params], Any]] = {
    "Authenticated": lambda answer, params: None if answer is None else _decode_with_follow_up(answer, params),
    "UpdateDuration": _decode_with_follow_up,
    "BatchSize": lambda answer, _: None if answer is None else int(answer),
    "EventSpamVerdict": _decode_verdict,
    "SpamVerdict": _decode_verdict,
    "LoginVerdict": _decode_verdict,
    "StateEventVerdict": _decode_verdict,
    "MediaVerdict": _decode_verdict,
    "RegistrationVerdict": lambda answer, _: RegistrationBehaviour(answer),
    "EventAllowedVerdict": _decode_event_allowed,
    "Edits": _decode_edits,
    "InterestedUsers": lambda answer, _: interested_users(answer),
    "MediaUploadLimits": lambda answer, _: upload_limits(answer),
    "PresenceRoutes": lambda answer, _: presence_routes(answer),
    "RatelimitOverride": lambda answer, _: ratelimit_override(answer),
    "RenewalResult": lambda answer, _: tuple(answer),
}


def decode_answer(result: str, answer: Any, params: Params) -> Any:
    """The object that Synapse expects for a normalised answer from the host, which is untrusted. Raises Unfit.

    `params` are Synapse's arguments by name. Edits of `request_content` are made in place.
    """
    if not fits(result, answer):
        raise Unfit(f"an answer that is no {result} ({type(answer).__name__})")
    return decode_own(result, answer, params)


def decode_own(result: str, answer: Any, params: Params) -> Any:
    """As `decode_answer`, for an answer that is written in the catalogue, and needs no check."""
    decode = DECODE.get(result)
    return answer if decode is None else decode(answer, params)


def safe_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Additional fields for the body of a client's error, without those that Synapse itself sets as arguments.

    `synapse.api.errors.cs_error(msg, code, **fields)` would raise TypeError, and the request would hang.
    """
    return {key: value for key, value in fields.items() if key not in ("msg", "code")}
