"""What one suspect's turn comes to, by what the host answers, and how long it may take."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, cast

import pytest
from asking import Host, call_of, entry
from fake_time import Time
from synapse_module_bridge.calls.call import Call
from synapse_module_bridge.codec.replies import Reply
from synapse_module_bridge.quarantine import turn as subject
from synapse_module_bridge.quarantine.suspects import Suspect
from synapse_module_bridge.quarantine.turn import (
    ALONE_SECONDS,
    DRAIN_SECONDS,
    LEAST_SET_UP_SECONDS,
    LONG_TURN_TIMES,
    LONGEST_TURN_SECONDS,
    LOOK_SECONDS,
    MOST_ALONE_SECONDS,
    SET_UP_SECONDS,
    TURN_SECONDS,
    UNAWAITED_SECONDS,
    End,
    NodeEnded,
    Turns,
    fail,
)
from synapse_module_bridge.reactor.deadline import DeadlinePassed
from synapse_module_bridge.resilience.entrance import Entrance
from synapse_module_bridge.routing.entry import Entry
from synapse_module_bridge.schema.protocol import ERROR_CODES, Reason
from synapse_module_bridge.transport.rpc import ConnectionGone, RpcError
from synapse_module_bridge.transport.unavailable import Unavailable
from turning import outcome
from twisted.internet.defer import Deferred, ensureDeferred

NOW = 1_000.0
REPLY = Reply("NOT_SPAM", None)
NO_THREAD = RpcError(ERROR_CODES["module_unavailable"], "it has no thread")
NOT_BEGUN = RpcError(ERROR_CODES["module_ended"], "it has ended", {"module": "m", "cause": "x", "began": False})
BEGUN = RpcError(ERROR_CODES["module_ended"], "it has ended", {"module": "m", "cause": "exit code 1", "began": True})


class Thread:
    """The thread apart, which is there or not."""

    def __init__(self) -> None:
        self.is_there: bool | Exception = True
        self.asked_for: list[tuple[set[str], tuple[float, ...], bool]] = []
        self.missing: list[tuple[set[str], str]] = []
        self.forgotten = 0
        self.while_set_up: Callable[[], object] = lambda: None

    async def is_ready(self, modules: Collection[str], *seconds: float, patient: bool) -> bool:
        self.asked_for.append(({*modules}, seconds, patient))
        self.while_set_up()
        if isinstance(self.is_there, Exception):
            raise self.is_there
        return self.is_there

    async def ends_unasked(self, modules: Collection[str], *seconds: float) -> bool:
        return await self.is_ready(modules, *seconds, patient=False)

    def is_missing(self, modules: Collection[str], why: str) -> None:
        self.missing.append(({*modules}, why))

    def forget(self) -> None:
        self.forgotten += 1


class Rig:
    """Asks as the turns say; the answers come in turn, an exception is raised, a function is called before."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        # How long each may take, and for how long the thread is watched.
        self.asked: list[tuple[float, float | None]] = []
        self.about: list[tuple[Call, Sequence[Entry]]] = []
        self.while_asked: Callable[[], object] = lambda: None
        self.host = Host(None)
        self.entrance = Entrance(self.host)
        self.turns = Turns(self.host, self.entrance, self.ask)
        self.thread = Thread()
        self.turns.thread = cast(Any, self.thread)

    async def ask(self, call: Call, entries: Sequence[Entry], deadline: float, watched: float | None) -> Reply:
        self.asked.append((deadline - NOW, watched))
        self.about.append((call, entries))
        self.while_asked()
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Reply)
        return answer

    def turn(self, suspect: Suspect, watched: float = 0.0, *, others_wait: bool = False) -> Any:
        return outcome(ensureDeferred(self.turns.ask(suspect, watched, others_wait=others_wait)))


@pytest.fixture(autouse=True)
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    made = Time(NOW)
    monkeypatch.setattr(subject, "time", made)
    return made


def waited_for(left: float = 60.0, **more: Any) -> Suspect:
    return suspect(answer=Deferred(), deadline=NOW + left, **more)


def suspect(**more: Any) -> Suspect:
    return Suspect(call=call_of("user_may_invite"), entries=[entry("m")], **{"deadline": NOW + 60, **more})


def answer_of(suspect: Suspect) -> Any:
    assert suspect.answer is not None
    return outcome(suspect.answer) if suspect.answer.called else None


def test_who_waits_has_the_answer_from_the_thread() -> None:
    rig, one = Rig(REPLY), waited_for()
    assert rig.turn(one, 0.5) is None
    assert answer_of(one) == REPLY
    assert rig.asked == [(60.5, 0.5)] and rig.thread.missing == []
    assert rig.about == [(one.call, one.entries)]
    assert not rig.entrance.is_closed and not rig.turns.keeps_closed


def test_an_answer_that_nobody_waits_for_is_nobodys() -> None:
    for one in (suspect(), waited_for()):
        if one.answer is not None:
            one.answer.callback(REPLY)
        assert Rig(REPLY).turn(one) is None


@pytest.mark.parametrize(
    ("one", "others_wait", "seconds"),
    [
        (lambda: suspect(), False, UNAWAITED_SECONDS),
        (lambda: suspect(since=NOW, is_slow=True), False, UNAWAITED_SECONDS),
        (lambda: suspect(since=NOW + 60), False, UNAWAITED_SECONDS),
        (lambda: waited_for(10.0), False, 10.0),
        (lambda: waited_for(10.0), True, TURN_SECONDS),
        (lambda: waited_for(10.0, is_slow=True), True, 10.0),
        (lambda: waited_for(0.1), False, TURN_SECONDS),
        (lambda: waited_for(TURN_SECONDS), False, TURN_SECONDS),
    ],
)
def test_a_turn_is_short_where_others_wait_and_never_too_short(
    one: Callable[[], Suspect], others_wait: bool, seconds: float
) -> None:
    rig, asked = Rig(REPLY), one()
    asked.call.since = NOW
    rig.turn(asked, others_wait=others_wait)
    assert rig.asked == [(seconds, 0.0)]


@pytest.mark.parametrize(("took", "seconds"), [(4.0, 4.0 * LONG_TURN_TIMES), (60.0, LONGEST_TURN_SECONDS)])
def test_one_that_nobody_waits_for_and_that_is_slow_has_longer_than_it_took(took: float, seconds: float) -> None:
    rig, one = Rig(REPLY), suspect(is_slow=True, since=NOW)
    one.call.since = NOW - took
    rig.turn(one)
    assert rig.asked == [(seconds, 0.0)]


@pytest.mark.parametrize(
    ("one", "seconds", "patient"),
    [
        (lambda: suspect(), SET_UP_SECONDS, True),
        (lambda: waited_for(1.0), LEAST_SET_UP_SECONDS, False),
        (lambda: waited_for(20.0), 20.0 - TURN_SECONDS, False),
    ],
)
def test_the_thread_may_take_what_the_call_has_left(one: Callable[[], Suspect], seconds: float, patient: bool) -> None:
    rig = Rig(REPLY)
    rig.turn(one())
    assert rig.thread.asked_for == [({"m"}, (seconds,), patient)]


def test_one_that_ends_its_thread_is_found_and_has_no_answer_yet() -> None:
    rig, one = Rig(BEGUN), waited_for()
    assert rig.turn(one) == End("m", "exit code 1", of_node=False)
    assert answer_of(one) is None


@pytest.mark.parametrize(("error", "why"), [(NO_THREAD, "it has no thread"), (NOT_BEGUN, "it has ended")])
def test_where_the_thread_cannot_be_had_node_is_asked_nothing_else_if_somebody_waits(error: RpcError, why: str) -> None:
    rig, one = Rig(error, REPLY), waited_for()
    assert rig.turn(one) is None
    assert answer_of(one) == REPLY
    assert rig.thread.missing == [({"m"}, why)]
    assert rig.asked[1:] == [(ALONE_SECONDS, None)] and rig.entrance.is_closed and rig.turns.keeps_closed
    rig, unawaited = Rig(error), suspect()
    assert rig.turn(unawaited) is None
    assert len(rig.asked) == 1 and not rig.entrance.is_closed


def test_one_that_is_asked_alone_has_no_longer_than_it_waits() -> None:
    rig = Rig(REPLY)
    rig.thread.is_there = False
    rig.turn(waited_for(1.0))
    assert rig.asked == [(1.0, None)]


def test_others_wait_only_so_long_for_those_that_are_asked_alone(time: Time) -> None:
    rig = Rig(REPLY, REPLY, REPLY)
    rig.thread.is_there = False

    def takes_half() -> None:
        time.now += MOST_ALONE_SECONDS / 2

    rig.while_asked = takes_half
    closed = []
    for _ in range(2):
        rig.turn(waited_for())
        closed.append(rig.turns.keeps_closed)
    assert closed == [True, False]
    late = waited_for()
    assert rig.turn(late) is None
    assert len(rig.asked) == 2 and answer_of(late).reason == Reason.DOWN
    # Until all are settled.
    rig.turns.over()
    assert rig.thread.forgotten == 1
    again = waited_for()
    rig.turn(again)
    assert answer_of(again) == REPLY


@pytest.mark.parametrize("is_there", [True, False])
def test_what_else_the_host_answers_is_for_who_waits(is_there: bool) -> None:
    for error in (RpcError(-32002, "it threw"), Unavailable(Reason.PARAMS)):
        rig, one = Rig(error), waited_for()
        rig.thread.is_there = is_there
        assert rig.turn(one) is None
        assert answer_of(one) is error


def test_a_module_that_is_not_set_up_in_node_itself_fails_the_call() -> None:
    rig, one = Rig(NO_THREAD), waited_for()
    rig.thread.is_there = False
    assert rig.turn(one) is None
    assert answer_of(one) is NO_THREAD


def test_the_end_of_an_isolated_module_while_node_is_asked_alone_says_something_if_nothing_else_was_under_way() -> None:
    for begun, others, seen in ((BEGUN, 0, End("m", "exit code 1")), (BEGUN, 1, NodeEnded), (NOT_BEGUN, 0, NodeEnded)):
        rig = Rig(begun)
        rig.thread.is_there = False

        def others_enter(rig: Rig = rig, others: int = others) -> None:
            for _ in range(others):
                assert rig.entrance.backpressure.enters(True, "@b:test")

        rig.while_asked = others_enter
        came = rig.turn(waited_for())
        assert came == seen if isinstance(seen, End) else isinstance(came, seen)


def test_one_that_takes_longer_than_its_turn_is_slow_and_fails_the_next_time() -> None:
    rig, one = Rig(Unavailable(Reason.DEADLINE), Unavailable(Reason.DEADLINE)), suspect()
    rig.turn(one)
    assert one.is_slow
    slow = waited_for(is_slow=True)
    rig.turn(slow)
    assert answer_of(slow).reason == Reason.DEADLINE
    # Who waits may have another turn.
    rig, first = Rig(Unavailable(Reason.DEADLINE)), waited_for()
    rig.turn(first)
    assert answer_of(first) is None


@pytest.mark.parametrize("under_way", [1, 2])
def test_the_end_of_node_in_a_turn_is_its_suspects_if_nothing_else_was_under_way(under_way: int) -> None:
    rig, seen = Rig(ConnectionGone("gone")), []

    def ends() -> None:
        seen.append(rig.turns.node_ended("exit code 1", "m", under_way=under_way, before=False))

    rig.while_asked = ends
    came = rig.turn(waited_for())
    if under_way == 1:
        assert (came, seen) == (End("m", "exit code 1", of_node=True), [True])
    else:
        assert isinstance(came, NodeEnded) and seen == [False]


def test_the_end_of_node_while_a_thread_is_made_ready_says_nothing_of_the_thread() -> None:
    rig, one = Rig(), waited_for()
    rig.thread.is_there = ConnectionGone("gone")
    assert isinstance(rig.turn(one), NodeEnded)
    assert rig.thread.missing == []
    assert isinstance(outcome(ensureDeferred(rig.turns.thread_stands(one, 1.5))), NodeEnded)
    rig.thread.is_there = True
    assert outcome(ensureDeferred(rig.turns.thread_stands(one, 1.5))) is True
    assert rig.thread.asked_for[-1] == ({"m"}, (SET_UP_SECONDS, 1.5), True)


def test_a_suspect_whose_module_asks_the_api_in_its_turn_is_known_for_it() -> None:
    for module, known in (("m", True), ("other", False), (None, False)):
        rig, one = Rig(REPLY), waited_for()
        rig.turns.api_asked("m")

        def asks(rig: Rig = rig, module: Any = module) -> None:
            rig.turns.api_asked(module)

        rig.while_asked = asks
        rig.turn(one)
        rig.turns.api_asked("m")
        assert one.asked_api is known


def test_an_end_knows_how_long_after_the_question_it_came(time: Time) -> None:
    rig = Rig(BEGUN)

    def takes_a_while() -> None:
        time.now += 0.75

    rig.while_asked = takes_a_while
    assert rig.turn(waited_for()) == End("m", "exit code 1", after=0.75)


def test_whether_a_thread_ends_unasked_is_not_known_where_node_ends_meanwhile() -> None:
    rig, one = Rig(), suspect()
    for is_there, ends in ((True, True), (False, False), (ConnectionGone("gone"), False)):
        rig.thread.is_there = is_there
        assert outcome(ensureDeferred(rig.turns.thread_ends_unasked(one, 1.5))) is ends
        assert rig.thread.asked_for[-1] == ({"m"}, (LEAST_SET_UP_SECONDS, 1.5), False)


def test_the_host_is_heard_of_the_thread_also_where_node_ends_meanwhile() -> None:
    rig, one = Rig(), suspect()
    for is_there in (True, False, ConnectionGone("gone")):
        rig.thread.is_there = is_there
        assert outcome(ensureDeferred(rig.turns.hear_of_thread(one))) is None
        assert rig.thread.asked_for[-1] == ({"m"}, (LEAST_SET_UP_SECONDS,), True)


CRASH, BLOCKED, KILLED = "killed by SIGSEGV", "event loop blocked for 9.0 s", "killed by SIGKILL"


@pytest.mark.parametrize(
    ("cause", "before", "in_vain", "is_closed", "is_its_own"),
    [
        (CRASH, False, 0, False, True),
        # No call can have done that, and a thread cannot block Node itself.
        (KILLED, False, 0, False, False),
        (BLOCKED, False, 0, False, False),
        # A call before it may have done it, unless this Node has got no other.
        (CRASH, True, 0, False, False),
        (CRASH, True, 1, False, False),
        (CRASH, True, 0, True, False),
        (CRASH, True, 1, True, True),
    ],
)
def test_an_end_of_node_is_a_suspects_only_where_nothing_else_can_have_caused_it(
    cause: str, before: bool, in_vain: int, is_closed: bool, is_its_own: bool
) -> None:
    rig, seen = Rig(ConnectionGone("gone")), []
    if is_closed:
        rig.entrance.close()

    def ends() -> None:
        seen.append(rig.turns.node_ended(cause, "m", under_way=1, before=before))

    rig.while_asked = ends
    one = waited_for(in_vain=in_vain)
    came = rig.turn(one)
    assert seen == [is_its_own]
    assert came == End("m", cause, of_node=True) if is_its_own else isinstance(came, NodeEnded)
    # In no turn, nobody has done it. Nor is an end that is over that of the next turn.
    assert not rig.turns.node_ended(CRASH, "m", under_way=0, before=False)
    rig.while_asked = lambda: None
    rig.answers = [ConnectionGone("gone")]
    assert isinstance(rig.turn(one), NodeEnded)


def test_a_suspect_that_is_asked_alone_may_block_node() -> None:
    rig = Rig(ConnectionGone("gone"))
    rig.thread.is_there = False
    rig.while_asked = lambda: rig.turns.node_ended(BLOCKED, None, under_way=1, before=False)
    assert rig.turn(waited_for()) == End(None, BLOCKED, of_node=True)
    # The next one is asked in a thread again.
    rig.thread.is_there, rig.answers = True, [ConnectionGone("gone")]
    assert isinstance(rig.turn(waited_for()), NodeEnded)


def test_a_block_of_node_while_a_thread_is_set_up_is_not_the_threads_also_after_a_turn_alone() -> None:
    rig = Rig(REPLY)
    rig.thread.is_there = False
    rig.turn(waited_for())
    rig.thread.is_there = ConnectionGone("gone")
    rig.thread.while_set_up = lambda: rig.turns.node_ended(BLOCKED, "m", under_way=0, before=False)
    assert isinstance(rig.turn(waited_for()), NodeEnded)
    assert rig.thread.missing == []


@pytest.mark.parametrize("under_way", [0, 1])
def test_a_thread_whose_set_up_ends_node_is_not_tried_again(under_way: int) -> None:
    rig, seen = Rig(), []
    rig.thread.is_there = ConnectionGone("gone")

    def ends() -> None:
        seen.append(rig.turns.node_ended(CRASH, "m", under_way=under_way, before=False))

    rig.thread.while_set_up = ends
    assert isinstance(rig.turn(waited_for()), NodeEnded)
    # It was no call.
    assert seen == [False]
    assert rig.thread.missing == ([] if under_way else [({"m"}, f"Node has ended of it: {CRASH}")])


def test_open_calls_have_a_moment_to_finish_before_node_is_asked_alone(time: Time) -> None:
    rig = Rig(REPLY, REPLY)
    rig.thread.is_there = False
    looks: list[float] = []

    async def within(deferred: "Deferred[Any]", deadline: float) -> Any:
        assert not deferred.called
        looks.append(round(deadline - time.now, 3))
        time.now = deadline
        if len(looks) == 3:
            rig.entrance.leave(True, "@b:test")
        raise DeadlinePassed

    rig.host.within = within  # type: ignore[method-assign]
    assert rig.entrance.enters(True, "@b:test")
    rig.turn(waited_for())
    assert looks == [LOOK_SECONDS] * 3
    rig.entrance.open()
    for who in ("@b:test", "@c:test"):
        assert rig.entrance.enters(True, who)
    looks.clear()
    looks += [0.0] * 3
    began = time.now
    rig.turn(waited_for())
    # They do not finish.
    assert DRAIN_SECONDS <= time.now - began < DRAIN_SECONDS + 2 * LOOK_SECONDS


def test_a_turn_without_more_words_is_not_watched_and_nobody_else_waits() -> None:
    rig, one = Rig(REPLY), waited_for()
    assert outcome(ensureDeferred(rig.turns.ask(one))) is None
    assert rig.asked == [(60.0, 0.0)]


def test_a_turn_in_the_thread_lets_others_enter_after_one_alone() -> None:
    rig = Rig(REPLY, REPLY)
    closed = [rig.turns.keeps_closed]
    for is_there in (False, True):
        rig.thread.is_there = is_there
        rig.turn(waited_for())
        closed.append(rig.turns.keeps_closed)
    assert closed == [False, True, False]


def test_others_wait_for_the_whole_of_their_time_and_anew_once_all_are_settled(time: Time) -> None:
    rig = Rig(REPLY, REPLY)
    rig.thread.is_there = False

    def takes_nearly_all() -> None:
        time.now += MOST_ALONE_SECONDS - 0.5

    rig.while_asked = takes_nearly_all
    closed = []
    for _ in range(2):
        rig.turn(waited_for())
        closed.append(rig.turns.keeps_closed)
        rig.turns.over()
        closed.append(rig.turns.keeps_closed)
    assert closed == [True, False] * 2


def test_an_end_of_node_before_all_turns_or_after_one_that_has_no_thread_is_nobodys() -> None:
    for before in (False, True):
        rig = Rig()
        assert not rig.turns.node_ended(CRASH, "m", under_way=0, before=before)
        rig.thread.is_there = False
        assert rig.turn(suspect()) is None
        assert not rig.turns.node_ended(CRASH, "m", under_way=0, before=before)


def test_an_end_is_of_a_thread_and_came_at_once_unless_it_says_more() -> None:
    assert End("m", "x") == ("m", "x", False, 0.0)


def test_nobody_fails_who_does_not_wait() -> None:
    answered = waited_for()
    assert answered.answer is not None
    answered.answer.callback(REPLY)
    for one in (suspect(), answered):
        fail(one, Unavailable(Reason.DOWN))
    assert answer_of(answered) == REPLY


def test_a_suspect_is_completed_before_it_is_asked_in_the_hosts_thread() -> None:
    host, state = Host({"ended": None}), {("m.room.create", ""): object()}
    asked: list[Call] = []

    async def ask(call: Call, *_: Any) -> Reply:
        asked.append(call)
        return REPLY

    async def room_state(room: str) -> Any:
        assert room == "!room:test"
        return state

    turns = Turns(host, Entrance(host), ask, room_state)
    call = call_of("check_event_allowed")
    one = Suspect(call=call, entries=[entry("m")], state_room="!room:test", deadline=NOW + 60)
    assert outcome(ensureDeferred(turns.ask(one))) is None
    assert asked == [call] and call.params["state_events"] is state
    assert [method for method, *_ in host.calls] == ["set_up_apart"]
