"""Synapse's objects to wire values, and answers to the objects that Synapse compares with."""

import sys
from types import SimpleNamespace
from typing import Any

import pytest
from immutabledict import immutabledict
from nested import nested
from objects import event
from observed import observed
from on_the_way import travelled
from synapse.appservice import ApplicationService
from synapse.media._base import FileInfo, ThumbnailInfo
from synapse.module_api import NOT_SPAM
from synapse.module_api.errors import Codes
from synapse.spam_checker_api import RegistrationBehaviour
from synapse.storage.roommember import ProfileInfo
from synapse.types import RoomAlias, UserID, UserInfo, create_requester
from synapse_module_bridge.codec.codec import DECODE_PARAM, ENCODE, Unfit, decode_answer, encode_event
from synapse_module_bridge.schema.catalogue import CALLBACKS, TYPES


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


def test_a_redacted_event_of_an_older_synapse_travels_without_the_object_of_its_redaction() -> None:
    redacted, redaction = event(), event(type="m.room.redaction")
    pdu = {**redacted.get_dict(), "unsigned": {"age_ts": 1, "redacted_because": redaction}}
    older: Any = SimpleNamespace(
        get_dict=lambda: dict(pdu),
        event_id=redacted.event_id,
        room_id=redacted.room_id,
        room_version=redacted.room_version,
        internal_metadata=redacted.internal_metadata,
    )
    assert travelled(encode_event(older))["unsigned"] == {"age_ts": 1}
    assert "redacted_because" in pdu["unsigned"]


def test_numbers_and_keys_of_an_old_room_travel_as_they_are() -> None:
    content = {"big": 2**53 + 1, "whole": 1.0, "__proto__": {"a": 1}}
    encoded = travelled(encode_event(event("1", content=content, event_id="$x:test")))
    assert repr(sorted(encoded["content"].items())) == repr(sorted(content.items()))
    observed(47, "unchanged", on="Synapse's objects")


class Metadata:
    """Of an event, as another Synapse may have it."""

    def __init__(self, **more: Any) -> None:
        self._more = more
        self.__dict__.update(dict.fromkeys(TYPES["EventInternalMetadata"]["properties"]), **more)

    def get_dict(self) -> dict[str, Any]:
        return dict(self._more)


@pytest.mark.parametrize("outlier", [False, True, None])
def test_of_internal_metadata_travels_what_the_catalogue_has(outlier: bool | None) -> None:
    message = event()
    declared = {"soft_failed": True, "txn_id": "t"}
    for more in ({}, {"org.example.new": 1}):
        of_this_event: Any = SimpleNamespace(
            get_dict=message.get_dict,
            event_id="$x",
            room_id="!room:test",
            room_version=message.room_version,
            internal_metadata=Metadata(outlier=outlier, stream_ordering=7, **declared, **more),
        )
        metadata = encode_event(of_this_event)["internal_metadata"]
        assert {**metadata, **declared} == metadata
        assert metadata["outlier"] is bool(outlier)
        assert metadata["stream_ordering"] == 7
        assert metadata.keys() <= TYPES["EventInternalMetadata"]["properties"].keys()


BRIDGE_USER = UserID("bridge", "test")


def test_a_requester_travels_with_all_its_fields() -> None:
    service = ApplicationService("token", "irc", BRIDGE_USER)
    requester = create_requester(
        UserID("alice", "test"), device_id="D", access_token_id=3, app_service=service, authenticated_entity="@bob:test"
    )
    assert travelled(ENCODE["Requester"](requester)) == {
        "user_id": "@alice:test",
        "access_token_id": 3,
        "is_guest": False,
        "scope": [],
        "shadow_banned": False,
        "device_id": "D",
        "app_service_id": "irc",
        "authenticated_entity": "@bob:test",
    }
    other = create_requester(UserID("alice", "test"), is_guest=True, shadow_banned=True, scope={"b", "a", "c"})
    encoded = travelled(ENCODE["Requester"](other))
    assert (encoded["is_guest"], encoded["shadow_banned"], encoded["scope"]) == (True, True, ["a", "b", "c"])


@pytest.mark.parametrize(("service", "expected"), [({}, None), ({"app_service": SimpleNamespace(id="irc")}, "irc")])
def test_a_requester_of_an_older_synapse_travels_in_the_same_form(
    service: dict[str, Any], expected: str | None
) -> None:
    requester = SimpleNamespace(user=UserID("alice", "test"), is_guest=1, shadow_banned=0, **service)
    encoded = ENCODE["Requester"](requester)
    assert encoded == {
        "user_id": "@alice:test",
        "app_service_id": expected,
        "scope": [],
        "is_guest": True,
        "shadow_banned": False,
    }
    assert encoded["is_guest"] is True and encoded["shadow_banned"] is False


def test_other_objects_travel_as_the_catalogue_declares_them() -> None:
    info = FileInfo(None, "id", thumbnail=ThumbnailInfo(1, 2, "crop", "image/png", 3))
    assert travelled(ENCODE["FileInfo"](info)) == {
        "server_name": None,
        "file_id": "id",
        "url_cache": False,
        "thumbnail": {"width": 1, "height": 2, "method": "crop", "type": "image/png", "length": 3},
    }
    assert travelled(ENCODE["FileInfo"](FileInfo("remote", "id", url_cache=True))) == {
        "server_name": "remote",
        "file_id": "id",
        "url_cache": True,
        "thumbnail": None,
    }
    assert ENCODE["FileWrapper"](SimpleNamespace(path="/file")) == {"path": "/file"}
    assert ENCODE["ProfileInfo"](ProfileInfo("mxc://a", "A")) == {"avatar_url": "mxc://a", "display_name": "A"}
    assert ENCODE["RoomAlias"](RoomAlias("a", "test")) == "#a:test"
    assert travelled(ENCODE["RequestInfo"]([("agent", "1.2.3.4"), (None, None)])) == [
        ["agent", "1.2.3.4"],
        [None, None],
    ]


def test_what_modules_ask_for_travels_as_the_catalogue_declares_it() -> None:
    user = UserInfo(
        user_id=UserID("alice", "test"),
        appservice_id=None,
        consent_server_notice_sent=None,
        consent_version="1",
        consent_ts=2,
        user_type=None,
        creation_ts=3,
        is_admin=True,
        is_deactivated=False,
        is_guest=False,
        is_shadow_banned=False,
        approved=True,
        locked=False,
        suspended=False,
    )
    encoded = travelled(ENCODE["UserInfo"](user))
    assert encoded.keys() == TYPES["UserInfo"]["properties"].keys()
    assert (encoded["user_id"], encoded["consent_ts"], encoded["is_admin"]) == ("@alice:test", 2, True)
    seen = [SimpleNamespace(ip="1.2.3.4", user_agent="agent", last_seen=5, more=6)]
    assert ENCODE["UserIpsAndAgents"](seen) == [{"ip": "1.2.3.4", "user_agent": "agent", "last_seen": 5}]
    one, two = event(depth=3), event(depth=4)
    for events in ([one, two], {("m.a", ""): one, ("m.b", ""): two}):
        assert ENCODE["Events"](events) == [encode_event(one), encode_event(two)]
    assert ENCODE["Bytes"](b"\xff\x00a") == "/wBh"
    assert ENCODE["HttpResponse"]({"code": 200, "body": b"a"}) == {"code": 200, "body": "YQ=="}
    frozen = immutabledict({"a": 1})
    assert ENCODE["JsonObject"](frozen) == {"a": 1} and type(ENCODE["JsonObject"](frozen)) is dict
    assert ENCODE["Nothing"]("something") is None


def test_what_modules_give_to_the_api_becomes_what_synapse_takes() -> None:
    assert DECODE_PARAM["Bytes"]("/wBh") == b"\xff\x00a"
    assert DECODE_PARAM["StateFilter"]([["m.a", ""], ["m.b", None]]) == [("m.a", ""), ("m.b", None)]


VERDICTS = [name for name, callback in CALLBACKS.items() if callback.passes == "NOT_SPAM"]


def test_a_number_that_python_refuses_to_read_is_encoded() -> None:
    most = sys.get_int_max_str_digits()
    huge = event(content={"a": {"$serde_json::private::Number": "9" * 5_000}})
    with pytest.raises(Exception, match="4300 digits"):
        huge.get_dict()
    assert encode_event(huge)["content"]["a"] == 10**5_000 - 1
    assert sys.get_int_max_str_digits() == most


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


def test_a_code_that_nobody_knows_does_not_fit() -> None:
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


def test_what_a_replacement_leaves_alone_is_exactly_what_it_was() -> None:
    original = event("5", content={"whole": 1.0, "big": 2**53 + 1})
    answered = {"content": {"whole": 1, "big": float(2**53), "new": 2}}
    _, replaced = decode_answer("EventAllowedVerdict", answered, {"event": original})
    assert repr(replaced["content"]) == repr({"whole": 1.0, "big": 2**53 + 1, "new": 2})


def test_an_edit_that_javascript_cannot_hold_exactly_does_not_fit() -> None:
    content = {"name": "a"}
    with pytest.raises(Unfit, match=rf"^request_content's name is {2**53}, which"):
        decode_answer("Edits", {"name": 2**53}, {"request_content": content})
    assert content == {"name": "a"}


def test_edits_change_the_very_object() -> None:
    inner = {"x": 1.0}
    content: dict[str, Any] = {"name": "a", "creation_content": inner, "gone": 1}
    decode_answer("Edits", {"name": "b", "creation_content": {"x": 1}}, {"request_content": content})
    assert repr(content) == repr({"name": "b", "creation_content": {"x": 1.0}})
    decode_answer("Edits", None, {"request_content": content})
    assert content["name"] == "b"


def test_an_edit_that_is_nested_too_deeply_is_unfit_by_its_field_unless_it_was_there_before() -> None:
    with pytest.raises(Unfit, match=r"request_content's creation_content\[0\]\[0\].* is nested deeper than 500 levels"):
        decode_answer("Edits", {"creation_content": nested("lists", 600)}, {"request_content": {}})
    content: dict[str, Any] = {"creation_content": nested("lists", 600)}
    decode_answer("Edits", {"creation_content": nested("lists", 600), "name": "b"}, {"request_content": content})
    assert content["name"] == "b"


PASSABLE = [name for name, callback in CALLBACKS.items() if callback.passable]


@pytest.mark.parametrize("name", PASSABLE)
def test_the_answer_that_means_no_objection_can_be_decoded_for_each_callback(name: str) -> None:
    callback = CALLBACKS[name]
    decode_answer(callback.result, callback.passes, {"event": event(), "request_content": {}})
