"""README's table of failure policies against the catalogue."""

import re
from pathlib import Path

from synapse_module_bridge.catalogue import CALLBACKS

README = (Path(__file__).parents[2] / "README.md").read_text()


def test_readme_tells_the_default_policy_of_every_callback() -> None:
    table = README.split("| without `on_failure` | callbacks |", 1)[1].split("\n\n", 1)[0]
    told = {}
    for row in table.strip().splitlines()[1:]:
        _, policy, names, _ = row.split("|")
        told.update({name: policy.strip(" `") for name in re.findall(r"`(\w+)`", names)})
    assert told == {
        name: "never waited for" if callback.notify else callback.on_failure["default"]
        for name, callback in CALLBACKS.items()
    }
