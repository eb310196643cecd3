"""Builds instances of Synapse's classes from answers, where Synapse reads attributes or checks the class.

Every answer gets new objects, since Synapse sorts and extends some of them in place. Classes that older releases lack
are imported in the functions, which only a release that has them calls.
"""

from collections.abc import Mapping
from typing import Any

import attr
from synapse.api.presence import UserPresenceState


def upload_limits(answer: Any) -> Any:
    """A list of `synapse.config.repository.MediaUploadLimit`, or None."""
    if answer is None:
        return None
    from synapse.config.repository import MediaUploadLimit

    known = attr.fields_dict(MediaUploadLimit)
    return [MediaUploadLimit(**{key: value for key, value in limit.items() if key in known}) for limit in answer]


def ratelimit_override(answer: Any) -> Any:
    """A `synapse.module_api.RatelimitOverride`, or None."""
    if answer is None:
        return None
    from synapse.module_api import RatelimitOverride

    return RatelimitOverride(per_second=answer["per_second"], burst_count=answer["burst_count"])


def presence_routes(answer: Mapping[str, Any]) -> dict[str, set[UserPresenceState]]:
    """By user id, the presence states that the user is sent."""
    return {user_id: {UserPresenceState(**state) for state in states} for user_id, states in answer.items()}


def interested_users(answer: Any) -> Any:
    """A set of user ids, or `PresenceRouter.ALL_USERS`, which is a string."""
    return answer if isinstance(answer, str) else set(answer)
