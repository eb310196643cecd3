"""What the shim decides where the authors' kit decides the same in TypeScript, by cases that both read."""

import json
from pathlib import Path
from typing import Any

import pytest
from shim_rules import RULES

SHARED = json.loads((Path(__file__).parents[2] / "shim-rule-cases.json").read_text())


@pytest.mark.parametrize(
    ("rule", "case"), [(rule, case) for rule, cases in SHARED.items() if rule != "about" for case in cases]
)
def test_a_rule(rule: str, case: Any) -> None:
    *arguments, expected = case
    assert RULES[rule](*arguments)["result"] == expected
