"""Tells calls about our own users from federated ones: `match`, `timeout` and `on_failure` depend on it."""

import sys
from collections.abc import Mapping
from types import FrameType
from typing import Any

from synapse.module_api import ModuleApi

from synapse_module_bridge.codec.match import compile_lookup
from synapse_module_bridge.schema.catalogue import CALLBACKS, Callback

# Where Synapse checks an event that another server has sent (synapse/federation/federation_base.py), and what it calls
# for that (synapse/module_api/callbacks/spamchecker_callbacks.py): between them is at most its tracing.
_FEDERATED_CHECK = "_check_sigs_and_hash"
_DISPATCHER = "check_event_for_spam"
_CALLERS = range(3)


class Locality:
    def __init__(self, api: ModuleApi) -> None:
        self._server_name = api.server_name
        self._subjects = {
            callback.name: compile_lookup(callback, callback.subject)
            for callback in CALLBACKS.values()
            if callback.subject is not None
        }
        # So many callers away the dispatcher was the last time.
        self._distance = 0

    def __call__(self, callback: Callback, params: Mapping[str, Any]) -> bool:
        """Whether the call is about a user of ours; also where it is about nobody."""
        return self.whose(callback, params)[0]

    def whose(self, callback: Callback, params: Mapping[str, Any]) -> tuple[bool, str]:
        """That, and the user of ours, or the other server; an empty text where the call is about nobody."""
        subject_of = self._subjects.get(callback.name)
        subject = None if subject_of is None else subject_of(params)
        if not isinstance(subject, str):
            return True, ""
        server = subject.partition(":")[2]
        if server != self._server_name:
            return False, server
        # An event of our own user that comes back in a join or a backfill is federated. Nothing in the event tells: it
        # is who asks.
        if callback.name == _DISPATCHER and self._asked_by_federation():
            return False, server
        return True, subject

    def _asked_by_federation(self) -> bool:
        frame: Any
        # Where it was before: a walk there would make an object of each caller's frame.
        try:
            frame = sys._getframe(self._distance)
        except ValueError:
            frame = None  # nothing is so far away
        if frame is None or frame.f_code.co_name != _DISPATCHER:
            frame = self._find_dispatcher()
        try:
            for _ in _CALLERS:
                frame = frame.f_back
                if frame.f_code.co_name == _FEDERATED_CHECK:
                    return True
        except AttributeError:
            pass  # nobody has called it
        return False

    def _find_dispatcher(self) -> FrameType | None:
        found: FrameType | None = sys._getframe(1)
        self._distance = 0
        while found is not None and found.f_code.co_name != _DISPATCHER:
            found = found.f_back
            self._distance += 1
        return found
