"""What travels to the host for one call, and what is made of its reply."""

from typing import Any

import pytest
from asking import ASKED, Host, answer, ask
from synapse.module_api import NOT_SPAM
from synapse_module_bridge.schema.catalogue import CALLBACKS
from synapse_module_bridge.transport.framing import TooLarge

# Where Synapse needs an answer.
ANSWERS = {"on_legacy_renew": answer([True, False, 5]), "on_legacy_admin_request": answer(5)}


@pytest.mark.parametrize("name", ASKED)
def test_parameters_travel_by_name(name: str) -> None:
    callback = CALLBACKS[name]
    host = Host(ANSWERS.get(name) or answer(None if callback.result == "Edits" else callback.passes, None))
    ask(name, host)
    [(method, params, seconds)] = host.calls
    assert method == f"callback/{name}"
    assert list(params["params"]) == [param.name for param in callback.params]
    assert params["modules"] == ["m"]
    assert seconds == pytest.approx(1, abs=0.5)


def test_an_older_synapse_passes_fewer_parameters_and_a_newer_one_more() -> None:
    host = Host(answer("NOT_SPAM", None))
    assert ask("user_may_create_room", host, ["@alice:test"]) is NOT_SPAM
    assert ask("user_may_create_room", host, ["@alice:test", {}, "new"]) is NOT_SPAM
    assert [list(params["params"]) for _, params, _ in host.calls] == [["user_id"], ["user_id", "room_config"]]


def test_a_question_too_large_for_a_frame_is_asked_without_the_rooms_state(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(TooLarge("has too many bytes"), answer(True, None))
    assert ask("check_event_allowed", host) == (True, None)
    assert [params["params"]["state_events"] for _, params, _ in host.calls] == [
        {"events": []},
        {"events": [], "left_out": True},
    ]


@pytest.mark.parametrize("reply", [None, [], "x", {}, {"module": "m"}])
def test_a_reply_of_the_wrong_shape_is_unavailability(reply: Any) -> None:
    assert ask("check_event_for_spam", Host(reply)) is NOT_SPAM
