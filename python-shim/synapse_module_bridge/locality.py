"""Tells calls about our own users from federated ones: `match`, `timeout` and `on_failure` depend on it."""

import sys
from collections.abc import Mapping
from types import FrameType
from typing import Any

from synapse.module_api import ModuleApi

from synapse_module_bridge.catalogue import Callback
from synapse_module_bridge.match import lookup

# Where Synapse checks an event that another server has sent (synapse/federation/federation_base.py), and what it calls
# for that (synapse/module_api/callbacks/spamchecker_callbacks.py): between them is at most its tracing.
_FEDERATED_CHECK = "_check_sigs_and_hash"
_DISPATCHER = "check_event_for_spam"
_MOST_BETWEEN = 2


class Locality:
    def __init__(self, api: ModuleApi) -> None:
        self._api = api

    def __call__(self, callback: Callback, params: Mapping[str, Any]) -> bool:
        """Whether the call is about a user of ours; also where it is about nobody."""
        if callback.subject is None:
            return True
        subject = lookup(params, callback.subject)
        if isinstance(subject, str) and not self._api.is_mine(subject):
            return False
        # An event of our own user that comes back in a join or a backfill is federated. Nothing in the event tells: it
        # is who asks.
        return callback.name != "check_event_for_spam" or not _asked_by_federation()


def _asked_by_federation() -> bool:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_name != _DISPATCHER:
        frame = frame.f_back
    for _ in range(1 + _MOST_BETWEEN):
        frame = None if frame is None else frame.f_back
        if frame is not None and frame.f_code.co_name == _FEDERATED_CHECK:
            return True
    return False
