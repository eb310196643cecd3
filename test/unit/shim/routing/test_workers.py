"""In which processes of Synapse modules run, and which callback is registered where."""

from types import SimpleNamespace
from typing import Any

import pytest
from observed import observed
from synapse_module_bridge.module_bridge import ModuleBridge
from synapse_module_bridge.routing.workers import Workers
from synapse_module_bridge.schema.catalogue import CALLBACKS


def processes(here: str | None, background: bool = False, **config: Any) -> Workers:
    parsed = ModuleBridge.parse_config({"modules": [{"path": "m.ts"}], **config})
    api: Any = SimpleNamespace(worker_name=here, should_run_background_tasks=lambda: background)
    return Workers(parsed, api)


@pytest.mark.parametrize(
    ("here", "workers", "starts"),
    [
        (None, None, True),
        ("w1", None, True),
        (None, ["main"], True),
        ("w1", ["main"], False),
        ("w1", ["main", "w1"], True),
        (None, ["w1"], False),
    ],
)
def test_node_starts_in_the_processes_that_workers_names(here: str | None, workers: Any, starts: bool) -> None:
    config = {} if workers is None else {"workers": workers}
    assert processes(here, **config).starts_node() is starts


@pytest.mark.parametrize(
    ("here", "background", "workers", "registers"),
    [
        # Synapse calls it everywhere: by default it runs once in a deployment.
        (None, True, None, True),
        ("w1", False, None, False),
        ("bg", True, None, True),
        (None, False, ["main"], True),
        ("bg", True, ["main"], False),
        ("w1", False, ["w1", "w2"], True),
        ("bg", True, ["background"], True),
        ("w1", False, ["background"], False),
    ],
)
def test_a_notification_runs_once_or_where_it_is_told(
    here: str | None, background: bool, workers: Any, registers: bool
) -> None:
    config = {} if workers is None else {"callbacks": {"on_new_event": {"workers": workers}}}
    assert processes(here, background, **config).registers(CALLBACKS["on_new_event"]) is registers
    where = f"worker {here}" if here else "the main process"
    set_up = f"{where}{', which runs background tasks,' if background else ''} with workers: {workers}"
    observed(37, "registered" if registers else "not registered", on="each process", tried=f"on_new_event in {set_up}")


@pytest.mark.parametrize(
    ("background", "workers", "chosen", "missed"),
    [
        (True, ["w1"], None, ["on_new_event"]),
        (True, ["w1"], ["background"], ["on_new_event"]),
        (True, ["w1"], ["background", "w1"], []),
        (True, ["w1"], ["w1"], []),
        (True, ["main"], None, []),
        (True, None, None, []),
        (False, ["w1"], None, []),
    ],
)
def test_a_process_without_node_tells_what_no_process_registers(
    background: bool, workers: Any, chosen: Any, missed: list[str]
) -> None:
    config = {} if workers is None else {"workers": workers}
    if chosen is not None:
        config["callbacks"] = {"on_new_event": {"workers": chosen}}
    assert processes(None, background, **config).missed() == missed


def test_a_question_is_registered_in_every_process() -> None:
    assert processes("w1").registers(CALLBACKS["check_event_for_spam"])
