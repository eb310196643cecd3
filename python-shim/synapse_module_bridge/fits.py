"""Tells whether a normalised answer has the shape of its result type, as `schemas/types.json` declares it.

The host has checked it too. But what Synapse makes of a wrong value may be the opposite of what was meant (any list is
true), so that nothing unchecked may reach it.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from jsonschema import Draft7Validator

from synapse_module_bridge.catalogue import TYPES

# How an answer travels where that is narrower than what a module may answer.
_NORMALISED: Mapping[str, Any] = {
    "EventAllowedVerdict": {"anyOf": [{"type": "boolean"}, {"$ref": "#/definitions/EventReplacement"}]},
    "Edits": {"type": ["object", "null"]},
    "Nothing": {"type": "null"},
}

_PASSES: Mapping[str, Sequence[tuple[type, Any]]] = {
    name: [(type(value), value) for value in declared["pass"]] for name, declared in TYPES.items() if "pass" in declared
}


def fits(result: str, answer: Any) -> bool:
    # Most answers pass: they need no walk through a schema.
    return is_pass(result, answer) or bool(_validator(result).is_valid(answer))


def is_pass(result: str, answer: Any) -> bool:
    """Whether the answer is one that means "no objection"."""
    # With their types, since True equals 1.
    return (type(answer), answer) in _PASSES[result]


@cache
def _validator(result: str) -> Draft7Validator:
    schema = _NORMALISED.get(result, {"$ref": f"#/definitions/{result}"})
    # Beside a $ref, draft-07 ignores every other key.
    return Draft7Validator({"allOf": [schema], "definitions": _without_codes(TYPES)})


def _without_codes(value: Any) -> Any:
    """The schema with any string for a code: which codes there are, the installed Synapse says."""
    if isinstance(value, Mapping):
        if value.get("$ref") == "codes.json":
            return {"type": "string"}
        return {key: _without_codes(item) for key, item in value.items()}
    return [_without_codes(item) for item in value] if isinstance(value, list) else value
