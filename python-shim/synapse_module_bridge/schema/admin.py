"""Reads the admin API from `schemas/admin.json`: its path, its limits, its endpoints, and what is sent to them."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import attr
from jsonschema import ValidationError
from jsonschema.exceptions import best_match

from synapse_module_bridge.schema.cautious import CautiousValidator, with_definitions
from synapse_module_bridge.schema.installed import read_schema

_declared = read_schema("admin.json")

# All endpoints are below it.
ADMIN_PATH: str = _declared["path"]
ADMIN_LIMITS: Mapping[str, int] = {name: limit["value"] for name, limit in _declared["limits"].items()}


@attr.s(frozen=True, slots=True, auto_attribs=True, kw_only=True)
class Parameter:
    """What may follow `?` in a request."""

    # text, integer, or moment: milliseconds since the epoch, or a duration back from now. Other names are definitions.
    type: str
    required: bool
    # As a request would have it; None where there is none.
    default: str | None
    # How every value begins, and one of them.
    begins: str
    example: str


@attr.s(frozen=True, slots=True, auto_attribs=True, kw_only=True)
class Endpoint:
    """One method of one path."""

    name: str
    method: str
    # Its parts below the API's own path. One in angle brackets stands for what differs.
    path: tuple[str, ...]
    query: Mapping[str, Parameter]
    # The definition of what is sent; None where nothing is.
    body: str | None


ENDPOINTS: Sequence[Endpoint] = [
    Endpoint(
        name=name,
        method=declared["method"],
        path=tuple(declared["path"].split("/")),
        query={
            key: Parameter(
                type=parameter.get("type", "text"),
                required=parameter.get("required", False),
                default=parameter.get("default"),
                begins=parameter.get("begins", ""),
                example=parameter["example"],
            )
            for key, parameter in declared.get("query", {}).items()
        },
        body=declared.get("body"),
    )
    for name, declared in _declared["endpoints"].items()
]


@cache
def _validator(name: str) -> Any:
    definitions = _declared["definitions"]
    return CautiousValidator(with_definitions(definitions[name], definitions))


def fault(name: str, value: Any, what: str = "the body") -> str | None:
    """In words, what does not fit the definition of this name; None where all fits. `what` names the value."""
    found = best_match(_validator(name).iter_errors(value))
    return None if found is None else _in_words(found, what)


def is_readable(name: str, value: Any) -> bool:
    """Whether it fits the definition of this name, but for keys that only a newer version of the bridge knows."""
    return all(error.validator == "additionalProperties" for error in _validator(name).iter_errors(value))


def _in_words(found: ValidationError, what: str) -> str:
    """jsonschema's own messages may contain the whole value."""
    schema: Any = found.schema
    place = ".".join(map(str, found.absolute_path)) or what
    if found.validator == "additionalProperties":
        return f"{place} may have only the keys {', '.join(schema['properties'])}"
    if found.validator == "required":
        return f"{place} must have the keys {', '.join(schema['required'])}"
    if found.validator == "enum":
        return f"{place} must be one of {', '.join(map(str, schema['enum']))}"
    if found.validator == "type":
        types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        return f"{place} must be {' or '.join(types)}"
    return f"{place} does not fit: {found.validator} {found.validator_value!r:.100}"
