"""Whatever Synapse hands over is judged: odd events and bodies, through the real host, each by a handler.

By policy, or by a fault, the answers would be others.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from odd_json import Odd
from rig import Rig, running
from synapse.api.room_versions import KNOWN_ROOM_VERSIONS
from synapse.events import EventBase
from synapse.module_api.callbacks.federation import FederatedEventDeliveryMethod, FederationEventDeliveryEvent
from synapse.module_api.errors import Codes
from synapse.types import UserID, create_requester
from synapse.util.json import json_decoder
from synapse_module_bridge.codec.codec import encode_event
from synapse_module_bridge.process.node import find_node
from synapse_module_bridge.schema.catalogue import CALLBACKS, TYPES
from synapse_module_bridge.transport.framing import to_body
from turning import settled, turn_until

JUDGE = Path(__file__).parent / "judge.mjs"
MARK = "org.example.judged"
EVENTS, STATES, BODIES = 24, 8, 12
# As JSON has it: of most, any object passes for one.
FIELD_TYPES = {
    field: schema.get("type", "object")
    for field, schema in TYPES["Event"]["properties"].items()
    if field not in TYPES["Event"]["required"]
}
made: Counter[str] = Counter()
# There is nothing to make smaller about a seed.
seeds = settings(deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])


@pytest.fixture(scope="module", params=[False, True], ids=["beside others", "in a thread of its own"])
def rig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("judged")
    module = {"path": str(JUDGE), "name": "judge", "isolated": request.param, "config": {"types": FIELD_TYPES}}
    config = {"modules": [module], "node": find_node(None), "timeout": "60s"}
    with running(folder, "none", config) as rig:
        yield rig


def test_every_callback_that_takes_an_event_is_tried() -> None:
    takes = {name for name, callback in CALLBACKS.items() if callback.event_param is not None}
    assert takes == {*ASKED_ABOUT_EVENTS, "on_new_event"}


def marked_content(event: EventBase, state: dict[Any, EventBase]) -> dict[str, Any]:
    declared = [key for key in state if key[0] == "org.example.x"]
    return {**encode_event(event)["content"], MARK: [[], len(declared), len(state)]}


ASKED_ABOUT_EVENTS: dict[str, Any] = {
    "check_event_for_spam": lambda event, _: (Codes.LIMIT_EXCEEDED, {"misfits": [], "type": event.type}),
    "federated_user_may_invite": lambda event, _: (Codes.LIMIT_EXCEEDED, {"misfits": [], "type": event.type}),
    "should_drop_federated_event": lambda event, _: True,
    "add_field_to_unsigned_callback": lambda event, _: {MARK: []},
    "check_event_allowed": lambda event, state: (
        True,
        {**encode_event(event), "content": marked_content(event, state)},
    ),
}


def alike(one: Any, other: Any) -> bool:
    """To the last digit, whatever the order of keys, and at any depth."""
    left: list[tuple[Any, Any]] = [(one, other)]
    while left:
        before, after = left.pop()
        if type(before) is not type(after):
            return False
        if isinstance(before, dict):
            if before.keys() != after.keys():
                return False
            left += [(before[key], after[key]) for key in before]
        elif isinstance(before, list | tuple):
            if len(before) != len(after):
                return False
            left += zip(before, after, strict=True)
        elif before != after or (isinstance(before, float) and repr(before) != repr(after)):
            return False
    return True


def of_pdu(answer: Any) -> Any:
    """Without what the wire form of an event has beyond its PDU: a replacement has no use for it."""
    if not isinstance(answer, tuple) or not isinstance(answer[1], dict) or "content" not in answer[1]:
        return answer
    beyond = ("event_id", "room_id", "room_version", "internal_metadata")
    return answer[0], {key: value for key, value in answer[1].items() if key not in beyond}


def told(rig: Rig, count: int) -> list[Any]:
    """What notifications have reached the module since, once there are so many."""
    found: list[Any] = []

    def come() -> bool:
        found.extend(json.loads(rig.answer("get_username_for_registration", {}, {})))
        return len(found) >= count

    turn_until(come, 30)
    return found


@settings(seeds, max_examples=15)
@given(seed=st.integers(0, 2**32), version=st.sampled_from([*KNOWN_ROOM_VERSIONS]))
def test_every_event_that_synapse_takes_reaches_the_handler(rig: Rig, seed: int, version: str) -> None:
    odd = Odd(seed)
    told(rig, 0)
    state = {(event.type, event.state_key): event for _ in range(STATES) if (event := odd.event(version, state=True))}
    events = [odd.event(version, state=odd.rarely()) for _ in range(EVENTS)]
    asked: list[tuple[str, EventBase, Any]] = []
    for event in events:
        rig.ask("on_new_event", event, state)
        for name in ASKED_ABOUT_EVENTS:
            args = [event, state] if CALLBACKS[name].state_param else [event]
            asked.append((name, event, rig.ask(name, *args)))
    for name, event, asking in asked:
        expected = ASKED_ABOUT_EVENTS[name](event, state)
        assert alike(of_pdu(settled(asking, 60)), of_pdu(expected)), (name, str(event))
    rig.ask(
        "on_event_delivered_over_federation",
        FederationEventDeliveryEvent(
            server_name="remote", events=tuple(events), method=FederatedEventDeliveryMethod.SEND
        ),
    )
    ids = [event.event_id for event in events]
    assert sorted(told(rig, 2 * EVENTS), key=str) == sorted(
        [*([id, []] for id in ids), *([id, "delivered"] for id in ids)], key=str
    )
    made.update(events=EVENTS, state_events=len(state), calls=len(asked) + EVENTS + 1)


@settings(seeds, max_examples=20)
@given(seed=st.integers(0, 2**32))
def test_every_body_that_synapse_takes_reaches_the_handler_and_stays_what_it_was(rig: Rig, seed: int) -> None:
    odd = Odd(seed)
    alice = create_requester(UserID("alice", "test"))
    for _ in range(BODIES):
        body = json_decoder.decode(to_body(odd.body(deepest=850)).decode())
        keys = [*body]
        assert rig.answer("user_may_create_room", "@alice:test", body) == (Codes.LIMIT_EXCEEDED, {"keys": keys})
        assert rig.answer("user_may_send_state_event", "@alice:test", "!r:test", "a", "b", body) is Codes.LIMIT_EXCEEDED
        rig.ask("on_account_data_updated", "@alice:test", None, "a", body)
        edited = {**body}
        assert rig.answer("on_create_room", alice, edited, False) is None
        assert alike(edited, {**body, MARK: len(body)}), body
    assert [name for name, _ in told(rig, BODIES)] == ["account data"] * BODIES
    made.update(bodies=BODIES, calls=4 * BODIES)


def test_how_many_were_made(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print("\n  judged:", ", ".join(f"{number} {what.replace('_', ' ')}" for what, number in made.items()))
    assert made["events"] >= 500 and made["bodies"] >= 300
