"""What `match` lets through."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from objects import event
from synapse.types import RoomAlias
from synapse_module_bridge.codec.match import MISSING, compile_match, lookup
from synapse_module_bridge.routing.locality import Locality
from synapse_module_bridge.schema.catalogue import CALLBACKS

# The authors' kit reads the same ones: test/unit/bridge/shim-rules/match.test.ts.
SHARED = json.loads((Path(__file__).parents[2] / "match-cases.json").read_text())
IS_LOCAL = Locality(SimpleNamespace(server_name="test"))  # type: ignore[arg-type] # its name is all that is asked of it


def as_synapse_has_it(name: str, value: Any) -> Any:
    if name == "event":
        return event(**value)
    return RoomAlias.from_string(value) if name == "room_alias" else value


@pytest.mark.parametrize(("question", "match", "expected"), SHARED["cases"])
def test_a_match(question: str, match: Any, expected: bool) -> None:
    callback = CALLBACKS[SHARED["questions"][question]["callback"]]
    params = SHARED["questions"][question]["params"]
    params = {name: as_synapse_has_it(name, value) for name, value in params.items()}
    matches = compile_match(callback, match, lambda params: IS_LOCAL(callback, params))
    assert (matches is None or matches(params)) is expected


@pytest.mark.parametrize("match", [{}, {"not": {}}])
def test_a_match_without_a_condition_costs_a_call_nothing(match: Any) -> None:
    assert compile_match(CALLBACKS["check_event_for_spam"], match, lambda _: False) is None


MESSAGE = event(content={"null": None, "inner": {"null": None}}, extra={"null": None})
TOPIC = event(type="m.room.topic", state_key="")


@pytest.mark.parametrize(
    ("value", "path", "expected"),
    [
        (MESSAGE, ["content", "null"], None),
        (MESSAGE, ["content", "inner", "null"], None),
        (MESSAGE, ["extra", "null"], None),
        (MESSAGE, ["content", "absent"], MISSING),
        (MESSAGE, ["content", "absent", "deeper"], MISSING),
        (MESSAGE, ["content", "null", "deeper"], MISSING),
        (MESSAGE, ["content", "inner", "absent"], MISSING),
        (MESSAGE, ["absent"], MISSING),
        (MESSAGE, ["state_key"], MISSING),
        (MESSAGE, ["room_version"], "10"),
        (TOPIC, ["state_key"], ""),
        (TOPIC, ["state_key", "deeper"], MISSING),
        (SimpleNamespace(name="n", none=None), ["name"], "n"),
        (SimpleNamespace(name="n", none=None), ["none"], None),
        (SimpleNamespace(name="n", none=None), ["absent"], MISSING),
        ({"null": None}, ["null"], None),
        ({"null": None}, ["absent"], MISSING),
        (None, [], None),
        (RoomAlias("spam", "test"), [], "#spam:test"),
    ],
)
def test_a_path_leads_to_what_is_there_be_it_null_or_else_to_nothing_that_is_equal(
    value: Any, path: list[str], expected: Any
) -> None:
    found = lookup({"value": value}, ["value", *path])
    assert found is MISSING if expected is MISSING else found == expected


def test_a_path_from_a_parameter_that_an_older_synapse_lacks_leads_to_nothing() -> None:
    assert lookup({}, ["absent"]) is MISSING
    assert lookup({}, ["absent", "deeper"]) is MISSING
    assert lookup({}, ["absent"]) != lookup({"absent": None}, ["absent"])


def test_a_number_that_python_refuses_to_read_is_no_way_past_a_match() -> None:
    """Synapse itself takes such a number, which a user can hide in this key."""
    huge = {"$serde_json::private::Number": "9" * 5_000}
    params = {"event": event(content={"body": "hi", "a": {"b": "c", "n": huge}}, top=huge)}

    def fits(match: Any) -> bool:
        matches = compile_match(CALLBACKS["check_event_for_spam"], match, lambda _: True)
        return matches is None or matches(params)

    assert fits({"content.a.b": ["c"], "not": {"content.a.n": ["*"]}})
    assert not fits({"top": ["*"]})
