"""Validates untrusted values by a JSON Schema, at a cost that the value's sender does not control."""

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft7Validator, ValidationError
from jsonschema.validators import extend


def _has_type(validator: Any, types: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """As jsonschema's own keyword `type`, whose message has the whole value, however large and deep that is."""
    if not any(validator.is_type(instance, one) for one in ([types] if isinstance(types, str) else types)):
        yield ValidationError("has another type")


CautiousValidator = extend(Draft7Validator, {"type": _has_type})  # type: ignore[no-untyped-call]


def with_definitions(schema: Any, definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema, together with the definitions to which its references lead."""
    # Draft-07 ignores every key beside a $ref, so the definitions cannot stand there.
    return {"allOf": [schema], "definitions": definitions}


def is_valid(validator: Any, value: Any) -> bool:
    """Whether the value fits. False also where it is nested too deeply to be checked."""
    try:
        return bool(validator.is_valid(value))
    except RecursionError:
        # The error about a value that does not fit may contain the value as text.
        return False
