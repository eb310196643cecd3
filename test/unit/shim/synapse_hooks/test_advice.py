"""What is no fault, but is told as a warning when Synapse starts."""

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attr
import pytest
from rig import running
from synapse.config.workers import WriterLocations
from synapse_module_bridge.configuration.config import BridgeConfig
from synapse_module_bridge.module_bridge import ModuleBridge
from synapse_module_bridge.routing.workers import Workers
from synapse_module_bridge.schema.catalogue import CALLBACKS
from synapse_module_bridge.synapse_hooks.advice import advise, advise_everywhere

MODULES = [{"name": "m", "callbacks": {"user_may_invite": {}, "check_event_for_spam": {}}}]
ALL = {callback.category: frozenset(CALLBACKS) for callback in CALLBACKS.values()}


def parse(**config: Any) -> BridgeConfig:
    return ModuleBridge.parse_config({"modules": [{"path": "m.ts"}], **config})


def processes(config: BridgeConfig, here: str | None, background: bool = False) -> Workers:
    shards = SimpleNamespace(instances=["sender1"])
    worker = SimpleNamespace(
        instance_map={"main": object(), "events1": object()},
        writers=attr.evolve(WriterLocations(), typing=["typing1"]),
        federation_shard_config=shards,
        pusher_shard_config=SimpleNamespace(instances=["pusher1"]),
    )
    hs = SimpleNamespace(config=SimpleNamespace(worker=worker))
    api: Any = SimpleNamespace(worker_name=here, should_run_background_tasks=lambda: background, _hs=hs)
    return Workers(config, api)


def everywhere(here: str | None, background: bool = False, **config: Any) -> list[str]:
    parsed = parse(**config)
    return list(advise_everywhere(parsed, processes(parsed, here, background)))


def test_a_process_that_runs_no_module_warns() -> None:
    [warning] = everywhere("w1", workers=["main"])
    assert warning.startswith("`workers` does not name this process (w1): no module runs here")
    assert "Add w1 to `workers`" in warning
    assert "`modules: []` in its own file" in warning
    # There, the bridge has its tables to clean up.
    assert not [text for text in everywhere("w1", workers=["main"], background=True) if "`modules: []`" in text]
    assert everywhere(None, workers=["main"]) == []
    assert everywhere("w1") == []


def test_the_main_process_warns_of_workers_that_synapse_does_not_know() -> None:
    known = ["main", "events1", "typing1", "sender1", "pusher1"]
    assert everywhere(None, workers=known) == []
    assert everywhere(None, workers=[*known, "worker99"]) == [
        "workers names worker99, which Synapse's own configuration (instance_map, stream_writers and the like) does "
        "not: where no process is called so, no module runs there"
    ]
    # Only the main process: one line is enough.
    assert everywhere("events1", workers=[*known, "worker99"]) == []
    settings = {"on_new_event": {"workers": ["typo"]}, "on_logged_out": {"workers": ["background"]}}
    assert [text.split(",")[0] for text in everywhere(None, callbacks=settings)] == [
        "callbacks.on_new_event.workers names typo"
    ]


def told(available: Any = ALL, **config: Any) -> list[str]:
    return list(advise(parse(**config), MODULES, available))


@pytest.mark.parametrize(
    ("config", "place"),
    [
        ({"timeout": 5}, "timeout (local) is 5 ms"),
        ({"timeout": {"local": "5s", "federated": "2"}}, "timeout (federated) is 2 ms"),
        (
            {"callbacks": {"user_may_invite": {"timeout": {"local": 49}}}},
            "callbacks.user_may_invite.timeout (local) is 49",
        ),
        ({"start_timeout": 30}, "start_timeout is 30 ms"),
    ],
)
def test_a_very_short_time_is_told(config: Any, place: str) -> None:
    warnings = told(**config)
    assert any(text.startswith(place) for text in warnings), warnings
    assert all("a number without a unit is milliseconds" in text for text in warnings)


def test_times_that_may_be_meant_are_not_told() -> None:
    assert told(timeout=50, start_timeout="1s", callbacks={"user_may_invite": {"timeout": "50"}}) == []


def test_an_optional_callback_that_this_synapse_lacks_is_named() -> None:
    lacking = {**ALL, "spam_checker": ALL["spam_checker"] - {"user_may_invite"}}
    settings = {"user_may_invite": {"optional": True}}
    (warning,) = told(lacking, callbacks=settings)
    assert warning.startswith("callbacks.user_may_invite is optional, and this Synapse (")
    assert warning.endswith(") lacks it: m will not be asked")
    assert told(callbacks=settings) == []


def test_settings_of_a_callback_that_no_module_has_are_told() -> None:
    assert told(callbacks={"check_login_for_spam": {"timeout": "1s"}, "user_may_invite": {"timeout": "1s"}}) == [
        "callbacks.check_login_for_spam has no effect: no module implements it"
    ]


def test_a_refusal_of_what_other_servers_send_is_told() -> None:
    (warning,) = told(callbacks={"check_event_for_spam": {"on_failure": "deny"}})
    assert warning.startswith("callbacks.check_event_for_spam.on_failure is deny for federated events")


def test_a_start_logs_it_as_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with running(tmp_path, "good", {"timeout": {"federated": 5}}):
        pass
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert [text.split(",")[0] for text in warnings] == ["timeout (federated) is 5 ms"]
