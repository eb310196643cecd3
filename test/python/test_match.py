"""What `match` lets through."""

from typing import Any

import pytest
from objects import event
from synapse.types import RoomAlias
from synapse_module_bridge.catalogue import CALLBACKS
from synapse_module_bridge.match import compile_match

MESSAGE = {"event": event(content={"body": "hi there", "m.relates_to": {"rel_type": "m.thread"}, "flag": True})}
TOPIC = {"event": event(type="m.room.topic", state_key="", content={"topic": "x"})}


def matches(callback: str, match: Any, params: Any, *, local: bool = True) -> bool:
    matches = compile_match(CALLBACKS[callback], match, lambda _: local)
    return matches is None or matches(params)


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ({}, True),
        ({"type": ["m.room.message"]}, True),
        ({"type": ["m.room.*"]}, True),
        ({"type": ["M.ROOM.MESSAGE"]}, False),
        ({"type": ["m.room.messag"]}, False),
        ({"type": ["m.room.messag?"]}, True),
        ({"type": ["m.room?message", "x"], "sender": ["@*:test"]}, True),
        ({"type": []}, False),
        ({"event.type": ["m.room.message"]}, True),
        ({"content.body": ["hi *"]}, True),
        ({"content.absent": ["*"]}, False),
        ({"content.body.deeper": ["*"]}, False),
        ({"content.m\\.relates_to.rel_type": ["m.thread"]}, True),
        ({"content.flag": True}, True),
        ({"content.flag": False}, False),
        ({"content.absent": False}, False),
        ({"content.flag": ["*"]}, False),
        ({"state_key": ["*"]}, False),
        ({"room_id": ["!room:test"], "room_version": ["10"]}, True),
        ({"not": {"sender": ["@bot:*"]}}, True),
        ({"not": {"sender": ["@alice:*"]}}, False),
        ({"type": ["m.*"], "not": {"type": ["*.topic"], "content.absent": ["*"]}}, True),
        ({"type": ["m.room.(message)"]}, False),
        ({"local": True}, True),
        ({"local": False}, False),
        ({"not": {"local": True}}, False),
    ],
)
def test_a_message(match: Any, expected: bool) -> None:
    assert matches("check_event_for_spam", match, MESSAGE) is expected


def test_an_empty_state_key_is_there() -> None:
    assert matches("check_event_for_spam", {"state_key": [""]}, TOPIC)


def test_callbacks_without_an_event_match_on_their_parameters() -> None:
    params = {"user": "@a:test", "room": "!r", "is_invited": False}
    assert matches("user_may_join_room", {"is_invited": False, "user": ["@a:*"]}, params)
    assert not matches("user_may_join_room", {"is_invited": True}, params)
    alias = {"user_id": "@a:test", "room_alias": RoomAlias("spam", "test")}
    assert matches("user_may_create_room_alias", {"room_alias": ["#spam*"]}, alias)


def test_a_glob_crosses_line_ends() -> None:
    params = {"event": event(content={"body": "one\ntwo"})}
    assert matches("check_event_for_spam", {"content.body": ["one*two"]}, params)
