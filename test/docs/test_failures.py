"""The table of failure policies in docs/admin/failures.md against the catalogue."""

import re
from pathlib import Path

from synapse_module_bridge.schema.catalogue import CALLBACKS

PAGE = (Path(__file__).parents[2] / "docs" / "admin" / "failures.md").read_text()


def test_the_page_on_failures_tells_the_default_policy_of_every_callback_once() -> None:
    table = PAGE.split("| without `on_failure` | callbacks |", 1)[1].split("\n\n", 1)[0]
    told = []
    for row in table.strip().splitlines()[1:]:
        _, when, names, _ = row.split("|")
        policy = re.match(r" `(\w+)`", when)
        told += [(name, policy[1] if policy else when.strip()) for name in re.findall(r"`(\w+)`", names)]
    assert sorted(told) == sorted(
        (name, "never waited for" if callback.notify else callback.on_failure["default"])
        for name, callback in CALLBACKS.items()
    )
