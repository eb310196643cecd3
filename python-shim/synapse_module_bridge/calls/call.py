"""Holds the state of one call, with Synapse's objects as its parameters, and the rules that all calls share."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attr
from synapse.api.constants import EventTypes
from synapse.logging.context import current_context

from synapse_module_bridge.calls.decision import CallCounts, Ledger, Recorded
from synapse_module_bridge.codec.match import lookup
from synapse_module_bridge.codec.replies import Reply
from synapse_module_bridge.configuration.config import Timeout
from synapse_module_bridge.resilience import policy
from synapse_module_bridge.resilience.answer_cache import Question, question_of
from synapse_module_bridge.routing.entry import Entry, current_request
from synapse_module_bridge.schema.catalogue import CALLBACKS, Callback


class Call(Recorded):
    """One question of Synapse, while it is being answered. Times are of the monotonic clock, in seconds."""

    # These are set only in the few calls that need them, as in `Recorded`.
    # The SHA-256 of the media file that it is about.
    file_digest: bytes | None = None
    # The hash of what it asks, once `as_question` has computed it.
    question: Question | None = None
    # The room's state was dropped while the call waited in line. It is looked up if a module asks for it.
    state_let_go = False
    # A Node whose event loop was blocked has ended before it had read the call.
    was_unread = False
    # The request would be too large with the declared `room_state`, so modules ask for that, too.
    leaves_state_out = False

    def __init__(
        self,
        callback: Callback,
        params: Mapping[str, Any],
        rules: "Rules",
        local: bool,
        who: str,
        request: str | None,
        uploader: str | None,
    ) -> None:
        self.callback = callback
        self.params = params
        self.server_name = rules.server_name
        self.counts = rules.counts[callback.name]
        self.ledger = ledger = rules.ledger
        if ledger is not None:
            self.versions = ledger.versions
        self.local = local
        # The local user, or the remote server, that it counts for; empty where there is none.
        self.who = who
        # When its time began, and when it is up.
        self.started = self.since = now = time.monotonic()
        self.deadline = now + rules.seconds[callback.name, local]
        # Synapse's id of the request in which it is asked.
        self.request = request
        # The local user who uploads the file, where the content is known to be theirs.
        self.uploader = uploader

    def had_time_from(self, sent: float) -> bool:
        """Whether a module that was asked at the time `sent` had at least half of the call's time.

        Otherwise the call has waited in line, and its deadline says nothing about the module.
        """
        return 2 * (self.deadline - sent) >= self.deadline - self.since

    def without_state(self) -> tuple[Mapping[str, Any], str | None]:
        """The parameters without the room's state, which is too large to be kept, and the id of its room."""
        state_param = self.callback.state_param
        if state_param is None:
            return self.params, None
        state = self.params.get(state_param)
        return {**self.params, state_param: {}}, next(iter(state.values())).room_id if state else None

    def subject(self) -> dict[str, str | None]:
        """As in `Recorded`; the user of a media file is the one who uploads it."""
        found = super().subject()
        return found if self.uploader is None else {**found, "user": self.uploader}

    @property
    def author(self) -> str | None:
        """The authenticated user who wrote what the call is about; None where there is none."""
        return self.uploader or self._user_or_room(self.callback.author)

    @property
    def holds_what_others_wrote(self) -> bool:
        """Whether the author has not written all of it: an invite has a copy of the other's name and avatar."""
        event_param = self.callback.event_param
        if event_param is None:
            return False
        event = self.params[event_param]
        return bool(event.type == EventTypes.Member and event.get_state_key() != event.sender)

    @property
    def file_server(self) -> str | None:
        """The remote server that the media file comes from."""
        info = None if self.callback.file_param is None else self.params.get("file_info")
        return getattr(info, "server_name", None)

    @property
    def room(self) -> str | None:
        """The id of the room that the call is about; None where there is none."""
        return self._user_or_room(self.callback.room)

    def _user_or_room(self, path: Sequence[str] | None) -> str | None:
        found = None if path is None else lookup(self.params, path)
        return found if isinstance(found, str) else None

    def known_to(self, entry: Entry) -> Reply | None:
        """The reply that is kept for an equal question to this entry, or None."""
        if entry.answer_cache is None:
            return None
        question = self.as_question()
        return None if question is None else entry.answer_cache.known(question)

    def forget(self, entry: Entry) -> None:
        """Drops the reply that is kept for this question, since its answer cannot be used."""
        if entry.answer_cache is not None and self.question is not None:
            entry.answer_cache.forget(self.question)

    def as_question(self) -> Question | None:
        """The hash of what the call asks; None where a parameter has no form in JSON."""
        if self.question is None:
            try:
                self.question = question_of(self.callback, self.params, self.file_digest)
            except ValueError:
                return None
        return self.question


class _Counts(dict[str, CallCounts]):
    """By callback. Those of a callback begin with its first call."""

    def __init__(self, server_name: str) -> None:
        super().__init__()
        self._server_name = server_name

    def __missing__(self, callback: str) -> CallCounts:
        counts = self[callback] = CallCounts(callback, self._server_name)
        return counts


@attr.s(frozen=True, slots=True, auto_attribs=True, kw_only=True)
class Rules:
    """What is the same for all calls of this process."""

    server_name: str
    # Whether a call is local, and its `who`: `Locality.whose`.
    whose: Callable[[Callback, Mapping[str, Any]], tuple[bool, str]]
    timeout: Timeout
    callback_timeouts: Mapping[str, Timeout]
    policies: policy.Policies
    # None where decisions are not kept.
    ledger: Ledger | None = None
    # By callback.
    counts: Mapping[str, CallCounts] = attr.ib(init=False)
    # How long a call may take, by its callback and by whether it is local.
    seconds: Mapping[tuple[str, bool], float] = attr.ib(init=False)

    @counts.default
    def _counts(self) -> Mapping[str, CallCounts]:
        return _Counts(self.server_name)

    @seconds.default
    def _seconds(self) -> Mapping[tuple[str, bool], float]:
        timeouts = {name: self.callback_timeouts.get(name, self.timeout) for name in CALLBACKS}
        return {
            (name, local): (timeout.local if local else timeout.federated) / 1000
            for name, timeout in timeouts.items()
            for local in (True, False)
        }

    def begin(self, callback: Callback, params: Mapping[str, Any]) -> Call:
        """A new call with Synapse's arguments by name. Its time begins now."""
        local, who = self.whose(callback, params)
        uploader = None if callback.file_param is None else _uploader(params)
        return Call(callback, params, self, local, who, current_request(), uploader)

    def again(
        self,
        callback: Callback,
        params: Mapping[str, Any],
        local: bool,
        who: str,
        request: str | None,
        uploader: str | None,
    ) -> Call:
        """A new call of which all is known, such as one like another that has ended. Its time begins now."""
        return Call(callback, params, self, local, who, request, uploader)


def _uploader(params: Mapping[str, Any]) -> str | None:
    """The user of ours whose request brings the file: no file of another server, no preview, no thumbnail."""
    info, request = params.get("file_info"), getattr(current_context(), "request", None)
    if info is None or info.server_name or info.url_cache or info.thumbnail or request is None:
        return None
    requester = request.requester
    return requester if isinstance(requester, str) and requester.startswith("@") else None
