"""Checks that a normalised answer fits its wire type, as `schemas/types.json` declares it.

The host checks it too, but is not trusted: Synapse may take a wrong value for the opposite of what was meant, as any
list is true.
"""

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from synapse_module_bridge.schema.catalogue import TYPES
from synapse_module_bridge.schema.cautious import CautiousValidator, is_valid, with_definitions

# Normalised answers, where the host narrows down what a module may answer.
_NORMALISED: Mapping[str, Any] = {
    "EventAllowedVerdict": {"anyOf": [{"type": "boolean"}, {"$ref": "#/definitions/EventReplacement"}]},
    "Edits": {"type": ["object", "null"]},
    "Nothing": {"type": "null"},
}

# By wire type: the answers that mean "no objection", with their Python types, since True equals 1.
_PASSES: Mapping[str, Sequence[tuple[type, Any]]] = {
    name: [(type(value), value) for value in declared["pass"]] for name, declared in TYPES.items() if "pass" in declared
}


# Synapse writes JSON with Python's encoder, which gives up at about twice as many levels, less those of its callers.
MOST_LEVELS = 500

# These are merged onto an original, from which an infinite number in them may come.
_MERGED = ("EventAllowedVerdict", "Edits")


def fits(result: str, answer: Any) -> bool:
    """Whether a normalised answer fits the wire type `result`, and Synapse can write it as JSON."""
    # Most answers are pass values, which need no validation.
    if is_pass(result, answer):
        return True
    return is_valid(_validator(result), answer) and (result in _MERGED or is_writable(answer))


def is_writable(value: Any) -> bool:
    """Whether Synapse can write the value as JSON. Otherwise requests fail that contain it, such as each /sync."""
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
    """Whether the answer is a pass value of this wire type: one that means "no objection"."""
    return (type(answer), answer) in _PASSES[result]


@cache
def _validator(result: str) -> Any:
    schema = _NORMALISED.get(result, {"$ref": f"#/definitions/{result}"})
    return CautiousValidator(with_definitions(schema, _without_codes(TYPES)))


def _without_codes(value: Any) -> Any:
    """The schema, with any string as a code: the installed Synapse may have codes that the catalogue lacks."""
    if isinstance(value, Mapping):
        if value.get("$ref") == "codes.json":
            return {"type": "string"}
        return {key: _without_codes(item) for key, item in value.items()}
    return [_without_codes(item) for item in value] if isinstance(value, list) else value
