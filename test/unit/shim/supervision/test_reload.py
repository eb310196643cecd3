"""What a reload cannot add without a restart of Synapse."""

from typing import Any

import pytest
from synapse_module_bridge.supervision.reload import needs_restart


def declared(**modules: tuple[list[str], list[str]]) -> list[dict[str, Any]]:
    return [
        {"name": name, "callbacks": {callback: {} for callback in callbacks}, "web_resources": paths}
        for name, (callbacks, paths) in modules.items()
    ]


PRESENCE = ["get_users_for_states", "get_interested_users"]
OLD = declared(m=(["user_may_invite", *PRESENCE], ["/a"]), n=(["on_new_event"], []))


def test_only_a_restart_adds_what_is_registered_for_each_module() -> None:
    def logins(*checkers: tuple[str, list[str]]) -> Any:
        listed = [{"login_type": login_type, "fields": fields} for login_type, fields in checkers]
        return [{"name": "m", "callbacks": {"auth_checkers": {"checkers": listed}}, "web_resources": []}]

    old = logins(("m.login.password", ["password"]), ("org.example.token", ["a"]))
    assert needs_restart(old, logins(("org.example.token", ["a"]))) is None
    said = needs_restart(old, logins(("org.example.token", ["a", "b"])))
    assert said == "m has the new login type org.example.token by a and b: restart Synapse to add it"
    one = declared(m=(["check_3pid_auth"], []), n=([], []))
    other = needs_restart(one, declared(m=([], []), n=(["check_3pid_auth"], [])))
    assert other == "n has the new callback check_3pid_auth: restart Synapse to add it"


@pytest.mark.parametrize(
    ("new", "words"),
    [
        (OLD, None),
        (declared(m=([], []), n=([], [])), None),
        # Another module's callback is registered already.
        (declared(m=(["on_new_event"], []), n=([], [])), None),
        (declared(m=(["check_event_allowed"], ["/a"]), n=([], [])), "m has the new callback check_event_allowed"),
        # Each module that has it is registered by itself.
        (declared(m=([], []), n=(PRESENCE, [])), "n has the new callback get_users_for_states; n has the new callback"),
        (declared(m=([], ["/a", "/b"]), n=([], [])), "m has the new web resource /b"),
        # A path belongs to the module that had it.
        (declared(m=([], []), n=([], ["/a"])), "n has the new web resource /a"),
    ],
)
def test_only_a_restart_adds_callbacks_and_web_resources(new: Any, words: str | None) -> None:
    said = needs_restart(OLD, new)
    assert said is None if words is None else said is not None and words in said and "restart Synapse" in said
