"""Tells whether a normalised answer has the shape of its result type, as `schemas/types.json` declares it.

The host has checked it too. But what Synapse makes of a wrong value may be the opposite of what was meant (any list is
true), so that nothing unchecked may reach it.
"""

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from synapse_module_bridge.schema.catalogue import TYPES
from synapse_module_bridge.schema.cautious import CautiousValidator, is_valid, with_definitions

# How an answer travels where that is narrower than what a module may answer.
_NORMALISED: Mapping[str, Any] = {
    "EventAllowedVerdict": {"anyOf": [{"type": "boolean"}, {"$ref": "#/definitions/EventReplacement"}]},
    "Edits": {"type": ["object", "null"]},
    "Nothing": {"type": "null"},
}

_PASSES: Mapping[str, Sequence[tuple[type, Any]]] = {
    name: [(type(value), value) for value in declared["pass"]] for name, declared in TYPES.items() if "pass" in declared
}


# Python's own encoder, with which Synapse writes, gives up at about twice as many, less what called it.
MOST_LEVELS = 500

# An infinite number in them may be one of the original's, onto which they are put.
_MERGED = ("EventAllowedVerdict", "Edits")


def fits(result: str, answer: Any) -> bool:
    # Most answers pass: they need no walk through a schema.
    if is_pass(result, answer):
        return True
    return is_valid(_validator(result), answer) and (result in _MERGED or is_writable(answer))


def is_writable(value: Any) -> bool:
    """Whether Synapse can write it as JSON: a client's request, or everybody's in a room, would fail with it."""
    left = [(value, 0)]
    while left:
        one, level = left.pop()
        if level > MOST_LEVELS:
            return False
        if isinstance(one, Mapping):
            left += [(item, level + 1) for item in one.values()]
        elif isinstance(one, list):
            left += [(item, level + 1) for item in one]
        elif isinstance(one, float) and math.isinf(one):
            return False
    return True


def is_pass(result: str, answer: Any) -> bool:
    """Whether the answer is one that means "no objection"."""
    # With their types, since True equals 1.
    return (type(answer), answer) in _PASSES[result]


@cache
def _validator(result: str) -> Any:
    schema = _NORMALISED.get(result, {"$ref": f"#/definitions/{result}"})
    return CautiousValidator(with_definitions(schema, _without_codes(TYPES)))


def _without_codes(value: Any) -> Any:
    """The schema with any string for a code: which codes there are, the installed Synapse says."""
    if isinstance(value, Mapping):
        if value.get("$ref") == "codes.json":
            return {"type": "string"}
        return {key: _without_codes(item) for key, item in value.items()}
    return [_without_codes(item) for item in value] if isinstance(value, list) else value
