"""Turns what the script says (see script.ts) into what a Python module answers, edits or raises."""

import copy
from collections.abc import Callable
from typing import Any

import attr
from synapse.api.errors import Codes, SynapseError
from synapse.module_api import NOT_SPAM, EventBase
from synapse.spam_checker_api import RegistrationBehaviour
from twin_json import plain

Json = Any

# What lets pass, where that is not NOT_SPAM.
PASS: dict[str, Json] = {
    "should_drop_federated_event": False,
    "check_username_for_spam": False,
    "check_registration_for_spam": RegistrationBehaviour.ALLOW,
    "check_event_allowed": (True, None),
    "check_threepid_can_be_invited": True,
    "check_visibility_can_be_modified": True,
    "check_can_shutdown_room": True,
    "check_can_deactivate_user": True,
    "is_user_expired": None,
    "on_legacy_renew": (False, False, 0),
    "on_legacy_admin_request": 0,
    "get_ratelimit_override_for_user": None,
    "get_media_config_for_user": None,
    "is_user_allowed_to_upload_media_of_size": True,
    "get_media_upload_limits_for_user": None,
    "get_users_for_states": {},
    "get_interested_users": set(),
    "is_3pid_allowed": True,
    "get_username_for_registration": None,
    "get_displayname_for_registration": None,
}


def ratelimit_override(value: Json) -> Any:
    from synapse.module_api import RatelimitOverride  # an older Synapse has none

    return value and RatelimitOverride(**value)


def upload_limits(value: Json) -> Any:
    from synapse.config.repository import MediaUploadLimit  # an older Synapse has none

    if value is None:
        return None
    known = attr.fields_dict(MediaUploadLimit)  # an older Synapse lacks some
    return [MediaUploadLimit(**{key: limit[key] for key in limit if key in known}) for limit in value]


# What Synapse takes, of a value as the script has it.
FORMS: dict[str, Callable[[Json], Any]] = {
    "on_legacy_renew": tuple,
    "get_ratelimit_override_for_user": ratelimit_override,
    "get_media_upload_limits_for_user": upload_limits,
    "get_interested_users": lambda value: value if value == "ALL" else set(value),
}


def field(params: Json, path: str) -> Json:
    value = params
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def apply(target: Json, operations: list[Json]) -> None:
    """Edits a JSON value in place: set, unset or push at a path."""
    for operation in operations:
        *parents, last = operation["path"]
        holder = target
        for key in parents:
            holder = holder[key]
        if "push" in operation:
            holder[last].append(copy.deepcopy(operation["push"]))
        elif "unset" in operation:
            del holder[last]
        else:
            holder[last] = copy.deepcopy(operation["set"])


def thrown(spec: Json) -> Exception:
    if "exception" in spec:
        return RuntimeError(spec["exception"])
    error = spec["synapse_error"]
    return SynapseError(
        error["code"],
        error["msg"],
        error.get("errcode", Codes.UNKNOWN),
        error.get("additional_fields"),
    )


def answered(callback: str, spec: Json, event: EventBase | None, states: Any) -> Any:
    if "not_spam" in spec:
        return NOT_SPAM
    if "code" in spec:
        code = Codes[spec["code"]]
        return (code, spec["fields"]) if "fields" in spec else code
    if "behaviour" in spec:
        return RegistrationBehaviour[spec["behaviour"]]
    if "routes" in spec:
        return {
            user_id: {state for state in states if state.user_id in about} for user_id, about in spec["routes"].items()
        }
    if "pair" in spec:
        return (spec["pair"], None)
    if "replace" in spec:
        assert event is not None
        replacement = plain(event.get_dict())
        apply(replacement["content"], spec["replace"].get("content", []))
        replacement.update(spec["replace"].get("event", {}))
        return (True, replacement)
    if callback in FORMS:
        return FORMS[callback](spec["value"])
    # TypeScript may say it with a boolean; Synapse takes only the pair.
    return spec["value"] if event is None else (spec["value"], None)
