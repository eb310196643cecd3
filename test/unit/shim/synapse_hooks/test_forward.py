"""The functions that Synapse calls: their signature, and when a call begins."""

import inspect
from typing import Any

import pytest
from asking import nobody, sample
from synapse.logging.context import run_in_background
from synapse.util.async_helpers import delay_cancellation
from synapse_module_bridge.routing.entry import bind
from synapse_module_bridge.schema.catalogue import CALLBACKS
from synapse_module_bridge.synapse_hooks.forward import make_forwarder


@pytest.mark.parametrize("name", CALLBACKS)
def test_a_forwarder_has_the_callbacks_name_and_signature(name: str) -> None:
    callback = CALLBACKS[name]
    forwarder = make_forwarder(callback, nobody)
    assert forwarder.__qualname__ == f"ModuleBridge.{name}"
    assert list(inspect.signature(forwarder).parameters) == [param.name for param in callback.params]


def test_synapse_awaits_a_call_as_it_is_and_it_begins_then() -> None:
    begun: list[Any] = []

    async def answered(callback: Any, args: Any) -> str:
        begun.append(args)
        return "answer"

    asking = make_forwarder(CALLBACKS["user_may_invite"], answered)("@alice:test", "@bob:test", "!room:test")
    assert delay_cancellation(asking) is asking
    assert begun == []
    assert run_in_background(lambda: asking).result == "answer"
    assert begun == [("@alice:test", "@bob:test", "!room:test")]


@pytest.mark.parametrize(
    ("args", "named", "expected"),
    [
        (["@alice:test"], {"room_config": {"a": 1}}, ["@alice:test", {"a": 1}]),
        ([], {"room_config": {}, "user_id": "@alice:test"}, ["@alice:test", {}]),
        (["@alice:test"], {"unknown": 1}, ["@alice:test"]),
        (["@alice:test", {}], {"unknown": 1}, ["@alice:test", {}]),
    ],
)
def test_synapse_may_give_arguments_by_name(args: Any, named: Any, expected: list[Any]) -> None:
    asked: list[Any] = []

    async def answered(callback: Any, args: Any) -> None:
        asked.append(list(args))

    asking = make_forwarder(CALLBACKS["user_may_create_room"], answered)(*args, **named)
    run_in_background(lambda: asking)
    assert asked == [expected]


@pytest.mark.parametrize("name", CALLBACKS)
def test_a_parameter_more_of_a_newer_synapse_is_dropped(name: str) -> None:
    asked: list[Any] = []

    async def answered(callback: Any, args: Any) -> None:
        asked.append(bind(callback, args))

    callback, args = CALLBACKS[name], sample(CALLBACKS[name])
    run_in_background(lambda: make_forwarder(callback, answered)(*args, "one more"))
    assert [[*params] for params in asked] == [[param.name for param in callback.params]]
