"""Reads the bridge's metrics."""

from prometheus_client import REGISTRY


def count(metric: str, **labels: str) -> float:
    """The sum of a metric's samples that have these labels."""
    return sum(
        sample.value
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.name == f"synapse_module_bridge_{metric}"
        and all(sample.labels.get(key) == value for key, value in labels.items())
    )
