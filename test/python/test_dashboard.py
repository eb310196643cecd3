"""The Grafana dashboard against the metrics that there are, both ways."""

import json
import re
from pathlib import Path

from prometheus_client import REGISTRY
from synapse_module_bridge import metrics

PREFIX = "synapse_module_bridge_"
DASHBOARD = Path(__file__).parents[2] / "docs" / "grafana.json"


def test_the_dashboard_shows_every_metric_and_no_other() -> None:
    shown = set(re.findall(rf"{PREFIX}\w+", json.dumps(json.loads(DASHBOARD.read_text())["panels"])))
    shown = {re.sub(r"_(total|bucket)$", "", name) for name in shown}
    exported = {metric.name for metric in REGISTRY.collect() if metric.name.startswith(PREFIX)}
    assert shown == exported
    assert metrics.UP is not None
