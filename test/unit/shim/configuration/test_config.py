"""The `config` block: defaults, absolute paths, and faults that name the place and the remedy."""

import atexit
import copy
import os
from typing import Any

import pytest
from synapse.module_api.errors import ConfigError
from synapse_module_bridge.configuration.config import (
    DEBUG_MS,
    KEPT_BY_DEFAULT,
    KeptDecisions,
    Record,
    Timeout,
    mode_of,
    name_of,
    parse,
)
from synapse_module_bridge.schema.catalogue import CALLBACKS
from synapse_module_bridge.schema.on_failure import OnFailure

MODULE = {"path": "policy.ts"}


@pytest.fixture(autouse=True)
def no_exit_handlers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would be said as the last line of the process."""
    said: list[str] = []
    monkeypatch.setattr(atexit, "register", lambda _, message: said.append(message))
    return said


def test_what_is_not_set_has_the_documented_default() -> None:
    parsed = parse({"modules": [MODULE]})
    assert parsed.timeout == Timeout(local=5_000, federated=2_000)
    assert parsed.on_failure == OnFailure() and parsed.callback_on_failure == {}
    assert parsed.workers == () and parsed.callback_workers == {}
    assert parsed.start_timeout_ms == 30_000
    assert (parsed.node, parsed.env, parsed.memory_mb) == (None, (), None)
    assert parsed.callback_timeouts == {} and parsed.optional_callbacks == frozenset()
    assert parsed.record is None


def test_with_debug_nothing_has_a_limit_of_time() -> None:
    assert not parse({"modules": [MODULE]}).debug
    limits = {"timeout": "1s", "start_timeout": "1s", "callbacks": {"check_event_for_spam": {"timeout": "1s"}}}
    parsed = parse({"modules": [MODULE], "debug": True, **limits})
    assert parsed.debug
    assert parsed.timeout == Timeout(local=DEBUG_MS, federated=DEBUG_MS)
    assert parsed.callback_timeouts == {}
    assert parsed.start_timeout_ms == DEBUG_MS


def test_paths_are_made_absolute() -> None:
    parsed = parse({"modules": [{"path": "a/b.ts", "config_file": "c.yaml"}], "node": "bin/node"})
    here = os.getcwd()
    assert parsed.modules == [{"path": f"{here}/a/b.ts", "config_file": f"{here}/c.yaml"}]
    assert parsed.node == f"{here}/bin/node"


@pytest.mark.parametrize(
    ("written", "mode"),
    [
        ({}, "enforce"),
        ({"mode": "off"}, "off"),
        # YAML's `off`.
        ({"mode": False}, "off"),
        ({"shadow": True}, "shadow"),
        ({"shadow": False}, "enforce"),
        ({"mode": "shadow", "shadow": True}, "shadow"),
        ({"mode": "off", "shadow": False}, "off"),
    ],
)
def test_a_mode_can_be_written_in_several_ways(written: dict[str, Any], mode: str) -> None:
    parsed = parse({"modules": [{**MODULE, **written}]})
    assert mode_of(parsed.modules[0]) == mode
    assert parsed.modules[0].get("mode", "enforce") == mode and "shadow" not in parsed.modules[0]


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ({"path": "/a/b.ts"}, "b"),
        ({"path": "/a/b.test.mts"}, "b.test"),
        ({"path": "/a/folder"}, "folder"),
        ({"path": "/a/b.ts", "name": "c"}, "c"),
        ({"path": "/a/b.json"}, "b.json"),
    ],
)
def test_a_module_has_the_name_that_the_host_gives_it(module: dict[str, Any], name: str) -> None:
    assert name_of(module) == name


def test_durations_are_synapses() -> None:
    parsed = parse(
        {
            "modules": [MODULE],
            "timeout": {"local": "1m", "federated": 250},
            "start_timeout": "2s",
            "memory": "256M",
            "callbacks": {
                "check_event_for_spam": {"timeout": {"federated": "3s"}},
                "check_login_for_spam": {"timeout": "1s", "optional": True},
            },
        }
    )
    assert parsed.timeout == Timeout(local=60_000, federated=250)
    assert parsed.callback_timeouts["check_event_for_spam"] == Timeout(local=60_000, federated=3_000)
    assert parsed.callback_timeouts["check_login_for_spam"] == Timeout(local=1_000, federated=1_000)
    assert parsed.optional_callbacks == {"check_login_for_spam"}
    assert (parsed.start_timeout_ms, parsed.memory_mb) == (2_000, 256)


def test_a_recording_has_all_callbacks_without_secrets_unless_some_are_chosen() -> None:
    record = parse({"modules": [MODULE], "record": {"folder": "recordings"}}).record
    assert record is not None
    assert (record.folder, record.keep_ms, record.limit_bytes) == (f"{os.getcwd()}/recordings", 604_800_000, 1 << 30)
    unrecorded = {name for name, callback in CALLBACKS.items() if name not in record.callbacks}
    assert unrecorded == {
        "auth_checkers",
        "check_3pid_auth",
        "on_logged_out",
        "check_registration_for_spam",
        "get_username_for_registration",
        "get_displayname_for_registration",
        "on_legacy_renew",
        "on_legacy_admin_request",
    }
    chosen = {"folder": "/r", "callbacks": ["user_may_invite"], "keep": "1h", "limit": "2M"}
    assert parse({"modules": [MODULE], "record": chosen}).record == Record(
        folder="/r", callbacks=("user_may_invite",), keep_ms=3_600_000, limit_bytes=2 << 20
    )


@pytest.mark.parametrize(
    ("decisions", "kept"),
    [
        ({}, KEPT_BY_DEFAULT),
        ({"keep": "1w"}, KeptDecisions(keep_ms=604_800_000, limit=1_000_000)),
        ({"limit": 5}, KeptDecisions(keep_ms=2_592_000_000, limit=5)),
        (False, None),
    ],
)
def test_decisions_are_kept_unless_they_are_switched_off(decisions: Any, kept: KeptDecisions | None) -> None:
    assert parse({"modules": [MODULE]}).decisions == KEPT_BY_DEFAULT
    assert parse({"modules": [MODULE], "decisions": decisions}).decisions == kept


def recording(**keys: Any) -> dict[str, Any]:
    return {"modules": [MODULE], "record": {"folder": "/r", **keys}}


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "config: the key modules is missing"),
        ({"modules": []}, "config.modules: "),
        ({"modules": [{}]}, "config.modules[0]: the key path is missing"),
        ({"modules": [{"path": "x", "nmae": "y"}]}, "config.modules[0]: unknown key 'nmae'; the keys are path, name"),
        ({"modules": [{"path": 5}]}, "config.modules[0].path: must be a text, and is a whole number"),
        ({"modules": [MODULE], "timeout": []}, "config.timeout: must be a duration"),
        ({"modules": [MODULE], "timeout": "5 sec"}, "config.timeout: must be a duration"),
        ({"modules": [MODULE], "timeout": {"lokal": "5s"}}, "config.timeout: must be a duration"),
        ({"modules": [MODULE], "memory": "lots"}, "config.memory: "),
        ({"modules": [MODULE], "memory": 256}, "config.memory: must be at least 16M"),
        ({"modules": [MODULE], "callbacks": {"check_evnt": {}}}, "config.callbacks.check_evnt: "),
        ({"modules": [MODULE], "record": {}}, "config.record: the key folder is missing"),
        ({"modules": [MODULE], "decisions": True}, "config.decisions: must be { keep: <duration>, limit: <number> }"),
        ({"modules": [MODULE], "decisions": {"kept": "1d"}}, "config.decisions: must be"),
        ({"modules": [MODULE], "decisions": {"keep": "long"}}, "config.decisions.keep: must be a duration"),
        ({"modules": [MODULE], "decisions": {"limit": 0}}, "config.decisions.limit: must be a number of decisions"),
        (recording(keep="long"), "config.record.keep: must be a duration"),
        (recording(limit="1000K"), "config.record.limit: must be at least 1M"),
        (recording(callbacks=[]), "config.record.callbacks: must be a list of callbacks"),
        (
            recording(callbacks=["user_may_invit"]),
            "config.record.callbacks[0]: is no callback of Synapse (did you mean user_may_invite?)",
        ),
        (
            recording(callbacks=["user_may_invite", "auth_checkers"]),
            "config.record.callbacks[1]: auth_checkers is never recorded, "
            "since its parameters may hold passwords or tokens",
        ),
        (
            recording(callbacks=["check_registration_for_spam"]),
            "config.record.callbacks[0]: check_registration_for_spam is never recorded, "
            "since its parameters may hold a registration",
        ),
        ({"modules": [MODULE], "workers": []}, "config.workers: must be a list of worker names"),
        (
            {"modules": [MODULE], "workers": ["w1", "w2"], "callbacks": {"on_new_event": {"workers": ["main"]}}},
            "config.callbacks.on_new_event.workers: no process would ask: `workers` starts Node in w1, w2",
        ),
        ({"modules": [MODULE], "on_failure": "open"}, "config.on_failure: must be allow, deny or defer"),
        (
            {"modules": [MODULE], "callbacks": {"check_can_shutdown_room": {"on_failure": "defer"}}},
            "config.callbacks.check_can_shutdown_room.on_failure: check_can_shutdown_room cannot express defer; "
            "it can express allow, deny",
        ),
        ({"modules": [MODULE], "env": ["A=B"]}, "config.env[0]: "),
        ("text", "config: must be a mapping, and is a text"),
    ],
)
def test_a_fault_names_its_place(config: Any, words: str, no_exit_handlers: list[str]) -> None:
    with pytest.raises(ConfigError) as raised:
        parse(config)
    assert words in raised.value.msg
    assert "\n" not in raised.value.msg
    # A worker of Synapse does not print a ConfigError's message: it is said again at the end.
    assert no_exit_handlers == [raised.value.msg]


SECRET = "s3cret"
WHOLE: dict[str, Any] = {
    "modules": [{**MODULE, "config": {"token": SECRET}, "grants": ["send_mail"], "shadow": True}],
    "node": "/usr/bin/node",
    "timeout": {"local": "5s", "federated": "2s"},
    "on_failure": {"local": "deny"},
    "callbacks": {"check_event_for_spam": {"timeout": "1s", "optional": True, "workers": ["main"]}},
    "workers": ["main"],
    "start_timeout": "30s",
    "env": ["HTTPS_PROXY"],
    "memory": "256M",
    "record": {"folder": "/r", "callbacks": ["user_may_invite"], "keep": "7d", "limit": "1G"},
}


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    within = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, part in within for place in places(part, (*at, key)))]


@pytest.mark.parametrize("wrong", [SECRET, [SECRET], {"a": SECRET}, {"modules": SECRET}, [{"path": [SECRET]}], [WHOLE]])
# Names of workers are no secret: a message lists them.
@pytest.mark.parametrize("place", [place for place in places(WHOLE) if place[:1] != ("workers",)], ids=str)
def test_no_message_holds_a_value(place: tuple[Any, ...], wrong: Any, no_exit_handlers: list[str]) -> None:
    config = {"whole": copy.deepcopy(WHOLE)}
    where: Any = config
    *above, last = "whole", *place
    for key in above:
        where = where[key]
    where[last] = wrong
    try:
        parse(config["whole"])
    except ConfigError as e:
        assert SECRET not in e.msg and not any(SECRET in message for message in no_exit_handlers)


def test_several_faults_are_told_together() -> None:
    with pytest.raises(ConfigError) as raised:
        parse({"modules": [{"path": 5}], "timeout": []})
    assert "2 faults: (1) config.modules[0].path: " in raised.value.msg
    assert "(2) config.timeout: " in raised.value.msg
