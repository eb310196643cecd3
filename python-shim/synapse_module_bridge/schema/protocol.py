"""The protocol of shim and host, as `schemas/protocol.json` declares it: nothing of it is written a second time here.

The file is read once, when this module is imported. A name that it lacks fails the import of whoever uses it.
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
ERROR_CODES: Mapping[str, int] = {name: error["code"] for name, error in _declared["errors"].items()}
# How the words begin that tell why a process or a thread has ended, by a short name.
CAUSES: Mapping[str, str] = {name: cause["text"] for name, cause in _declared["causes"].items()}


def _declared_in(part: str, name: str) -> str:
    if name not in _declared[part]:
        raise KeyError(f"protocol.json has no {name} in its {part}")
    return name


def method_name(method: str) -> str:
    """The method of a message. Raises KeyError for one that is not declared."""
    return _declared_in("messages", method)


def method_prefix(beginning: str) -> str:
    """How the methods of a family begin. Raises KeyError for one that is not declared."""
    return method_name(f"{beginning}*").removesuffix("*")


def record_kind(kind: str) -> str:
    """A kind of record. Raises KeyError for one that is not declared."""
    return _declared_in("records", kind)


CALLBACK = method_prefix("callback/")
API = method_prefix("api/")


class Reason(str, Enum):
    """Why policy answers: a label of metrics, and in the log. The file tells what each of them means."""

    BREAKER = "breaker"
    DEADLINE = "deadline"
    DOWN = "down"
    ERROR = "error"
    FAULT = "fault"
    GONE = "gone"
    # With the code of the host's error after it.
    HOST_ERROR = "host error"
    OVERLOAD = "overload"
    PARAMS = "params"
    QUARANTINE = "quarantine"
    QUEUE_FULL = "queue full"
    REPLY = "reply"
    SETUP = "setup"
    TOO_LARGE = "too_large"

    # It is its label, wherever a text is expected.
    __str__ = str.__str__
    __repr__ = str.__repr__


def _is_integer(_: Any, instance: Any) -> bool:
    # To jsonschema, 1.0 is one as well.
    return isinstance(instance, int) and not isinstance(instance, bool)


_Validator = extend(CautiousValidator, type_checker=Draft7Validator.TYPE_CHECKER.redefine("integer", _is_integer))  # type: ignore[no-untyped-call]


@cache
def _validator(name: str) -> Any:
    definitions = _declared["definitions"]
    return _Validator(with_definitions(definitions[name], definitions))


def fits(name: str, value: Any) -> bool:
    """Whether what a host has sent is what the definition of this name says. There may be more keys than it names."""
    return is_valid(_validator(name), value)
