"""Tells local calls from federated ones, on which `match`, `timeout` and `on_failure` depend.

For one callback, only Synapse's call stack tells them apart.
"""

import sys
from collections.abc import Mapping
from types import FrameType
from typing import Any

from synapse.logging import opentracing
from synapse.module_api import ModuleApi

from synapse_module_bridge.codec.match import compile_lookup
from synapse_module_bridge.schema.catalogue import CALLBACKS, Callback

# Synapse's function that checks an event of another server (synapse/federation/federation_base.py), and the one that it
# calls to ask the modules (synapse/module_api/callbacks/spamchecker_callbacks.py). Only Synapse's tracing may stand
# between the two.
_FEDERATED_CHECK = "_check_sigs_and_hash"
_DISPATCHER = "check_event_for_spam"
_CALLERS = range(1 if getattr(opentracing, "opentracing", None) is None else 3)


class Locality:
    """Decides by the callback's subject: a local user, or a user of another server."""

    def __init__(self, api: ModuleApi) -> None:
        self._server_name = api.server_name
        self._subjects = {
            callback.name: compile_lookup(callback, callback.subject)
            for callback in CALLBACKS.values()
            if callback.subject is not None
        }
        # How many frames up the stack the dispatcher was the last time.
        self._distance = 0

    def __call__(self, callback: Callback, params: Mapping[str, Any]) -> bool:
        """Whether the call is local. A call without a subject is."""
        return self.whose(callback, params)[0]

    def whose(self, callback: Callback, params: Mapping[str, Any]) -> tuple[bool, str]:
        """Whether the call is local; and its local user or remote server, or an empty text where it has no subject."""
        subject_of = self._subjects.get(callback.name)
        subject = None if subject_of is None else subject_of(params)
        if not isinstance(subject, str):
            return True, ""
        server = subject.partition(":")[2]
        if server != self._server_name:
            return False, server
        # An event of a local user that comes back in a join or a backfill is federated. The event does not show that,
        # only the caller does.
        if callback.name == _DISPATCHER and self._asked_by_federation():
            return False, server
        return True, subject

    def _asked_by_federation(self) -> bool:
        frame: Any
        # First where it was the last time: walking there would create an object for each frame on the way.
        try:
            frame = sys._getframe(self._distance)
        except ValueError:
            frame = None  # the stack is shorter
        if frame is None or frame.f_code.co_name != _DISPATCHER:
            frame = self._find_dispatcher()
        try:
            for _ in _CALLERS:
                frame = frame.f_back
                if frame.f_code.co_name == _FEDERATED_CHECK:
                    return True
        except AttributeError:
            pass  # the end of the stack
        return False

    def _find_dispatcher(self) -> FrameType | None:
        found: FrameType | None = sys._getframe(1)
        self._distance = 0
        while found is not None and found.f_code.co_name != _DISPATCHER:
            found = found.f_back
            self._distance += 1
        return found
