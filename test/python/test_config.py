"""The `config` block: defaults, absolute paths, and faults that name the place and the remedy."""

import atexit
import os
from typing import Any

import pytest
from synapse.module_api.errors import ConfigError
from synapse_module_bridge.config import Timeout, parse
from synapse_module_bridge.policy import OnFailure

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


def test_paths_are_made_absolute() -> None:
    parsed = parse({"modules": [{"path": "a/b.ts", "config_file": "c.yaml"}], "node": "bin/node"})
    here = os.getcwd()
    assert parsed.modules == [{"path": f"{here}/a/b.ts", "config_file": f"{here}/c.yaml"}]
    assert parsed.node == f"{here}/bin/node"


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


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "config: the key modules is missing"),
        ({"modules": []}, "config.modules: "),
        ({"modules": [{}]}, "config.modules[0]: the key path is missing"),
        ({"modules": [{"path": "x", "nmae": "y"}]}, "config.modules[0]: unknown key 'nmae'; the keys are path, name"),
        ({"modules": [{"path": 5}]}, "config.modules[0].path: 5 is not of type 'string'"),
        ({"modules": [MODULE], "timeout": []}, "config.timeout: must be a duration"),
        ({"modules": [MODULE], "timeout": "5 sec"}, "config.timeout: must be a duration"),
        ({"modules": [MODULE], "timeout": {"lokal": "5s"}}, "config.timeout: must be a duration"),
        ({"modules": [MODULE], "memory": "lots"}, "config.memory: "),
        ({"modules": [MODULE], "memory": 256}, "config.memory: must be at least 16M"),
        ({"modules": [MODULE], "callbacks": {"check_evnt": {}}}, "config.callbacks.check_evnt: "),
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
        ("text", "config: 'text' is not of type 'object'"),
    ],
)
def test_a_fault_names_its_place(config: Any, words: str, no_exit_handlers: list[str]) -> None:
    with pytest.raises(ConfigError) as raised:
        parse(config)
    assert words in raised.value.msg
    assert "\n" not in raised.value.msg
    # A worker of Synapse does not print a ConfigError's message: it is said again at the end.
    assert no_exit_handlers == [raised.value.msg]


def test_several_faults_are_told_together() -> None:
    with pytest.raises(ConfigError) as raised:
        parse({"modules": [{"path": 5}], "timeout": []})
    assert "2 faults: (1) config.modules[0].path: " in raised.value.msg
    assert "(2) config.timeout: " in raised.value.msg
