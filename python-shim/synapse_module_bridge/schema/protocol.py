"""Reads the protocol of shim and host from `schemas/protocol.json`: its messages, limits, errors and definitions.

This module reads the file when it is imported. A module that uses an undeclared name cannot be imported.
"""

from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Any

from jsonschema import Draft7Validator
from jsonschema.validators import extend

from synapse_module_bridge.schema.cautious import CautiousValidator, is_valid, with_definitions
from synapse_module_bridge.schema.installed import read_schema

_declared = read_schema("protocol.json")

PROTOCOL: int = _declared["version"]
LIMITS: Mapping[str, int] = {name: limit["value"] for name, limit in _declared["limits"].items()}
# By the names of pino.
LOG_LEVELS: Mapping[str, int] = {name: level["value"] for name, level in _declared["log_levels"].items()}
ERROR_CODES: Mapping[str, int] = {name: error["code"] for name, error in _declared["errors"].items()}
# By a short name, the words with which the cause of a process's or thread's end begins.
CAUSES: Mapping[str, str] = {name: cause["text"] for name, cause in _declared["causes"].items()}


def _declared_in(part: str, name: str) -> str:
    if name not in _declared[part]:
        raise KeyError(f"protocol.json has no {name} in its {part}")
    return name


def method_name(method: str) -> str:
    """The method itself. Raises KeyError where no message is declared by that name."""
    return _declared_in("messages", method)


def method_prefix(beginning: str) -> str:
    """The common beginning of a family of methods. Raises KeyError where the family is not declared."""
    return method_name(f"{beginning}*").removesuffix("*")


def record_kind(kind: str) -> str:
    """The kind itself. Raises KeyError where no kind of record is declared by that name."""
    return _declared_in("records", kind)


CALLBACK = method_prefix("callback/")
API = method_prefix("api/")


class Reason(str, Enum):
    """Why policy answers: a label of metrics, and a word in the log. `protocol.json` says what each one means."""

    BREAKER = "breaker"
    DEADLINE = "deadline"
    DOWN = "down"
    ERROR = "error"
    FAULT = "fault"
    GONE = "gone"
    HOST_ERROR = "host_error"
    OVERLOAD = "overload"
    PARAMS = "params"
    QUARANTINE = "quarantine"
    QUEUE_FULL = "queue_full"
    REPLY = "reply"
    SETUP = "setup"
    TOO_LARGE = "too_large"

    # Formatted as its value, not as `Reason.DOWN`.
    __str__ = str.__str__
    __repr__ = str.__repr__


def _is_integer(_: Any, instance: Any) -> bool:
    # jsonschema takes 1.0 for an integer.
    return isinstance(instance, int) and not isinstance(instance, bool)


_Validator = extend(CautiousValidator, type_checker=Draft7Validator.TYPE_CHECKER.redefine("integer", _is_integer))  # type: ignore[no-untyped-call]


@cache
def _validator(name: str) -> Any:
    definitions = _declared["definitions"]
    return _Validator(with_definitions(definitions[name], definitions))


def fits(name: str, value: Any) -> bool:
    """Whether a value from the host fits the definition of this name. Objects may have more keys than it declares."""
    return is_valid(_validator(name), value)
