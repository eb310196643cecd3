"""Fields of events' `unsigned` that the shim adds by itself."""

from typing import Any

import pytest
from objects import event
from synapse_module_bridge.codec.template import compile_template
from synapse_module_bridge.schema.catalogue import CALLBACKS

UNSIGNED = CALLBACKS["add_field_to_unsigned_callback"]
CONTENT = {"body": "b", "number": 2**60, "float": 1.0, "null": None, "deep": {"dotted.key": [1, {"a": True}]}}


@pytest.mark.parametrize(
    ("template", "fields"),
    [
        ({}, {}),
        ({"a": 1, "b": {"c": [None, "x", 1.5]}}, {"a": 1, "b": {"c": [None, "x", 1.5]}}),
        ({"a": {"$event": "sender"}}, {"a": "@alice:test"}),
        ({"a": {"$event": "event.sender"}}, {"a": "@alice:test"}),
        ({"a": {"$event": "type"}, "b": {"$event": "origin_server_ts"}}, {"a": "m.room.message", "b": 1}),
        ({"a": {"$event": "content.number"}, "b": {"$event": "content.null"}}, {"a": 2**60, "b": None}),
        ({"a": {"$event": r"content.deep.dotted\.key"}}, {"a": [1, {"a": True}]}),
        ({"a": {"$event": "content.none"}, "b": {"$event": "content.body.none"}, "c": 1}, {"c": 1}),
        ({"a": {"$event": "state_key"}, "b": {"c": {"$event": "redacts"}}}, {"b": {}}),
        ({"a": ["x", {"$event": "content.none"}, {"$event": "content.body"}]}, {"a": ["x", "b"]}),
        ({"a": {"$event": "event"}, "b": {"$event": "content.body.upper"}, "c": {"$event": "content.keys"}}, {}),
        ({"a": {"$event": "room_version"}}, {"a": "10"}),
    ],
)
def test_references_are_replaced_by_what_the_event_has_and_left_out_where_it_has_nothing(
    template: Any, fields: Any
) -> None:
    filled = compile_template(UNSIGNED, template)({"event": event(content=CONTENT)})
    assert repr(filled) == repr(fields)
