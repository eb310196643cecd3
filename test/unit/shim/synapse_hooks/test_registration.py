"""What is registered with Synapse for which module, and what it would not take."""

import re
from types import SimpleNamespace
from typing import Any

import pytest
from fake_synapse import Api
from synapse.logging.context import run_in_background
from synapse_module_bridge.module_bridge import ModuleBridge
from synapse_module_bridge.schema.catalogue import CALLBACKS
from synapse_module_bridge.schema.startup_problems import StartupProblems
from synapse_module_bridge.synapse_hooks.forward import make_forwarder
from synapse_module_bridge.synapse_hooks.registration import declared_callbacks, register_callbacks
from synapse_module_bridge.synapse_hooks.synapse_api import register, register_method
from turning import outcome

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
        def route(self, callback: Any, module: str | None = None) -> Any:
            async def answer(callback: Any, args: Any) -> Any:
                asked.append((callback.name, module))
                return {} if callback.name == "get_users_for_states" else set()

            return SimpleNamespace(answer=answer)

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
    with pytest.raises(
        StartupProblems, match=r"config\.callbacks\.get_users_for_states\.workers: .* the same `workers`"
    ):
        declared(manifest, api, callbacks={"get_interested_users": elsewhere})


@pytest.mark.parametrize(
    "name",
    [name for name, one in CALLBACKS.items() if one.category == "password_auth_provider"],
)
def test_where_another_service_logs_users_in_synapse_takes_no_password_auth_provider(name: str) -> None:
    api: Any = Recording()
    api._auth_delegation_enabled = True
    with pytest.raises(
        StartupProblems, match=rf"config\.modules\[1\]\.path: b implements {name}, .*matrix_authentication"
    ):
        declared(modules([], [name]), api)


class Forgetting:
    """Like some releases of Synapse: takes all callbacks, and drops one."""

    def __init__(self, forgotten: str) -> None:
        self.kept: list[Any] = []
        category = CALLBACKS[forgotten].category

        def keep(**callbacks: Any) -> None:
            for name, function in callbacks.items():
                kept = list(function.values()) if isinstance(function, dict) else [function]
                self.kept += kept[1:] if name == forgotten else kept

        for one in {callback.category for callback in CALLBACKS.values()}:
            setattr(self, register_method(one), keep)
        # Whoever wraps a function keeps it, too.
        original = getattr(self, register_method(category))
        setattr(self, register_method(category), lambda **callbacks: original(**callbacks))


@pytest.mark.parametrize("name", CALLBACKS)
def test_a_function_that_synapse_takes_and_forgets_is_noticed(name: str) -> None:
    def forwarder(one: str) -> Any:
        answer: Any = lambda *_: None  # noqa: E731
        made = [make_forwarder(CALLBACKS[one], answer) for _ in range(2)]
        return {("type", ("a",)): made[0], ("type", ("b",)): made[1]} if CALLBACKS[one].listed else made[0]

    api: Any = Forgetting(name)
    assert register(api, {one: forwarder(one) for one in CALLBACKS}) == [name]


def test_what_is_forgotten_stops_the_start_unless_it_is_optional(caplog: pytest.LogCaptureFixture) -> None:
    manifest = modules(["user_may_invite", "on_logged_out"], ["user_may_invite"])
    callbacks = [CALLBACKS["user_may_invite"], CALLBACKS["on_logged_out"]]
    router: Any = SimpleNamespace(route=lambda *_: SimpleNamespace(answer=None))
    api, nothing = Forgetting("user_may_invite"), Any
    with pytest.raises(StartupProblems) as raised:
        register_callbacks(api, callbacks, manifest["modules"], router, nothing)  # type: ignore[arg-type]
    (fault,) = raised.value.faults
    words = r"this Synapse \(.*\) takes user_may_invite and forgets it, so that no module would be asked: use another"
    assert re.match(words, str(fault))
    with caplog.at_level("WARNING"):
        register_callbacks(
            *(api, callbacks, manifest["modules"], router, nothing),  # type: ignore[arg-type]
            optional={"user_may_invite"},
        )
    assert re.match(words, caplog.messages[-1])
