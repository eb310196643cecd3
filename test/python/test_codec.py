"""Synapse's objects to wire values, and answers to the objects that Synapse compares with."""

from typing import Any

import pytest
from objects import event
from observed import observed
from synapse.media._base import FileInfo, ThumbnailInfo
from synapse.module_api import NOT_SPAM
from synapse.module_api.errors import Codes
from synapse.spam_checker_api import RegistrationBehaviour
from synapse.storage.roommember import ProfileInfo
from synapse.types import RoomAlias, UserID, create_requester
from synapse_module_bridge.catalogue import CALLBACKS, TYPES
from synapse_module_bridge.codec import ENCODE, Unfit, decode_answer, encode_event
from synapse_module_bridge.wire import decode, encode


def travelled(value: Any) -> Any:
    return decode(encode(value).split(b"\r\n\r\n", 1)[1])


def test_an_event_travels_with_what_its_pdu_lacks() -> None:
    message = event("12", room_id="!hash")
    encoded = travelled(encode_event(message))
    assert encoded["event_id"] == message.event_id and encoded["event_id"].startswith("$")
    assert encoded["room_id"] == "!hash"
    assert encoded["room_version"] == "12"
    assert encoded["internal_metadata"]["outlier"] is False
    assert encoded["unsigned"] == {"age_ts": 1}
    assert "state_key" not in encoded


def test_a_create_event_of_version_12_travels_with_its_room_id() -> None:
    create = event("12", type="m.room.create", state_key="", room_id=None, content={"room_version": "12"})
    encoded = travelled(encode_event(create))
    assert "room_id" not in create.get_dict()
    assert encoded["room_id"] == create.room_id
    assert encoded["state_key"] == ""
    observed(47, "unchanged", on="Synapse's objects")


def test_numbers_and_keys_of_an_old_room_travel_as_they_are() -> None:
    content = {"big": 2**53 + 1, "whole": 1.0, "__proto__": {"a": 1}}
    encoded = travelled(encode_event(event("1", content=content, event_id="$x:test")))
    assert repr(sorted(encoded["content"].items())) == repr(sorted(content.items()))
    observed(47, "unchanged", on="Synapse's objects")


def test_a_requester_travels_with_all_its_fields() -> None:
    requester = create_requester(UserID("alice", "test"), device_id="D", access_token_id=3)
    encoded = travelled(ENCODE["Requester"](requester))
    assert set(encoded) == set(TYPES["Requester"]["required"])
    assert (encoded["user_id"], encoded["device_id"], encoded["access_token_id"]) == ("@alice:test", "D", 3)


def test_other_objects_travel_as_the_catalogue_declares_them() -> None:
    info = FileInfo(None, "id", thumbnail=ThumbnailInfo(1, 2, "crop", "image/png", 3))
    assert travelled(ENCODE["FileInfo"](info)) == {
        "server_name": None,
        "file_id": "id",
        "url_cache": False,
        "thumbnail": {"width": 1, "height": 2, "method": "crop", "type": "image/png", "length": 3},
    }
    assert ENCODE["ProfileInfo"](ProfileInfo("mxc://a", "A")) == {"avatar_url": "mxc://a", "display_name": "A"}
    assert ENCODE["RoomAlias"](RoomAlias("a", "test")) == "#a:test"
    assert travelled(ENCODE["RequestInfo"]([("agent", "1.2.3.4"), (None, None)])) == [
        ["agent", "1.2.3.4"],
        [None, None],
    ]


VERDICTS = [name for name, callback in CALLBACKS.items() if callback.passes == "NOT_SPAM"]


@pytest.mark.parametrize("name", VERDICTS)
def test_not_spam_and_codes_come_back_as_synapses_own_objects(name: str) -> None:
    result = CALLBACKS[name].result
    not_spam = decode_answer(result, "".join(["NOT", "_SPAM"]), {})
    assert not_spam is NOT_SPAM
    assert decode_answer(result, "M_LIMIT_EXCEEDED", {}) is Codes.LIMIT_EXCEEDED
    assert decode_answer(result, "some words", {}) == "some words"
    assert decode_answer(result, True, {}) is True


def test_a_code_with_fields_comes_back_as_a_tuple_without_the_keys_that_hang_a_request() -> None:
    answer = decode_answer("SpamVerdict", ["M_FORBIDDEN", {"msg": 1, "code": 2, "why": [1]}], {})
    assert answer == (Codes.FORBIDDEN, {"why": [1]})
    assert isinstance(answer, tuple)


def test_a_code_that_this_synapse_lacks_does_not_fit() -> None:
    with pytest.raises(Unfit, match="M_NEW"):
        decode_answer("SpamVerdict", ["M_NEW", {}], {})


@pytest.mark.parametrize("behaviour", list(RegistrationBehaviour))
def test_registration_behaviours_come_back_as_members(behaviour: RegistrationBehaviour) -> None:
    assert decode_answer("RegistrationVerdict", behaviour.value, {}) is behaviour


def test_booleans_for_check_event_allowed_become_synapses_pair() -> None:
    assert decode_answer("EventAllowedVerdict", True, {"event": event()}) == (True, None)
    assert decode_answer("EventAllowedVerdict", False, {"event": event()}) == (False, None)


def test_a_replacement_is_filled_in_from_the_event() -> None:
    original = event()
    allowed, replacement = decode_answer("EventAllowedVerdict", {"content": {"body": "x"}}, {"event": original})
    assert allowed is True
    assert replacement == {**original.get_dict(), "content": {"body": "x"}}


def test_a_whole_event_may_be_the_replacement() -> None:
    create = event("12", type="m.room.create", state_key="", room_id=None, content={"room_version": "12"})
    answer = {**travelled(encode_event(create)), "content": {"room_version": "12", "a": 1}}
    _, replacement = decode_answer("EventAllowedVerdict", answer, {"event": create})
    # Synapse compares the room id with that of the PDU, which has none.
    assert replacement == {**create.get_dict(), "content": {"room_version": "12", "a": 1}}


@pytest.mark.parametrize(("key", "value"), [("type", "m.other"), ("room_id", "!other:test"), ("state_key", "")])
def test_a_replacement_that_changes_what_is_fixed_does_not_fit(key: str, value: str) -> None:
    with pytest.raises(Unfit, match=key):
        decode_answer("EventAllowedVerdict", {"content": {}, key: value}, {"event": event()})


def test_a_number_that_javascript_changed_is_refused_in_a_room_that_takes_big_numbers() -> None:
    old = event("1", content={"n": 1}, event_id="$x:test")
    with pytest.raises(Unfit, match=r"content\.n is 9007199254740992"):
        decode_answer("EventAllowedVerdict", {"content": {"n": 2**53}}, {"event": old})


def test_edits_change_the_very_object() -> None:
    nested = {"x": 1.0}
    content: dict[str, Any] = {"name": "a", "creation_content": nested, "gone": 1}
    decode_answer("Edits", {"name": "b", "creation_content": {"x": 1}}, {"request_content": content})
    assert repr(content) == repr({"name": "b", "creation_content": {"x": 1.0}})
    decode_answer("Edits", None, {"request_content": content})
    assert content["name"] == "b"


PASSABLE = [name for name, callback in CALLBACKS.items() if callback.passable]


@pytest.mark.parametrize("name", PASSABLE)
def test_the_answer_that_means_no_objection_can_be_decoded_for_each_callback(name: str) -> None:
    callback = CALLBACKS[name]
    decode_answer(callback.result, callback.passes, {"event": event(), "request_content": {}})


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("replacement", "words"),
    [
        ({"room_id": "!b:test"}, "changes room_id"),
        ({"type": "m.room.topic"}, "changes type"),
        ({"state_key": ""}, "changes state_key"),
        ({"content": {"a": [{"b": "x\ud800"}]}}, "content.a[0].b has half a character"),
        ({"content": {"x\udfff": 1}}, r"content.x\udfff has half a character"),
        ({"sender": "@\ud800:test"}, "sender has half a character"),
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
        ({"a": 1, "body": "x" * 70_000}, "content is larger than an event may be (65536 bytes), most of all body"),
    ],
)
def test_a_replacement_that_synapse_refuses_is_logged_by_its_field(
    content: Any, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    decode_answer("EventAllowedVerdict", {"content": content}, {"event": event()})
    [line] = caplog.messages
    assert words in line


@pytest.mark.parametrize(
    ("room_version", "content"),
    [
        ("10", {"__proto__": {"a": 1}, "constructor": True, "deep": nested(100)}),
        ("5", {"a": 1.5}),
        ("10", {"a": 2**53 - 1}),
    ],
)
def test_a_replacement_that_synapse_takes_is_not_logged(
    room_version: str, content: Any, caplog: pytest.LogCaptureFixture
) -> None:
    _, replaced = decode_answer("EventAllowedVerdict", {"content": content}, {"event": event(room_version)})
    assert replaced["content"] == content and caplog.messages == []
