"""Which functions Synapse gets for the checkers of logins, and whom they ask."""

from typing import Any, cast

from asking import Host, answer, calls_over
from fake_synapse import Api
from synapse.logging.context import run_in_background
from synapse_module_bridge.pipeline.follow_up import FollowUps
from synapse_module_bridge.pipeline.router import Router
from synapse_module_bridge.routing.locality import Locality
from synapse_module_bridge.routing.routing_table import RoutingTable
from synapse_module_bridge.schema.catalogue import CALLBACKS
from synapse_module_bridge.supervision.registered import needed
from synapse_module_bridge.synapse_hooks.registration import register_callbacks
from turning import outcome

PASSWORD, TOKEN = ("m.login.password", ("password",)), ("org.example.token", ("a", "b"))


def module(name: str, *logins: tuple[str, tuple[str, ...]], **callbacks: Any) -> dict[str, Any]:
    checkers = [{"login_type": login_type, "fields": list(fields)} for login_type, fields in logins]
    declared = {"auth_checkers": {"checkers": checkers}} if logins else {}
    return {"name": name, "callbacks": {**declared, **callbacks}, "web_resources": []}


class Registered:
    """All that was registered, in its order."""

    def __init__(self, host: Host, *modules: tuple[dict[str, Any], bool]) -> None:
        self.api: Any
        self.api = api = cast(Any, Api())
        self.all: list[dict[str, Any]] = []
        for category in {callback.category for callback in CALLBACKS.values()}:
            setattr(api, f"register_{category}_callbacks", lambda **callbacks: self.all.append(callbacks))
        self.calls = calls_over(host)
        self.load(*modules)
        nobody: Any = None
        router = Router(self.calls, nobody, nobody, nobody)
        names = {name for declared, _ in modules for name in declared["callbacks"]}
        callbacks = [callback for callback in CALLBACKS.values() if callback.name in names]
        follow_ups = FollowUps(self.calls.round_trip.exchange, self.calls.rules)
        registered = [needed(declared, "shadow" if shadow else "enforce") for declared, shadow in modules]
        register_callbacks(api, callbacks, registered, router, follow_ups)

    def load(self, *modules: tuple[dict[str, Any], bool]) -> None:
        self.calls.entries = RoutingTable(Locality(self.api), "test").of(modules)


def test_each_modules_checkers_are_registered_in_their_order() -> None:
    host = Host(answer(None, None))
    registered = Registered(host, (module("a", PASSWORD, TOKEN), False), (module("b", TOKEN), False))
    checkers = [callbacks["auth_checkers"] for callbacks in registered.all]
    assert [list(each) for each in checkers] == [[PASSWORD, TOKEN], [TOKEN]]
    for each, login in [(checkers[0], TOKEN), (checkers[1], TOKEN), (checkers[0], PASSWORD)]:
        assert outcome(run_in_background(each[login], "alice", login[0], {})) is None
    assert [(params["modules"], params["entry"]) for _, params, _ in host.calls] == [(["a"], 1), (["b"], 0), (["a"], 0)]


def test_a_checker_stays_the_same_where_a_reload_orders_them_anew_or_drops_one() -> None:
    host = Host(answer(None, None))
    registered = Registered(host, (module("a", PASSWORD, TOKEN), False))
    [callbacks] = registered.all
    registered.load((module("a", TOKEN), False))
    for login in (PASSWORD, TOKEN):
        assert outcome(run_in_background(callbacks["auth_checkers"][login], "alice", login[0], {})) is None
    assert [params["entry"] for _, params, _ in host.calls] == [0]


def test_a_shadow_module_offers_no_login_type_and_sees_no_password() -> None:
    host = Host(AssertionError("must not be called"))
    registered = Registered(host, (module("a", PASSWORD, check_3pid_auth={}), True))
    assert [list(callbacks) for callbacks in registered.all] == [["check_3pid_auth"]]
    check = registered.all[0]["check_3pid_auth"]
    assert outcome(run_in_background(check, "email", "a@b", "secret")) is None


def test_callbacks_that_synapse_goes_on_with_after_an_exception_are_registered_for_each_module() -> None:
    host = Host(answer({}, None))
    declared: dict[str, Any] = {"check_3pid_auth": {}, "add_field_to_unsigned_callback": {}, "user_may_invite": {}}
    registered = Registered(host, (module("a", **declared), False), (module("b", **declared), False))
    names = [name for callbacks in registered.all for name in callbacks]
    assert sorted(names) == sorted([*declared, "check_3pid_auth", "add_field_to_unsigned_callback"])
