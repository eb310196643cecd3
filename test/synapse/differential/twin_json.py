"""What Synapse hands to modules, in the JSON form that modules in TypeScript see."""

from collections.abc import Mapping
from typing import Any

from synapse.module_api import EventBase

Json = Any

METADATA = [
    "stream_ordering",
    "instance_name",
    "redacted_by",
    "outlier",
    "policy_server_spammy",
    "spam_checker_spammy",
    "out_of_band_membership",
    "send_on_behalf_of",
    "recheck_redaction",
    "soft_failed",
    "proactively_send",
    "redacted",
    "txn_id",
    "delay_id",
    "token_id",
    "device_id",
]


def plain(value: Any) -> Json:
    """JSON that may be changed: an older Synapse freezes contents."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def event_json(event: EventBase) -> Json:
    metadata = {}
    for name in METADATA:
        # What Synapse has not set raises an AttributeError.
        if hasattr(event.internal_metadata, name):
            metadata[name] = getattr(event.internal_metadata, name)
    return {
        **plain(event.get_dict()),
        "event_id": event.event_id,
        "room_id": event.room_id,
        "room_version": event.room_version.identifier,
        "internal_metadata": metadata,
    }


def file_info_json(info: Any) -> Json:
    thumbnail = info.thumbnail and {
        name: getattr(info.thumbnail, name) for name in ("width", "height", "method", "type", "length")
    }
    return {
        "server_name": info.server_name,
        "file_id": info.file_id,
        "url_cache": info.url_cache,
        "thumbnail": thumbnail,
    }


def requester_json(requester: Any) -> Json:
    names = "access_token_id device_id authenticated_entity"
    # An older Synapse has the user and the service as objects.
    service = getattr(requester, "app_service", None)
    return {
        "user_id": requester.user.to_string(),
        "app_service_id": service.id if service else getattr(requester, "app_service_id", None),
        "scope": sorted(requester.scope),
        # An older Synapse gives them as its database does: as 0 or 1, which equal False and True.
        "is_guest": bool(requester.is_guest),
        "shadow_banned": bool(requester.shadow_banned),
        **{name: getattr(requester, name) for name in names.split()},
    }


def fields_json(value: Any, *names: str) -> Json:
    # An older Synapse may lack some of them.
    return {name: getattr(value, name) for name in names if hasattr(value, name)}


def presence_json(state: Any) -> Json:
    times = ("last_active_ts", "last_federation_update_ts", "last_user_sync_ts")
    return fields_json(state, "user_id", "state", *times, "status_msg", "currently_active")


def request_json(request: Any) -> Json:
    return {
        "method": request.method.decode(),
        "path": request.uri.decode(),
        "type": request.getHeader("content-type"),
        "body": request.content.read().decode(),
    }
