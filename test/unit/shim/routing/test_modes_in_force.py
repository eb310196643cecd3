"""Which mode is in force while the host still runs another, and who is asked then."""

from typing import Any

import pytest
from asking import entry
from synapse_module_bridge.routing.modes_in_force import ModesInForce
from synapse_module_bridge.schema.modes import MODES, Mode


def of(wished: Mode, running: Mode | None) -> ModesInForce:
    modes = ModesInForce()
    modes.update({"m": wished}, {} if running is None else {"m": running})
    return modes


@pytest.mark.parametrize("wished", MODES)
@pytest.mark.parametrize("running", [*MODES, None])
def test_what_allows_less_is_in_force_at_once(wished: Mode, running: Mode | None) -> None:
    modes = of(wished, running)
    at_most = wished if running is None else running
    assert modes.of("m") == modes.in_force["m"] == min(wished, at_most, key=["off", "shadow", "enforce"].index)
    assert modes.is_off("m") == (modes.of("m") == "off")
    assert modes.restrict == (modes.of("m") != "enforce")
    assert modes.wished == {"m": wished}
    assert modes.running == ({} if running is None else {"m": running})


def test_an_unknown_module_enforces_and_restricts_nobody() -> None:
    modes = ModesInForce()
    assert (modes.of("m"), modes.is_off("m"), modes.restrict) == (
        "enforce",
        False,
        False,
    )
    assert (modes.wished, modes.running, modes.in_force) == ({}, {}, {})
    asked = [entry("m"), entry("m", shadow=True)]
    assert modes.still_asked(asked) == asked
    assert not modes.are_out(asked)


def test_one_of_several_that_does_not_enforce_restricts() -> None:
    modes = ModesInForce()
    modes.update({"a": "enforce", "b": "shadow"}, {})
    assert modes.restrict
    modes.update({"a": "enforce", "b": "enforce"}, {})
    assert not modes.restrict


@pytest.mark.parametrize(
    ("mode", "shadow", "is_asked"),
    [
        ("off", False, False),
        ("off", True, False),
        ("shadow", False, False),
        ("shadow", True, True),
        ("enforce", False, True),
        ("enforce", True, True),
    ],
)
def test_who_became_a_shadow_does_not_answer_what_it_was_to_decide(mode: Mode, shadow: bool, is_asked: bool) -> None:
    modes = of(mode, mode)
    one, other = entry("m", shadow=shadow), entry("other")
    assert modes.still_asked([one, other]) == ([one, other] if is_asked else [other])
    assert modes.are_out([other, one]) == (not is_asked)
    assert not modes.are_out([other]) and not modes.are_out([])


def test_the_table_leaves_out_who_is_off_and_marks_shadows() -> None:
    modes = ModesInForce()
    modes.update({"a": "off", "b": "shadow", "c": "enforce"}, {})
    listed = [entry(name, shadow=name == "c", index=at) for at, name in enumerate("abc")]
    table: Any = modes.table({"user_may_invite": listed, "check_event_allowed": listed[:1]})
    assert {
        callback: [(one.module, one.shadow, one.index) for one in entries] for callback, entries in table.items()
    } == {
        "user_may_invite": [("b", True, 1), ("c", False, 2)],
        "check_event_allowed": [],
    }
    assert [one.shadow for one in listed] == [False, False, True]
