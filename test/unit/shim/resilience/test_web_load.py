"""Who may have how many web requests, and how large ones, served at once."""

from collections.abc import Sequence
from contextlib import ExitStack

import pytest
from synapse_module_bridge.resilience.web_load import WebLoad
from synapse_module_bridge.schema.protocol import LIMITS
from synapse_module_bridge.transport.unavailable import Unavailable

LARGEST = LIMITS["body_bytes"]


# A visitor's share of a module's share: 4/5 of 4/5. Of bytes, one of the largest bodies.
@pytest.mark.parametrize(("size", "most"), [(0, 163), (LARGEST // 2, 2), (LARGEST, 1)])
def test_one_visitor_may_ask_for_so_much_at_once_and_no_more(size: int, most: int) -> None:
    load = WebLoad()
    with ExitStack() as served:
        for _ in range(most):
            served.enter_context(load.of("m", "v", size))
        with pytest.raises(Unavailable), load.of("m", "v", size):
            pass
    with load.of("m", "v", size):
        pass


def fill(served: ExitStack, load: WebLoad, modules: Sequence[str], visitors: Sequence[str], size: int) -> None:
    """Each of these visitors takes all that it gets of each of these modules."""
    for module in modules:
        for visitor in visitors:
            try:
                while True:
                    served.enter_context(load.of(module, visitor, size))
            except Unavailable:
                pass


@pytest.mark.parametrize("size", [0, 1_000_000, LARGEST])
@pytest.mark.parametrize("modules", ["m", "mn", "nm", "mnopqr"])
def test_whatever_one_visitor_takes_another_is_served_by_each_module(modules: str, size: int) -> None:
    load = WebLoad()
    with ExitStack() as served:
        fill(served, load, modules, "v", size)
        for module in {*modules, "another"}:
            with load.of(module, "w", size):
                pass


def test_whatever_many_visitors_take_of_one_module_another_module_is_reached() -> None:
    load = WebLoad()
    with ExitStack() as served:
        fill(served, load, "m", [f"visitor {number}" for number in range(300)], 0)
        with pytest.raises(Unavailable), load.of("m", "w", 0):
            pass
        for visitor in ("w", "visitor 299"):
            with load.of("n", visitor, 1_000_000):
                pass
