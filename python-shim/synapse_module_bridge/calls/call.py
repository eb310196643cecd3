"""One question of Synapse while it is being answered, and the rules that hold for all of them."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import attr

from synapse_module_bridge.calls.decision import Recorded
from synapse_module_bridge.codec.match import lookup
from synapse_module_bridge.codec.replies import Reply
from synapse_module_bridge.configuration.config import Timeout
from synapse_module_bridge.resilience import policy
from synapse_module_bridge.resilience.answer_cache import Question, question_of
from synapse_module_bridge.routing.route import Entry, current_request
from synapse_module_bridge.schema.catalogue import CALLBACKS, Callback


class Asked(NamedTuple):
    """What is known of a call where the call itself, with its parameters, is not kept."""

    callback: Callback
    local: bool
    who: str
    request: str | None


@attr.s(slots=True, auto_attribs=True, kw_only=True, eq=False)
class Call(Recorded):
    """One question of Synapse while it is being answered."""

    local: bool
    # Whose it is: a local user, or another server.
    who: str
    # Since when its time runs, and until when.
    since: float
    deadline: float
    request: str | None = attr.Factory(current_request)
    # Of the media file that it is about, if answers to equal questions are kept.
    file_digest: bytes | None = None
    # What it is kept under, once that was asked for.
    question: Question | None = None
    # The room's state was not kept while the call waited in line: what is asked of it is looked up.
    state_let_go: bool = False
    # With what the modules declared of it, the question would be too large: they ask for that as well.
    leaves_state_out: bool = False

    def had_time_from(self, sent: float) -> bool:
        """Whether a module that was asked then had most of the call's time. Else the call had waited in line."""
        return 2 * (self.deadline - sent) >= self.deadline - self.since

    def without_state(self) -> tuple[Mapping[str, Any], str | None]:
        """The parameters without the room's state, which must not be kept, and the room that it is of."""
        state_param = self.callback.state_param
        if state_param is None:
            return self.params, None
        state = self.params.get(state_param)
        return {**self.params, state_param: {}}, next(iter(state.values())).room_id if state else None

    @property
    def author(self) -> str | None:
        """The authenticated user who wrote what it is about."""
        return self._user_or_room(self.callback.author)

    @property
    def room(self) -> str | None:
        """The room that it is about, which may hold what somebody else wrote."""
        return self._user_or_room(self.callback.room)

    def _user_or_room(self, path: Sequence[str] | None) -> str | None:
        found = None if path is None else lookup(self.params, path)
        return found if isinstance(found, str) else None

    def known_to(self, entry: Entry) -> Reply | None:
        """What this entry's module has answered to an equal question, while it is kept."""
        if entry.answer_cache is None:
            return None
        question = self.as_question()
        return None if question is None else entry.answer_cache.known(question)

    def forget(self, entry: Entry) -> None:
        """What it has answered cannot be used."""
        if entry.answer_cache is not None and self.question is not None:
            entry.answer_cache.forget(self.question)

    def as_question(self) -> Question | None:
        """What equal questions share; None for one that cannot be sent."""
        if self.question is None:
            try:
                self.question = question_of(self.callback, self.params, self.file_digest)
            except ValueError:
                return None
        return self.question


@attr.s(frozen=True, slots=True, auto_attribs=True, kw_only=True)
class Rules:
    """What holds for all calls of this process."""

    server_name: str
    # Whether a call is local, and of which user of ours, or of which other server.
    whose: Callable[[Callback, Mapping[str, Any]], tuple[bool, str]]
    timeout: Timeout
    callback_timeouts: Mapping[str, Timeout]
    policies: policy.Policies
    # How long a call may take: by callback, and whether it is local.
    seconds: Mapping[tuple[str, bool], float] = attr.ib(init=False)

    @seconds.default
    def _seconds(self) -> Mapping[tuple[str, bool], float]:
        timeouts = {name: self.callback_timeouts.get(name, self.timeout) for name in CALLBACKS}
        return {
            (name, local): (timeout.local if local else timeout.federated) / 1000
            for name, timeout in timeouts.items()
            for local in (True, False)
        }

    def begin(self, callback: Callback, params: Mapping[str, Any]) -> Call:
        """A call with Synapse's parameters by name: its time runs from now."""
        local, who = self.whose(callback, params)
        return self.again(Asked(callback, local, who, current_request()), params)

    def again(self, asked: Asked, params: Mapping[str, Any]) -> Call:
        """A call of whose kind and author it is known what they are: its time runs from now."""
        now = time.monotonic()
        return Call(
            callback=asked.callback,
            params=params,
            server_name=self.server_name,
            started=now,
            local=asked.local,
            who=asked.who,
            since=now,
            deadline=now + self.seconds[asked.callback.name, asked.local],
            request=asked.request,
        )
