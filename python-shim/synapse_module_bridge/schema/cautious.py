"""Checks values that may come from anybody by a JSON Schema: no user decides what such a check costs."""

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft7Validator, ValidationError
from jsonschema.validators import extend


def _has_type(validator: Any, types: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """As jsonschema's own, which writes out what has another type: a user decides how large and deep that is."""
    if not any(validator.is_type(instance, one) for one in ([types] if isinstance(types, str) else types)):
        yield ValidationError("has another type")


CautiousValidator = extend(Draft7Validator, {"type": _has_type})  # type: ignore[no-untyped-call]


def with_definitions(schema: Any, definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema, which may be a reference, that finds what it refers to."""
    # Beside a $ref, draft-07 ignores every other key.
    return {"allOf": [schema], "definitions": definitions}


def is_valid(validator: Any, value: Any) -> bool:
    """False, too, for what is too deep to be told."""
    try:
        return bool(validator.is_valid(value))
    except RecursionError:
        # Where something does not fit, its error may hold it as text.
        return False
