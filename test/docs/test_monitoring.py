"""The Grafana dashboard, the alert rules and the pages about them against the metrics that there are, both ways."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from prometheus_client import REGISTRY
from synapse_module_bridge.telemetry import metrics

PREFIX = "synapse_module_bridge_"
PAGES = Path(__file__).parents[2] / "docs" / "admin"
EXPORTED = {metric.name: metric.type for metric in REGISTRY.collect() if metric.name.startswith(PREFIX)}


def test_the_dashboard_shows_every_metric_and_no_other() -> None:
    panels = json.loads((PAGES / "grafana.json").read_text())["panels"]
    shown = set(re.findall(rf"{PREFIX}\w+", json.dumps(panels)))
    assert {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in shown} == set(EXPORTED)
    assert metrics.UP is not None


def test_no_panel_of_the_dashboard_covers_another() -> None:
    panels = json.loads((PAGES / "grafana.json").read_text())["panels"]
    covered = [cell for panel in panels for cell in _cells(panel["gridPos"])]
    assert len(covered) == len(set(covered))
    assert all(0 <= x < 24 for x, _ in covered)


def _cells(at: dict[str, int]) -> list[tuple[int, int]]:
    return [(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])]


def test_the_page_on_monitoring_lists_every_metric_and_no_other() -> None:
    page = (PAGES / "monitoring.md").read_text()
    listed = [*_listed(page, f"{PREFIX}module_"), *_listed(page, PREFIX)]
    named = {f"{name}_total" if kind == "counter" else name for name, kind in EXPORTED.items()}
    assert sorted(listed) == sorted(named)
    for name in re.findall(rf"{PREFIX}\w+", page):
        assert name in (*listed, PREFIX, f"{PREFIX}module_"), f"{name} is in a sentence"


def _listed(page: str, prefix: str) -> list[str]:
    """The names in the table whose names all begin with this."""
    table = page.split(f"| metric `{prefix}…` |", 1)[1].split("\n\n", 1)[0]
    return [prefix + name for name in re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)]


def _alerts() -> Sequence[dict[str, Any]]:
    [group] = yaml.safe_load((PAGES / "alerts.yml").read_text())["groups"]
    rules: Sequence[dict[str, Any]] = group["rules"]
    return rules


def test_each_alert_says_what_it_is_and_leads_to_a_section_of_the_page_on_alerts() -> None:
    sections = re.findall(r"^## (\w+)$", (PAGES / "alerts.md").read_text(), re.MULTILINE)
    assert sections == [rule["alert"] for rule in _alerts()]
    for rule in _alerts():
        about = rule["annotations"]
        assert about.keys() == {"summary", "description", "runbook_url"}
        assert about["runbook_url"] == f"alerts.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in ("info", "warning", "critical")


def test_alerts_are_about_metrics_that_there_are() -> None:
    for rule in _alerts():
        named = re.findall(rf"{PREFIX}\w+", rule["expr"])
        assert named
        assert {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in named} <= set(EXPORTED)


def test_the_page_on_monitoring_names_only_loggers_that_there_are() -> None:
    page = (PAGES / "monitoring.md").read_text()
    table = page.split("| logger below `synapse_module_bridge` |", 1)[1].split("\n\n", 1)[0]
    cells = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    named = {name for cell in cells for name in re.findall(r"`(.*?)`", cell)} - {"module.<name>"}
    shim = PAGES.parents[1] / "python-shim" / "synapse_module_bridge"
    pattern = r'getLogger\("synapse_module_bridge\.(\w+)"\)'
    there_are = {name for path in shim.rglob("*.py") for name in re.findall(pattern, path.read_text())}
    assert len(named) > 8
    assert named <= there_are
