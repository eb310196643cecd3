"""What is registered with Synapse for which module, and what it would not take."""

from typing import Any

import pytest
from rig import Api
from synapse.logging.context import run_in_background
from synapse_module_bridge.bridge import ModuleBridge
from synapse_module_bridge.catalogue import CALLBACKS
from synapse_module_bridge.faults import Faults
from synapse_module_bridge.registration import declared_callbacks, register_callbacks
from synapse_module_bridge.synapse_api import register_method
from test_remembered import outcome

PRESENCE = ["get_users_for_states", "get_interested_users"]


class Recording(Api):
    """Notes each call of a register method: its category, and what it got."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, dict[str, Any]]] = []
        for category in {callback.category for callback in CALLBACKS.values()}:
            original = getattr(self, register_method(category), None)
            if original is not None:
                setattr(self, register_method(category), _Noting(original.__wrapped__, category, self.calls))


class _Noting:
    def __init__(self, original: Any, category: str, calls: list[tuple[str, dict[str, Any]]]) -> None:
        self.__wrapped__ = original
        self._category, self._calls = category, calls

    def __call__(self, **callbacks: Any) -> None:
        self._calls.append((self._category, callbacks))


def modules(*declared: list[str]) -> dict[str, Any]:
    return {
        "modules": [
            {"name": "abc"[index], "callbacks": {name: {} for name in names}} for index, names in enumerate(declared)
        ]
    }


def declared(manifest: dict[str, Any], api: Any, **config: Any) -> list[str]:
    parsed = ModuleBridge.parse_config({"modules": [{"path": "m.ts"}], **config})
    return [callback.name for callback in declared_callbacks(manifest, parsed, api)]


def test_one_function_serves_all_modules_and_one_each_where_synapse_puts_the_answers_together() -> None:
    manifest = modules(["is_user_expired", *PRESENCE], ["is_user_expired"], [*PRESENCE, "on_logged_out"])
    api: Any = Recording()
    asked: list[tuple[str, str | None]] = []

    class Router:
        async def answer(self, callback: Any, args: Any, module: str | None = None) -> Any:
            asked.append((callback.name, module))
            return {} if callback.name == "get_users_for_states" else set()

    callbacks = [CALLBACKS[name] for name in declared(manifest, api)]
    nobody: Any = None
    register_callbacks(api, callbacks, manifest["modules"], Router(), nobody)  # type: ignore[arg-type]
    assert [(category, sorted(named)) for category, named in api.calls] == [
        ("account_validity", ["is_user_expired"]),
        ("password_auth_provider", ["on_logged_out"]),
        ("presence_router", sorted(PRESENCE)),
        ("presence_router", sorted(PRESENCE)),
    ]
    for _, named in api.calls:
        for function in named.values():
            assert outcome(run_in_background(function, "x")) in ({}, set())
    assert asked == [
        ("is_user_expired", None),
        ("on_logged_out", None),
        *[(name, module) for module in ("a", "c") for name in PRESENCE],
    ]


def test_a_pair_must_be_registered_in_the_same_processes() -> None:
    api, manifest = Recording(), modules(PRESENCE)
    here, elsewhere = {"workers": ["main"]}, {"workers": ["worker1"]}
    assert declared(manifest, api, callbacks=dict.fromkeys(PRESENCE, here)) == PRESENCE
    assert declared(manifest, api, callbacks=dict.fromkeys(PRESENCE, elsewhere)) == []
    with pytest.raises(Faults, match=r"config\.callbacks\.get_users_for_states\.workers: .* the same `workers`"):
        declared(manifest, api, callbacks={"get_interested_users": elsewhere})


@pytest.mark.parametrize(
    "name",
    [name for name, one in CALLBACKS.items() if one.category == "password_auth_provider"],
)
def test_where_another_service_logs_users_in_synapse_takes_no_password_auth_provider(name: str) -> None:
    api: Any = Recording()
    api._auth_delegation_enabled = True
    with pytest.raises(Faults, match=rf"config\.modules\[1\]\.path: b implements {name}, .*matrix_authentication"):
        declared(modules([], [name]), api)
