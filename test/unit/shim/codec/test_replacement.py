"""Which replacements of an event are refused, and by which field that is told."""

from typing import Any

import pytest
from nested import KINDS, nested
from objects import event
from synapse_module_bridge.codec.answer_schema import MOST_LEVELS
from synapse_module_bridge.codec.codec import Unfit, decode_answer
from synapse_module_bridge.codec.replacement import too_deep


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_may_have_so_many_levels_and_no_more(kind: str) -> None:
    # Itself is the first, around them.
    most, more = ({"content": nested(kind, MOST_LEVELS + extra)} for extra in (-1, 0))
    assert too_deep(most, {}) is None
    field = too_deep(more, {})
    assert field is not None and field.startswith("content") and field.endswith("...")


@pytest.mark.parametrize("kind", KINDS)
def test_where_the_original_has_more_already_the_answer_may_as_well(kind: str) -> None:
    most, more, many = ({"content": nested(kind, MOST_LEVELS + extra)} for extra in (-1, 0, 300))
    assert too_deep(many, more) is None
    assert too_deep(more, most) is not None


@pytest.mark.parametrize(
    ("replacement", "words"),
    [
        ({"room_id": "!b:test"}, "changes room_id"),
        ({"type": "m.room.topic"}, "changes type"),
        ({"state_key": ""}, "changes state_key"),
        ({"content": {"a": [{"b": "x\ud800"}]}}, "content.a[0].b has half a character"),
        ({"content": {"x\udfff": 1}}, r"content.x\udfff has half a character"),
        ({"sender": "@\ud800:test"}, "sender has half a character"),
        ({"content": {"deep": nested("lists", 5_000)}}, "content.deep[0][0]"),
    ],
)
def test_a_replacement_that_synapse_must_not_see_is_unfit_by_its_field(replacement: Any, words: str) -> None:
    with pytest.raises(Unfit) as raised:
        decode_answer("EventAllowedVerdict", {"content": {}, **replacement}, {"event": event()})
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"a": {"b": [1, 1.5]}}, "content.a.b[1] is no whole number"),
        ({"a": 2**53}, "content.a is no whole number"),
        ({"a": -(2**60)}, "content.a is no whole number"),
        ({"k" * 500: 1e300}, f"content.{'k' * 72}... is no whole number"),
        ({"a": [[1], 1], "b": 1.5}, "content.b is no whole number"),
        ({"k" * 72: 1.5}, f"content.{'k' * 72} is no whole number"),
        ({"k" * 72: {"a": 1.5}}, f"content.{'k' * 72}... is no whole number"),
        ({"k" * 71: {"a": 1.5}}, f"content.{'k' * 71}.... is no whole number"),
        ({"z": 1, "body": "x" * 70_000}, "content is larger than an event may be (65536 bytes), most of all body"),
        ({"a": "x" * (65_536 - len('{"a":""}') + 1)}, "content is larger than an event may be"),
    ],
)
def test_a_replacement_that_synapse_refuses_is_logged_by_its_field(
    content: Any, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    decode_answer("EventAllowedVerdict", {"content": content}, {"event": event()})
    [line] = caplog.messages
    assert line.startswith(f"Synapse refuses the replacement of {event().event_id}: its ") and words in line


@pytest.mark.parametrize(
    ("room_version", "content"),
    [
        ("10", {"__proto__": {"a": 1}, "constructor": True, "deep": nested("lists", 100)}),
        ("5", {"a": 1.5}),
        ("10", {"a": 2**53 - 1, "b": -(2**53 - 1)}),
        ("10", {"a": "x" * (65_536 - len('{"a":""}'))}),
    ],
)
def test_a_replacement_that_synapse_takes_is_not_logged(
    room_version: str, content: Any, caplog: pytest.LogCaptureFixture
) -> None:
    _, replaced = decode_answer("EventAllowedVerdict", {"content": content}, {"event": event(room_version)})
    assert replaced["content"] == content and caplog.messages == []
