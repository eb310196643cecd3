"""Reads an admin's request: which endpoint it is for, its parameters and its body. Raises Refused, with what to do."""

import json
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

import attr
from synapse.api.errors import Codes

from synapse_module_bridge.admin.refused import Refused, not_found, unfit
from synapse_module_bridge.schema.admin import ADMIN_LIMITS, ENDPOINTS, Endpoint, Parameter, fault
from synapse_module_bridge.shared.moments import read_number, read_since

MOST_BODY_BYTES = ADMIN_LIMITS["body_bytes"]
# Ids of the Matrix specification have at most 255 bytes.
MOST_CHARACTERS = 1_000
MOST_PARAMETERS = 50
JSON = b"application/json"


@attr.s(frozen=True, slots=True, auto_attribs=True, kw_only=True)
class Question:
    """A request that fits its endpoint."""

    endpoint: Endpoint
    # The user id.
    admin: str
    # The part of the path that stands in angle brackets; empty where there is none.
    name: str = ""
    query: Mapping[str, Any] = attr.ib(factory=dict)
    body: Mapping[str, Any] = attr.ib(factory=dict)


def find(method: str, parts: Sequence[bytes], served: Collection[str]) -> tuple[Endpoint, str]:
    """The endpoint of a request, out of the names in `served`, and the part of the path that differs."""
    if parts and parts[-1] == b"":
        parts = parts[:-1]
    on_path = [one for one in ENDPOINTS if one.name in served and _fits(one.path, parts)]
    if not on_path:
        paths = sorted({"/".join(one.path) for one in ENDPOINTS if one.name in served})
        raise Refused(404, Codes.UNRECOGNIZED, f"there is no such path: the paths are {', '.join(paths)}")
    # As in Synapse's own admin API.
    method = "GET" if method == "HEAD" else method
    endpoint = next((one for one in on_path if one.method == method), None)
    if endpoint is None:
        allowed = ", ".join(one.method for one in on_path)
        message = f"this path has other methods: {allowed}"
        raise Refused(405, Codes.UNRECOGNIZED, message, {"Allow": allowed})
    return endpoint, _differing(endpoint, parts)


def _fits(path: Sequence[str], parts: Sequence[bytes]) -> bool:
    return len(path) == len(parts) and all(
        part != b"" if one.startswith("<") else one.encode("ascii") == part
        for one, part in zip(path, parts, strict=True)
    )


def _differing(endpoint: Endpoint, parts: Sequence[bytes]) -> str:
    for one, part in zip(endpoint.path, parts, strict=False):
        if one.startswith("<"):
            try:
                return _text(part.decode("utf-8"), one[1:-1])
            except UnicodeDecodeError:
                raise not_found(f"the {one[1:-1]} in the path is no UTF-8") from None
    return ""


def _text(text: str, what: str) -> str:
    if len(text) > MOST_CHARACTERS or "\0" in text:
        raise unfit(f"{what} may have at most {MOST_CHARACTERS} characters, and not U+0000")
    return text


def read_query(endpoint: Endpoint, query: bytes) -> Mapping[str, Any]:
    """The parameters after `?`, in their types, and the defaults of absent ones. An empty one is as good as none."""
    values: dict[str, Any] = {}
    try:
        text = query.decode("ascii")
        given = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
    except ValueError:
        raise unfit("the parameters are no UTF-8 with percent signs, or there are too many") from None
    for name, value in given:
        if name not in endpoint.query:
            names = ", ".join(endpoint.query) or "none"
            raise unfit(f"there is no parameter {name[:50]!r}: the parameters are {names}")
        if name in values:
            raise unfit(f"give {name} once")
        values[name] = None if value == "" else _typed(name, endpoint.query[name], _text(value, name))
    for name, parameter in endpoint.query.items():
        if values.get(name) is None and parameter.default is not None:
            values[name] = _typed(name, parameter, parameter.default)
        elif values.get(name) is None and parameter.required:
            raise unfit(f"the parameter {name} is missing")
    return {name: value for name, value in values.items() if value is not None}


def _typed(name: str, parameter: Parameter, text: str) -> Any:
    if parameter.type == "text":
        # A name where an id belongs would find nothing, and look as if there were nothing.
        if not text.startswith(parameter.begins):
            raise unfit(f"{name} must begin with {parameter.begins}, such as {parameter.example}")
        return text
    if parameter.type not in ("integer", "moment"):
        if (problem := fault(parameter.type, text, name)) is not None:
            raise unfit(problem)
        return text
    if parameter.type == "moment":
        try:
            return read_since(text, _now())
        except ValueError as e:
            raise unfit(str(e)) from None
    if (number := read_number(text)) is None:
        raise unfit(f"{name} must be a whole number")
    return number


def read_body(endpoint: Endpoint, content_type: bytes | None, body: bytes) -> Mapping[str, Any]:
    """The body, which fits the endpoint's definition."""
    if len(body) > MOST_BODY_BYTES:
        raise Refused(413, Codes.TOO_LARGE, f"the body may have at most {MOST_BODY_BYTES} bytes")
    if body and (content_type or b"").partition(b";")[0].strip().lower() != JSON:
        raise Refused(415, Codes.NOT_JSON, "send the body with the header `Content-Type: application/json`")
    value: Mapping[str, Any] = _json(body) if body else {}
    if endpoint.body is None:
        if value != {}:
            raise unfit("this request takes no body")
        return {}
    if (problem := fault(endpoint.body, value)) is not None:
        raise unfit(problem)
    return value


def _json(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Refused(400, Codes.NOT_JSON, "the body is no JSON") from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def _now() -> int:
    return int(time.time() * 1000)
