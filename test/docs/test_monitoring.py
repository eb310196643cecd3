"""The Grafana dashboard and the page on monitoring against the metrics that there are, both ways."""

import json
import re
from pathlib import Path

from prometheus_client import REGISTRY
from synapse_module_bridge.telemetry import metrics

PREFIX = "synapse_module_bridge_"
PAGES = Path(__file__).parents[2] / "docs" / "admin"
EXPORTED = {metric.name: metric.type for metric in REGISTRY.collect() if metric.name.startswith(PREFIX)}


def test_the_dashboard_shows_every_metric_and_no_other() -> None:
    panels = json.loads((PAGES / "grafana.json").read_text())["panels"]
    shown = set(re.findall(rf"{PREFIX}\w+", json.dumps(panels)))
    assert {re.sub(r"_(total|bucket)$", "", name) for name in shown} == set(EXPORTED)
    assert metrics.UP is not None


def test_the_page_on_monitoring_lists_every_metric_and_no_other() -> None:
    page = (PAGES / "monitoring.md").read_text()
    table = page.split(f"| metric `{PREFIX}…` |", 1)[1].split("\n\n", 1)[0]
    listed = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    named = {f"{name}_total" if kind == "counter" else name for name, kind in EXPORTED.items()}
    assert sorted(PREFIX + name for name in listed) == sorted(named)
    for name in re.findall(rf"{PREFIX}(\w+)", page):
        assert name in listed, f"{name} is in a rule or a sentence"
