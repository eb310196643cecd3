"""How transactions are named in Synapse's metrics."""

from synapse_module_bridge.storage.database import MOST_DESCS, Descs


def test_transactions_are_named_as_long_as_there_are_few_names() -> None:
    descs = Descs()
    assert descs.name("no links", "count") == "module_bridge_no_links_count"
    names = {descs.name("m", str(number)) for number in range(2 * MOST_DESCS)}
    assert len(names) == MOST_DESCS and "module_bridge" in names
    assert descs.name("no links", "count") == "module_bridge_no_links_count"
