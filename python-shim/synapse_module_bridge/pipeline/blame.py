"""Decides, when Node or one of its threads has ended, which calls are suspects, and which modules get a thread of their
own.
"""

from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Any

from synapse_module_bridge.calls.call import Rules
from synapse_module_bridge.calls.open_calls import OpenCall, OpenCalls
from synapse_module_bridge.process.exit_cause import HELD, is_of_no_call, kind_of_end, was_blocked
from synapse_module_bridge.quarantine.quarantine import Quarantine
from synapse_module_bridge.quarantine.settling import Settling
from synapse_module_bridge.quarantine.suspects import Recent, Suspect
from synapse_module_bridge.quarantine.web_paths import WebPaths, WebVisit
from synapse_module_bridge.schema.modes import SHADOW, Mode
from synapse_module_bridge.schema.protocol import LIMITS
from synapse_module_bridge.supervision.accepted import Accepted
from synapse_module_bridge.supervision.culprits import Culprits
from synapse_module_bridge.supervision.held_threads import HeldThreads
from synapse_module_bridge.telemetry import metrics

# A host whose event loop runs sends a pulse in time, but may first read what has come. Once the loop is blocked, it
# reads nothing more.
UNREAD_AFTER_SECONDS = LIMITS["pulse_ms"] / 1000 + 0.15


class Blame:
    """`cause_is_known` is called once the cause of an end is known, and will not end Node again."""

    def __init__(
        self,
        settling: Settling,
        quarantine: Quarantine,
        recent: Recent,
        rules: Rules,
        open_calls: OpenCalls,
        accepted: Accepted,
        web_paths: WebPaths,
        cause_is_known: Callable[[], None],
    ) -> None:
        self._settling = settling
        self._quarantine = quarantine
        self._recent = recent
        self._rules = rules
        self._open_calls = open_calls
        self._accepted = accepted
        self._web_paths = web_paths
        self._cause_is_known = cause_is_known
        # The modules that have a thread of their own by their configuration.
        self._apart: set[str] = set()
        self.culprits = Culprits(self._apart)
        self._held_threads = HeldThreads()
        self._settling.found = self._found

    @property
    def _names(self) -> Sequence[str]:
        return [module["name"] for module in self._accepted.modules]

    def taken_over(self, configured: Sequence[Mapping[str, Any]], modes: Mapping[str, Mode]) -> None:
        """A host has taken over with what is accepted now. Changed modules lose their quarantines and past ends.

        One that was switched off and on again does not: it is the same code.
        """
        self._apart.clear()
        for name, module in zip(self._names, configured, strict=True):
            if module.get("isolated") or modes.get(name) == SHADOW:
                self._apart.add(name)
        self._quarantine.reloaded(self._accepted.changed)
        self.culprits.reloaded(self._accepted.changed)
        self._web_paths.reloaded(self._accepted.changed)
        # What the previous host has not finished must not be blamed for the end of this one.
        self._web_paths.take(self._names, ())

    def with_threads(self, told: dict[str, Any], *, reloads: bool) -> dict[str, Any]:
        """`told`, the modules' part of `initialize`, with a thread of its own for each culprit."""
        if (patience := self._held_threads.patience_seconds) > 0:
            told = {**told, "held_patience_ms": round(patience * 1000)}
        isolated = {name for name in self.culprits.isolated if not (reloads and self._accepted.differs(name))}
        if not isolated:
            return told
        modules = zip(told["modules"], self._names, strict=True)
        return {
            **told,
            "modules": [{**module, "isolated": True} if name in isolated else module for module, name in modules],
        }

    def node_ended(self, cause: str, culprit: str | None, heard_at: float) -> None:
        """Node has ended, and its open calls have not failed yet. `culprit` comes from the host's log.

        `heard_at` is when Node has sent something for the last time, on the monotonic clock.
        """
        # What was sent later was not read, and has not ended it.
        unread_since = heard_at + UNREAD_AFTER_SECONDS if was_blocked(cause) else inf
        self._settling.unread_since = unread_since
        module = culprit if culprit in self._names else None
        if kind_of_end(cause) == HELD:
            self._held_threads.ended_node()
        self.culprits.node_ended()
        if module is not None and self.culprits.was(module):
            self._cause_is_known()
        names = self._names
        visits = self._web_paths.take(names, names if module is None else (module,))
        visits = [visit for visit in visits if visit.since < unread_since]
        recent = self._recent.take(self._rules.again, None if module is None else (module,))
        unfinished = self._open_calls.unfinished()
        under_way = len(self._open_calls) - len(unfinished)
        before = bool(recent or unfinished or visits)
        known = self._settling.node_ended(cause, module, under_way=under_way, before=before)
        if known or is_of_no_call(cause):
            recent, visits = [], []
        if not known:
            # If it is, settling has not found yet whose the end before was.
            self._note(visits)
        read = [call for call in unfinished if call.since < unread_since]
        self._settling.suspect([_suspect(call) for call in read if call.asked], recent)

    def thread_ended(self, params: Mapping[str, Any]) -> None:
        """The host reports that a thread has ended (`ThreadEnded`). The calls in it have failed, or are about to."""
        names = self._names
        module = params["module"] if params["module"] in names else None
        kind = kind_of_end(params["cause"])
        metrics.THREAD_ENDS.labels(module or "", kind, self._rules.server_name).inc()
        concerned = params["modules"] if module is None else [module]
        known = [name for name in concerned if name in names]
        if known:
            self._settling.suspect([], self._recent.take(self._rules.again, known))
        if visits := self._web_paths.take(params["modules"], concerned):
            self._note(visits)

    def _note(self, visits: Sequence[WebVisit]) -> None:
        if self._web_paths.note(visits):
            self._cause_is_known()

    def _found(self, module: str | None, since: float) -> None:
        self._web_paths.forgive()
        if module is not None:
            # Node may have ended again meanwhile, for another reason.
            self.culprits.was(module, since)
        self._cause_is_known()


def _suspect(unfinished: OpenCall) -> Suspect:
    assert unfinished.asked is not None
    call, entries = unfinished.asked
    return Suspect(call=call, entries=entries, state_room=unfinished.state_room)
