"""Stands for all that is around the search for the call that has ended Node: each turn comes to what a test says."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, cast

from asking import entry, message_from
from synapse_module_bridge.codec.replies import Reply
from synapse_module_bridge.quarantine.quarantine import Quarantine
from synapse_module_bridge.quarantine.settling import Settling
from synapse_module_bridge.quarantine.suspects import Suspect
from synapse_module_bridge.quarantine.turn import End
from synapse_module_bridge.reactor.deadline import DeadlinePassed
from synapse_module_bridge.resilience.entrance import Entrance
from synapse_module_bridge.transport.unavailable import Unavailable
from turning import outcome
from twisted.internet.defer import Deferred, ensureDeferred

REPLY = Reply("NOT_SPAM", None)
END = End("m", "exit code 1", after=0.2)
OF_NODE = End("m", "killed by SIGSEGV", of_node=True)
# It takes longer than its turn.
SILENT = "silent"
# With more turns than this, the search does not end.
MOST_TURNS = 40


class Host:
    is_up = True

    def __init__(self) -> None:
        self.looks = 0
        self.before_turn: Callable[[], object] = lambda: None
        # What is waited for, until when.
        self.until: list[float] = []
        self.until_back: Deferred[None] | None = None
        self._within: list[Deferred[Any]] = []

    async def until_up(self, deadline: float) -> None:
        self.until.append(deadline)
        if self.until_back is not None:
            await self.until_back

    async def until_up_again(self) -> None:
        assert self.looks < MOST_TURNS, "it does not end"
        self.looks += 1
        self.before_turn()

    async def within(self, deferred: "Deferred[Any]", deadline: float) -> Any:
        self.until.append(deadline)
        result: Deferred[Any] = Deferred()
        deferred.addBoth(lambda came: None if result.called else result.callback(came))
        self._within.append(result)
        return await result

    def time_is_up(self) -> None:
        """For all that is waited for."""
        for result in self._within:
            if not result.called:
                result.errback(DeadlinePassed())


class Door(Entrance):
    def __init__(self, host: Any) -> None:
        super().__init__(host)
        self.limits: list[float] = []

    def close_no_longer_than(self, seconds: float) -> None:
        self.limits.append(seconds)
        super().close_no_longer_than(seconds)


class Turn(NamedTuple):
    who: str
    watched: float
    others_wait: bool
    is_waited_for: bool
    is_closed: bool


class Turns:
    """What comes of each turn is up to the test; without its word, the suspect answers and ends nothing."""

    def __init__(self, entrance: Entrance) -> None:
        self._entrance = entrance
        # By the user's name, in turn: how it ends the thread, an exception, SILENT, or a function that gives one of it.
        self.outcomes: dict[str, list[Any]] = {}
        self.all: list[Turn] = []
        self.suspects: list[Suspect] = []
        self.keeps_closed = False
        self.overs = 0
        # Whether a thread stands, or ends, while nobody is asked; and who is tried so, for how long.
        self.stands: Any = True
        self.ends_unasked = False
        self.tried: list[tuple[str, float]] = []
        self.while_tried: Callable[[], object] = lambda: None
        # Called when the host may tell of a thread that has ended between two turns.
        self.when_heard: Callable[[], object] = lambda: None
        self.told: list[Any] = []

    async def ask(self, suspect: Suspect, watched: float, *, others_wait: bool) -> End | None:
        assert len(self.all) < MOST_TURNS, "it does not end"
        who = name_of(suspect)
        self.suspects.append(suspect)
        self.all.append(Turn(who, watched, others_wait, suspect.is_waited_for, self._entrance.is_closed))
        came = self.outcomes[who].pop(0) if self.outcomes.get(who) else None
        if callable(came):
            came = came()
        if isinstance(came, Exception):
            raise came
        if isinstance(came, End):
            return came
        if came == SILENT:
            # Who waits is marked by the search itself.
            suspect.is_slow = suspect.is_slow or not suspect.is_waited_for
        elif suspect.answer is not None and not suspect.answer.called:
            suspect.answer.callback(REPLY)
        return None

    async def thread_stands(self, suspect: Suspect, seconds: float) -> bool:
        self.tried.append((name_of(suspect), seconds))
        self.while_tried()
        if isinstance(self.stands, Exception):
            came, self.stands = self.stands, True
            raise came
        return bool(self.stands)

    async def hear_of_thread(self, suspect: Suspect) -> None:
        self.when_heard()

    async def thread_ends_unasked(self, suspect: Suspect, seconds: float) -> bool:
        self.tried.append((name_of(suspect), seconds))
        self.while_tried()
        return self.ends_unasked

    def node_ended(self, *about: Any, **more: Any) -> Any:
        self.told.append((about, more))
        return "its own"

    def over(self) -> None:
        self.overs += 1


class Rig:
    def __init__(self) -> None:
        self.host = Host()
        host = cast(Any, self.host)
        self.entrance = Door(host)
        self.quarantine = Quarantine("test")
        self.works: list[Any] = []
        self.waiting: list[Deferred[Any]] = []
        self.settling = Settling(host, self.entrance, self.quarantine, cast(Any, None), self.works.append)
        # What the thread calls when it has ended between two turns.
        self.thread_lost = self.settling.turns.thread.lost
        self.turns = Turns(self.entrance)
        self.settling.turns = cast(Any, self.turns)
        self.found: list[tuple[str | None, float]] = []
        self.settling.found = lambda module, since: self.found.append((module, since))

    def settle(self, who: str, *modules: str) -> "Deferred[Any]":
        """Somebody waits for this one."""
        call = message_from(f"@{who}:test")
        entries = [entry(module) for module in modules or ("m",)]
        self.waiting.append(ensureDeferred(self.settling.settle(call, entries, call.deadline)))
        return self.waiting[-1]

    def wait(self, whose: str) -> "list[Deferred[Any]]":
        """Somebody waits for these, who are asked in this order: the youngest comes first."""
        return [self.settle(who) for who in reversed(whose)][::-1]

    def work(self) -> None:
        """Searches until everybody is settled."""
        [work] = self.works
        self.works.clear()
        assert outcome(ensureDeferred(work())) is None

    def search(self, unanswered: Iterable[Suspect] = (), answered: Iterable[Suspect] = ()) -> str:
        """Who is asked, in this order."""
        before = len(self.turns.all)
        self.settling.suspect([*unanswered], [*answered])
        self.work()
        return self.order[before:]

    @property
    def order(self) -> str:
        return "".join(turn.who for turn in self.turns.all)

    @property
    def blamed(self) -> list[str]:
        return [held.whose[1][1] for held in self.quarantine.listed()]


def suspect(who: str, *modules: str, took: float = 0.0, since: float = 1_000.0, **more: Any) -> Suspect:
    """Nobody waits for it."""
    call = message_from(f"@{who}:test")
    call.since = since - took
    return Suspect(call=call, entries=[entry(module) for module in modules or ("m",)], since=since, **more)


def suspects(whose: str, **more: Any) -> list[Suspect]:
    return [suspect(who, **more) for who in whose]


def name_of(suspect: Suspect) -> str:
    assert suspect.call.author is not None
    return suspect.call.author[1]


def reason_of(waiting: "Deferred[Any]") -> Any:
    came = outcome(waiting)
    assert isinstance(came, Unavailable)
    return came.reason
