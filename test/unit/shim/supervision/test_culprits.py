"""Modules that have ended Node more than once: they get a thread of their own."""

import pytest
from fake_time import Time
from synapse_module_bridge.supervision.culprits import WITHIN_SECONDS, Culprits


def test_a_module_that_has_ended_node_twice_in_an_hour_is_isolated_until_it_is_reloaded() -> None:
    time = Time()
    culprits = Culprits({"shadow"}, time)
    for _ in range(2):
        culprits.node_ended()
        assert not culprits.was("m")
        # The same end is told twice.
        assert not culprits.was("m")
        time.now += WITHIN_SECONDS + 1
    culprits.node_ended()
    culprits.was("m")
    time.now += 1
    culprits.node_ended()
    assert culprits.was("m")
    assert culprits.isolated == {"m"}
    # Those that run apart need no thread of their own.
    for _ in range(3):
        time.now += 1
        culprits.node_ended()
        assert not culprits.was("shadow")
    culprits.reloaded({"n"})
    assert culprits.isolated == {"m"}
    culprits.reloaded({"m"})
    assert culprits.isolated == set()
    culprits.node_ended()
    assert not culprits.was("m")


@pytest.mark.parametrize(("between", "is_isolated"), [(WITHIN_SECONDS, True), (WITHIN_SECONDS + 1, False)])
def test_the_log_says_that_a_module_has_ended_node_twice_in_an_hour(
    between: float, is_isolated: bool, caplog: pytest.LogCaptureFixture
) -> None:
    time = Time()
    culprits = Culprits((), time)
    for _ in range(2):
        culprits.node_ended()
        isolated = culprits.was("m")
        time.now += between
    assert isolated is is_isolated
    told = "m has ended Node 2 times in an hour: from Node's next start on it has a thread of its own, until it is "
    assert caplog.messages == [f"{told}reloaded"] * isolated


def test_a_module_that_is_found_after_another_end_is_counted_for_its_own_end_alone() -> None:
    time = Time()
    culprits = Culprits((), time)
    culprits.node_ended()
    culprits.was("m")
    time.now += 1
    since = time.now
    time.now += 1
    culprits.node_ended()
    # Once more for the first end.
    assert not culprits.was("m", since)
    assert not culprits.was("n", since)
    assert culprits.was("m")
    assert culprits.isolated == {"m"}
    assert culprits.was("n")
