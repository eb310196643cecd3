"""What the fault tests share: quick pauses, the questions that they ask, and how an answer is told."""

import itertools
from collections.abc import Sequence
from typing import Any

from counted import count
from objects import event
from rig import Rig
from synapse.module_api import NOT_SPAM
from synapse.module_api.errors import Codes, SynapseError
from turning import settled, turn_until
from twisted.internet.defer import Deferred

GOOD = Codes.LIMIT_EXCEEDED
INVITE = ("@alice:test", "@bob:test", "!room:test")
POLICIES = ("allow", "deny", "defer")
depths = itertools.count(3)


def local_event() -> Any:
    return event(depth=next(depths))


def remote_event() -> Any:
    return event(depth=next(depths), sender="@bob:remote")


def config(policy: str | None, seconds: float = 2) -> dict[str, Any]:
    entry = {} if policy is None else {"on_failure": policy}
    return {
        "timeout": int(seconds * 1000),
        "callbacks": {name: entry for name in ("check_event_for_spam", "user_may_invite") if entry},
    }


def told(outcome: Any) -> Any:
    """What Synapse makes of an outcome."""
    return (outcome.code, outcome.errcode) if isinstance(outcome, SynapseError) else outcome


def in_words(outcomes: Sequence[Any]) -> str:
    """The outcomes, for the fault matrix."""

    def word(outcome: Any) -> str:
        if isinstance(outcome, tuple):
            return f"{outcome[0]} {outcome[1].value}"
        known = {NOT_SPAM: "allowed", GOOD: "by the module"}
        return known.get(outcome, str(getattr(outcome, "value", outcome)))

    return ", ".join(map(word, outcomes))


def by_policy(policy: str) -> list[Any]:
    """The answers about a local event, an event of another server, and no event."""
    answers: dict[str, list[Any]] = {
        "allow": [NOT_SPAM] * 3,
        "deny": [(403, Codes.FORBIDDEN), Codes.FORBIDDEN, (403, Codes.FORBIDDEN)],
        "defer": [(503, Codes.UNKNOWN), (403, Codes.FORBIDDEN), (503, Codes.UNKNOWN)],
    }
    return answers[policy]


def ask_three(rig: Rig) -> list["Deferred[Any]"]:
    return [
        rig.ask("check_event_for_spam", local_event()),
        rig.ask("check_event_for_spam", remote_event()),
        rig.ask("user_may_invite", *INVITE),
    ]


def recovers(rig: Rig) -> None:
    """The bridge answers again, by itself."""
    rig.misbehave(False)
    turn_until(lambda: rig.answer("user_may_invite", *INVITE) is GOOD)
    assert [settled(asked) for asked in ask_three(rig)] == [GOOD] * 3


def policy_count(reason: str) -> float:
    return count("calls_total", outcome="policy", reason=reason)
