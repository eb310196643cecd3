"""Who is blamed for the end of a thread, and who is let go since the thread ends of itself."""

from collections.abc import Collection
from typing import Any

import pytest
from asking import Host, call_of, entry
from synapse_module_bridge.calls.again import AskAgain
from synapse_module_bridge.quarantine.quarantine import Quarantine
from synapse_module_bridge.quarantine.settling import Settling
from synapse_module_bridge.quarantine.suspects import Suspect
from synapse_module_bridge.quarantine.turn import End
from synapse_module_bridge.reactor.deadline import DeadlinePassed
from synapse_module_bridge.resilience.entrance import Entrance
from synapse_module_bridge.schema.protocol import ERROR_CODES, Reason
from synapse_module_bridge.transport.rpc import ConnectionGone, RpcError
from synapse_module_bridge.transport.unavailable import Unavailable
from turning import outcome
from twisted.internet.defer import ensureDeferred

ENDED = RpcError(ERROR_CODES["module_unavailable"], "there is no thread apart: exit code 1", {"module": "m"})


@pytest.mark.parametrize(
    ("of_node", "set_up", "blamed"),
    [
        pytest.param(False, {"ended": None}, True, id="the thread stands while nobody is asked"),
        pytest.param(False, ENDED, False, id="the thread ends while nobody is asked"),
        pytest.param(False, DeadlinePassed(), True, id="it takes too long to find out"),
        pytest.param(False, Unavailable(Reason.OVERLOAD), True, id="Node has too much to read"),
        pytest.param(False, ConnectionGone("gone"), True, id="Node ends meanwhile"),
        pytest.param(True, ENDED, True, id="it was Node, which was asked nothing else"),
    ],
)
def test_who_ends_a_thread_is_blamed_unless_the_thread_is_known_to_end_of_itself(
    of_node: bool, set_up: Any, blamed: bool
) -> None:
    host, quarantine = Host(set_up), Quarantine("test")
    settling = Settling(host, Entrance(host), quarantine, None, lambda run: ensureDeferred(run()))  # type: ignore[arg-type]

    async def ends(suspect: Suspect, *_: object, **__: object) -> End:
        return End("m", "exit code 1", of_node, after=0.2)

    settling.turns.ask = ends  # type: ignore[method-assign]
    call = call_of("check_event_for_spam")
    came = outcome(ensureDeferred(settling.settle(call, [entry("m")], call.deadline)))
    assert isinstance(came, AskAgain)
    assert [held.whose[1] for held in quarantine.listed()] == ([call.author] if blamed else [])
    assert not settling.busy


def test_a_thread_that_is_known_to_end_of_itself_is_watched_for_as_long_as_the_other_stood() -> None:
    host: Any = Host(ENDED)
    settling = Settling(host, Entrance(host), Quarantine("test"), None, lambda run: ensureDeferred(run()))  # type: ignore[arg-type]
    afters = iter([0.2, 30.0])

    async def ends(suspect: Suspect, *_: object, **__: object) -> End:
        return End("m", "exit code 1", after=next(afters))

    settling.turns.ask = ends  # type: ignore[method-assign]
    for _ in range(2):
        call = call_of("check_event_for_spam")
        outcome(ensureDeferred(settling.settle(call, [entry("m")], call.deadline)))
        settling.turns.thread.forget()
    lingered: Collection[int] = [params["linger_ms"] for _, params, _ in host.calls]
    assert lingered == [300, 1_100]
