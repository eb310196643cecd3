"""Answers that do not fit: none of a wrong shape reaches Synapse; with the real bridge over a fake host."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from asking import sample
from fake_synapse import OWN
from observed import observed
from outcomes import (
    ask_three,
    config,
)
from rig import running
from synapse.module_api.errors import Codes, SynapseError
from synapse_module_bridge.pipeline.failures import ModuleFault
from synapse_module_bridge.schema.catalogue import CALLBACKS
from turning import settled, turn_until

pytestmark = pytest.mark.usefixtures("faster", "log_contexts_are_kept")


def test_a_synapse_error_reaches_the_client_as_it_was_thrown(tmp_path: Path) -> None:
    with running(tmp_path, "synapse_error", config("allow")) as rig:
        for outcome in [settled(asked) for asked in ask_three(rig)]:
            assert isinstance(outcome, SynapseError)
            body = outcome.error_dict(None)
            assert (outcome.code, body) == (403, {"errcode": "ORG.CUSTOM", "error": "x", "a": 1})
        observed(26, "the module's error, without the fields that would clash", policy="allow")


def test_a_fault_of_a_module_in_a_local_request_is_an_exception_where_no_policy_was_set(tmp_path: Path) -> None:
    with running(tmp_path, "fault", config(None)) as rig:
        local, remote, invite = [settled(asked) for asked in ask_three(rig)]
        assert isinstance(local, ModuleFault) and isinstance(invite, ModuleFault)
        assert remote is Codes.FORBIDDEN


VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 0.5, 2**53, "", "NOT_SPAM", "M_FORBIDDEN", "M_UNKNOWN_TO_SYNAPSE", "allow", "ALLOW",
    "true", [], ["M_FORBIDDEN"], ["M_FORBIDDEN", {}], ["M_FORBIDDEN", None], ["NOT_SPAM", {}], ["M_NEW", {}],
    ["M_FORBIDDEN", {}, 1], [True, None], [False, {}], {}, {"a": 1}, {"content": 1}, {"content": {}}, [[]],
]  # fmt: skip


def test_no_answer_of_a_wrong_shape_reaches_synapse(tmp_path: Path) -> None:
    (tmp_path / "answers.json").write_text(json.dumps(VALUES))
    taken = []
    with running(tmp_path, "scripted", {"callbacks": {"check_event_for_spam": {"on_failure": "deny"}}}) as rig:
        for callback in CALLBACKS.values():
            for value in VALUES:
                args = [
                    {} if param.type == "RequestContent" else argument
                    for param, argument in zip(callback.params, sample(callback), strict=True)
                ]
                outcome = settled(rig.ask(callback.name, *args))
                turn_until(lambda: rig.bridge._notifications.queued == 0)
                if not SYNAPSE_TAKES[callback.result](outcome, value):
                    taken.append((callback.name, value, outcome))
    assert taken == [], taken
    observed(25, f"{len(CALLBACKS)} callbacks, {len(VALUES)} answers each: none reaches Synapse in a wrong shape")


def failed(outcome: Any) -> bool:
    return isinstance(outcome, ModuleFault | SynapseError)


def verdict(outcome: Any, value: Any) -> bool:
    if isinstance(value, str) and value != "NOT_SPAM":
        return bool(outcome == value) and (value not in set(Codes) or isinstance(outcome, Codes))
    if isinstance(value, list) and len(value) == 2 and value[0] == "M_FORBIDDEN" and value[1] == {}:
        return bool(outcome == (Codes.FORBIDDEN, {})) and isinstance(outcome, tuple)
    # A module that passes does not decide.
    return outcome is value if isinstance(value, bool) and not failed(outcome) else failed(outcome)


def swallowed(outcome: Any, value: Any) -> bool:
    return outcome is False or failed(outcome)


def drop(outcome: Any, value: Any) -> bool:
    # It can only be allowed; a text that is not empty drops, as in Synapse.
    wanted = value is True or (isinstance(value, str) and value not in ("", "NOT_SPAM"))
    return bool(outcome == value) if wanted else outcome is False or failed(outcome)


def event_allowed(outcome: Any, value: Any) -> bool:
    if value is False:
        return bool(outcome == (False, None))
    if value == {"content": {}}:
        return bool(outcome[0] is True and outcome[1]["content"] == {} and outcome[1]["type"] == "m.room.message")
    return failed(outcome)


def registration(outcome: Any, value: Any) -> bool:
    return failed(outcome)


def edits(outcome: Any, value: Any) -> bool:
    return outcome is None if isinstance(value, dict) and not failed(outcome) else failed(outcome)


def nothing(outcome: Any) -> bool:
    return outcome is None or failed(outcome)


def given(kind: type) -> Callable[[Any, Any], bool]:
    """What was answered, if it is of this kind and not empty; else no opinion."""
    return lambda outcome, value: (isinstance(value, kind) and bool(outcome == value)) or nothing(outcome)


def own_or_size(outcome: Any, value: Any) -> bool:
    own = outcome in (OWN.default_background_batch_size, OWN.minimum_background_batch_size, OWN.update_duration_ms)
    return own or failed(outcome) if not isinstance(value, int) or value < 1 else failed(outcome) or outcome == value


SYNAPSE_TAKES: dict[str, Callable[[Any, Any], bool]] = {
    "EventSpamVerdict": verdict,
    "SpamVerdict": verdict,
    "LoginVerdict": verdict,
    "StateEventVerdict": lambda outcome, value: failed(outcome) if isinstance(value, list) else verdict(outcome, value),
    "MediaVerdict": verdict,
    "DropVerdict": drop,
    "HideVerdict": lambda outcome, value: outcome is value if isinstance(value, bool) else failed(outcome),
    "RegistrationVerdict": registration,
    "EventAllowedVerdict": event_allowed,
    "Edits": edits,
    "Permission": swallowed,
    "Nothing": lambda outcome, _: outcome is None or failed(outcome),
    "Authenticated": lambda outcome, value: (
        outcome == (value, None) if isinstance(value, str) else outcome is None or failed(outcome)
    ),
    "BatchSize": own_or_size,
    "UpdateDuration": own_or_size,
    "UnsignedFields": lambda outcome, value: outcome == (value if isinstance(value, dict) else {}),
    "Expired": given(bool),
    "ChosenName": given(str),
    "MediaConfig": given(dict),
    "MediaUploadLimits": lambda outcome, value: outcome == [] if value == [] else nothing(outcome),
    "RatelimitOverride": lambda outcome, _: nothing(outcome),
    "RenewalResult": lambda outcome, _: failed(outcome),
    "LegacyAdminResult": lambda outcome, value: bool(outcome == value),
    "UploadPermission": swallowed,
    "ThreepidPermission": swallowed,
    "InterestedUsers": lambda outcome, value: isinstance(outcome, set) or failed(outcome),
    "PresenceRoutes": lambda outcome, value: outcome == {} or failed(outcome),
}
