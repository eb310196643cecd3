"""The page on installing names every table that the bridge makes in Synapse's database."""

import re
from pathlib import Path

from synapse_module_bridge.shared import decision_table, mode_tables, quarantine_ends, statuses
from synapse_module_bridge.storage import store

PAGE = Path(__file__).parents[2] / "docs" / "admin" / "install.md"
MODULES = (decision_table, mode_tables, quarantine_ends, statuses, store)


def test_the_page_on_installing_lists_all_tables_and_no_other() -> None:
    source = "".join(Path(module.__file__).read_text() for module in MODULES if module.__file__)
    made = {
        getattr(module, name)
        for module in MODULES
        for name in re.findall(r"CREATE TABLE IF NOT EXISTS \{(\w+)\}", source)
        if hasattr(module, name)
    }
    listed = set(re.findall(r"`(module_bridge_\w+)`", PAGE.read_text()))
    assert made == listed
    assert len(made) == source.count("CREATE TABLE IF NOT EXISTS")
