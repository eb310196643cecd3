"""One question of Synapse while it is being answered, and the rules that hold for all of them."""

from collections.abc import Callable, Mapping
from typing import Any

import attr

from synapse_module_bridge import policy
from synapse_module_bridge.catalogue import CALLBACKS, Callback
from synapse_module_bridge.config import Timeout
from synapse_module_bridge.decision import Recorded
from synapse_module_bridge.questions import Entry, current_request
from synapse_module_bridge.remembered import Question, question_of
from synapse_module_bridge.replies import Reply


@attr.s(slots=True, auto_attribs=True, kw_only=True, eq=False)
class Call(Recorded):
    """One question of Synapse while it is being answered."""

    local: bool
    # Since when its time runs, and until when.
    since: float
    deadline: float
    # Of the event that it is about.
    event_id: str | None
    request: str | None = attr.Factory(current_request)
    # What it is kept under, once that was asked for.
    question: Question | None = None
    # The room's state was not kept while the call waited in line: what is asked of it is looked up.
    state_let_go: bool = False

    def had_time_from(self, sent: float) -> bool:
        """Whether a module that was asked then had most of the call's time. Else the call had waited in line."""
        return 2 * (self.deadline - sent) >= self.deadline - self.since

    def known_to(self, entry: Entry) -> Reply | None:
        """What this entry's module has answered to an equal question, while it is kept."""
        if entry.remembered is None:
            return None
        question = self.as_question()
        return None if question is None else entry.remembered.known(question)

    def forget(self, entry: Entry) -> None:
        """What it has answered cannot be used."""
        if entry.remembered is not None and self.question is not None:
            entry.remembered.forget(self.question)

    def as_question(self) -> Question | None:
        """What equal questions share; None for one that cannot be sent."""
        if self.question is None:
            try:
                self.question = question_of(self.callback, self.params)
            except ValueError:
                return None
        return self.question


@attr.s(frozen=True, slots=True, auto_attribs=True, kw_only=True)
class Rules:
    """What holds for all calls of this process."""

    server_name: str
    is_local: Callable[[Callback, Mapping[str, Any]], bool]
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
