"""Which series there are before the first call, so that Prometheus sees the first increase."""

import uuid
from typing import Any

import pytest
from prometheus_client import REGISTRY
from synapse_module_bridge.routing.zeros import begin
from synapse_module_bridge.schema.catalogue import CALLBACKS


def series(module: str, **labels: str) -> set[tuple[str, ...]]:
    """The outcomes, with reasons, that are 0 for a module."""
    return {
        tuple(sample.labels[label] for label in ("outcome", "reason"))
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.name == "synapse_module_bridge_calls_total"
        and sample.labels["module"] == module
        and sample.value == 0
        and all(sample.labels[key] == value for key, value in labels.items())
    }


@pytest.mark.parametrize(
    ("callback", "outcomes"),
    [
        ("check_event_allowed", {"refused", "replaced", "error", "fault"}),
        ("check_event_for_spam", {"refused", "error", "fault"}),
        ("on_create_room", {"edited", "error", "fault"}),
        ("get_displayname_for_registration", {"answered", "error", "fault"}),
        ("is_user_expired", {"answered", "refused", "error", "fault"}),
        ("auth_checkers", {"answered", "left", "error", "fault"}),
        ("on_new_event", set()),
    ],
)
def test_each_outcome_that_may_come_begins_at_0(callback: str, outcomes: set[str]) -> None:
    name = uuid.uuid4().hex
    begin(CALLBACKS[callback], name, "test", shadow=False)
    begun = series(name, callback=callback)
    assert {outcome for outcome, reason in begun if not reason} == outcomes
    assert ("policy", "down") in begun and ("policy", "gone") not in begun


def test_a_shadow_module_begins_with_what_it_would_do() -> None:
    name = uuid.uuid4().hex
    begin(CALLBACKS["check_event_allowed"], name, "test", shadow=True)
    begun = series(name)
    would = {"would_allow", "would_refuse", "would_replace", "would_error", "would_fault", "would_policy"}
    assert {outcome for outcome, _ in begun} == would


def test_what_has_begun_stays_as_it_is() -> None:
    name = uuid.uuid4().hex
    again: Any = [begin(CALLBACKS["user_may_invite"], name, "test", shadow=False) for _ in range(2)]
    assert again[0] is again[1]
