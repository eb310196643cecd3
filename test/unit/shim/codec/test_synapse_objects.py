"""The objects of the callbacks about accounts, media, presence and federation, both ways."""

import gc
import logging
import weakref
from pathlib import Path
from typing import Any

import pytest
from asking import ASKED, Host, answer, ask, calls_over
from objects import event, request
from on_the_way import travelled
from rig import running
from synapse.api.presence import UserPresenceState
from synapse.config.repository import MediaUploadLimit
from synapse.module_api import RatelimitOverride
from synapse.module_api.callbacks.federation import FederatedEventDeliveryMethod, FederationEventDeliveryEvent
from synapse.module_api.errors import Codes, SynapseError
from synapse_module_bridge.codec.codec import ENCODE, decode_answer
from synapse_module_bridge.codec.http_request import MOST_BYTES
from synapse_module_bridge.pipeline.failures import ModuleFault
from synapse_module_bridge.routing.entry import bind
from synapse_module_bridge.schema.catalogue import CALLBACKS, TYPES
from turning import turn_until

ALICE = UserPresenceState.default("@alice:test")
LIMIT = {"max_bytes": 5, "time_period_ms": 6, "info_uri": "https://x", "can_upgrade": True}


def test_limits_are_a_list_of_synapses_own_objects_made_anew_for_each_answer() -> None:
    given = [{"max_bytes": 5, "time_period_ms": 6}, LIMIT]
    first, second = decode_answer("MediaUploadLimits", given, {}), decode_answer("MediaUploadLimits", given, {})
    assert first == [MediaUploadLimit(max_bytes=5, time_period_ms=6), MediaUploadLimit(**LIMIT)]  # type: ignore[arg-type]
    assert first is not second
    assert decode_answer("MediaUploadLimits", [], {}) == []
    assert travelled(ENCODE["MediaUploadLimit"](first[1])) == LIMIT


def test_a_rate_limit_is_synapses_own_object() -> None:
    override = decode_answer("RatelimitOverride", {"per_second": 0.5, "burst_count": 3}, {})
    assert override == RatelimitOverride(per_second=0.5, burst_count=3)


@pytest.mark.parametrize("per_second", [0, 0.0, -1])
def test_a_rate_of_zero_by_which_synapse_would_divide_does_not_fit(per_second: float) -> None:
    with pytest.raises(ModuleFault, match="get_ratelimit_override_for_user"):
        ask("get_ratelimit_override_for_user", Host(answer({"per_second": per_second, "burst_count": 1})))


def test_presences_come_back_as_sets_of_synapses_own_objects() -> None:
    [wire] = travelled(ENCODE["UserPresenceStates"](iter([ALICE])))
    assert set(wire) == set(TYPES["UserPresenceState"]["required"])
    assert decode_answer("PresenceRoutes", {"@bob:test": [wire, wire]}, {}) == {"@bob:test": {ALICE}}
    assert decode_answer("InterestedUsers", ["@a:b", "@a:b"], {}) == {"@a:b"}
    assert decode_answer("InterestedUsers", "ALL", {}) == "ALL"


def test_a_renewal_is_a_tuple() -> None:
    assert decode_answer("RenewalResult", [True, False, 5], {}) == (True, False, 5)


def test_a_request_travels_with_its_body_and_a_large_one_is_refused() -> None:
    encode = ENCODE["HttpRequest"]
    assert travelled(encode(request(b"\xff{}", **{"x-a": "b"}))) == {
        "method": "POST",
        "url": "http://test:8008/_synapse/admin/v1/x?a=1",
        "headers": [["Host", "test:8008"], ["X-A", "b"]],
        "body": "/3t9",
    }
    with pytest.raises(SynapseError) as raised:
        ask("on_legacy_admin_request", Host(AssertionError("must not be asked")), [request(b"x" * (MOST_BYTES + 1))])
    assert (raised.value.code, raised.value.errcode) == (413, Codes.TOO_LARGE)


@pytest.mark.parametrize("host", ["evil/path?", "user:word@test", "a b", "test#", "test\\\\x"])
def test_a_host_that_would_change_the_rest_of_the_url_is_refused(host: str) -> None:
    with pytest.raises(SynapseError) as raised:
        ENCODE["HttpRequest"](request(b"{}", host=host))
    assert raised.value.code == 400


def test_a_delivery_is_its_events_ids_and_holds_no_event() -> None:
    class Events(list[Any]):
        pass

    message = event()
    events = Events([message])
    delivery = FederationEventDeliveryEvent(
        server_name="remote", events=events, method=FederatedEventDeliveryMethod.SEND_JOIN
    )
    callback = CALLBACKS["on_event_delivered_over_federation"]
    calls = calls_over(Host(answer(None, None)))
    call = calls.rules.begin(callback, bind(callback, [delivery]))
    expected = {"server_name": "remote", "event_ids": [message.event_id], "method": "/send_join"}
    assert call.params == {"event": expected}
    kept = weakref.ref(events)
    del delivery, events
    gc.collect()
    assert kept() is None


@pytest.mark.parametrize("name", [name for name in ASKED if not CALLBACKS[name].passable])
def test_where_synapse_needs_an_answer_and_nobody_has_one_it_is_an_error_to_come_back_after(name: str) -> None:
    with pytest.raises(SynapseError) as raised:
        ask(name, Host(AssertionError("must not be asked")), modules=[])
    assert (raised.value.code, raised.value.msg) == (503, "policy unavailable")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("is_user_expired", True, "outcome=refused"),
        ("is_user_expired", False, None),
        ("get_username_for_registration", "alice", None),
        ("get_displayname_for_registration", "Alice In Chains", None),
        ("get_media_config_for_user", {"a": 1}, None),
        ("get_media_upload_limits_for_user", [LIMIT], None),
        ("get_ratelimit_override_for_user", {"per_second": 1, "burst_count": 1}, None),
        ("on_legacy_renew", [True, False, 5], None),
        ("on_legacy_admin_request", ["M_FORBIDDEN"], None),
        ("get_interested_users", ["@bob:test"], None),
        ("get_users_for_states", {"@bob:test": []}, None),
        ("is_3pid_allowed", False, "outcome=refused"),
        ("is_user_allowed_to_upload_media_of_size", False, "outcome=refused"),
    ],
)
def test_only_a_refusal_is_told_in_the_log_and_information_never(
    name: str, value: Any, told: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "synapse_module_bridge.decision"):
        ask(name, Host(answer(value)))
    lines = [record.getMessage() for record in caplog.records]
    assert lines == [] if told is None else len(lines) == 1 and told in lines[0]


@pytest.mark.parametrize("misbehaviour", ["good", "fault", "reply_null", "synapse_error", "exits"])
def test_an_access_token_is_in_no_line_of_the_log(
    misbehaviour: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), running(tmp_path, misbehaviour, {"timeout": 200}) as rig:
        rig.answer("on_logged_out", "@alice:test", "DEVICE", "syt_secret")
        turn_until(lambda: rig.bridge._notifications.queued == 0)
    assert "on_logged_out" in caplog.text
    assert "syt_secret" not in caplog.text
