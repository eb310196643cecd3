"""Builds the objects of Synapse that answers stand for, where Synapse reads attributes or looks for a class.

Each is made anew for each answer: Synapse sorts and extends some of them in place. What an older Synapse lacks is only
looked for once it has asked.
"""

from collections.abc import Mapping
from typing import Any

import attr
from synapse.api.presence import UserPresenceState


def upload_limits(answer: Any) -> Any:
    if answer is None:
        return None
    from synapse.config.repository import MediaUploadLimit

    known = attr.fields_dict(MediaUploadLimit)
    return [MediaUploadLimit(**{key: value for key, value in limit.items() if key in known}) for limit in answer]


def ratelimit_override(answer: Any) -> Any:
    if answer is None:
        return None
    from synapse.module_api import RatelimitOverride

    return RatelimitOverride(per_second=answer["per_second"], burst_count=answer["burst_count"])


def presence_routes(answer: Mapping[str, Any]) -> dict[str, set[UserPresenceState]]:
    return {user_id: {UserPresenceState(**state) for state in states} for user_id, states in answer.items()}


def interested_users(answer: Any) -> Any:
    """A set; or the word for everybody."""
    return answer if isinstance(answer, str) else set(answer)
