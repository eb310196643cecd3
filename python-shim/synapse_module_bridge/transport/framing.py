"""Converts messages to frames and back: JSON after a Content-Length header. Does no I/O, and trusts no input."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic_core import from_json, to_json

from synapse_module_bridge.schema.protocol import LIMITS
from synapse_module_bridge.transport import deep_json

# A larger frame breaks the stream.
MAX_FRAME_BYTES = LIMITS["frame_bytes"]
# A header is little more than "Content-Length: " and a number.
MAX_HEADER_BYTES = LIMITS["header_bytes"]
_HEADER_END = b"\r\n\r\n"
# The header as the host writes it, and the field in any other form that the protocol allows.
_OWN_HEADER = re.compile(rb"Content-Length: ([0-9]{1,15})\r\n\r\n")
_LENGTH = re.compile(rb"(?:\A|\r\n)content-length: *([0-9]+) *(?=\r\n|\Z)", re.IGNORECASE)

# JSON has no Infinity, but Python writes it. NaN stays as it is: no user can write it, and the host refuses only that
# message.
_STRING_OR_INFINITY = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|-?Infinity')
_NOT_FINITE = re.compile(rb"-?Infinity|NaN")
_INFINITIES = {b"Infinity": b"1e400", b"-Infinity": b"-1e400"}


class TooLarge(ValueError):
    """The message does not fit into a frame."""


class BrokenStream(Exception):
    """The bytes are not a sequence of frames: what follows cannot be read."""


def encode(message: Any, *, exact: bool = True) -> bytes:
    """The message as one frame. Raises ValueError where it has no form in JSON, and TooLarge, which is one.

    `exact` is as in `to_body`.
    """
    body = to_body(message, exact=exact)
    if len(body) > MAX_FRAME_BYTES:
        raise TooLarge(f"has {len(body)} bytes; at most {MAX_FRAME_BYTES} are sent")
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def to_body(message: Any, *, exact: bool = True) -> bytes:
    """The message as JSON in UTF-8. Raises ValueError where it has no form in JSON.

    Without `exact`, it may hold Infinity as Python writes it: to search for that takes a tenth of the time.
    """
    try:
        body: bytes = to_json(message, fallback=_thaw)
    except ValueError:
        # It refuses lone surrogates, which UTF-8 lacks, and more than 255 levels of nesting.
        return _slow_json(message)
    if exact and b"Infinity" in body:
        # Nearly always it is a word of a text. Then both are the same.
        nulls = to_json(message, fallback=_thaw, inf_nan_mode="null")
        if nulls != body:
            body = _with_infinities(body, nulls)
    return body


def _with_infinities(body: bytes, nulls: bytes) -> bytes:
    """`body` with its infinite numbers as JSON has them. `nulls` is the same message with null in their places.

    A look at each text of a large message would take many times as long as writing it.
    """
    parts: list[bytes] = []
    taken = behind = 0
    for found in _NOT_FINITE.finditer(body):
        start = found.start()
        if nulls.startswith(b"null", start - behind):
            parts += body[taken:start], _INFINITIES.get(found[0], found[0])
            taken = found.end()
            behind += len(found[0]) - len(b"null")
    return b"".join([*parts, body[taken:]])


def _slow_json(value: Any) -> bytes:
    try:
        text, is_finite = _dumps(value, allow_nan=False), True
    except (ValueError, RecursionError):
        text, is_finite = _any_json(value), False
    # A lone surrogate becomes an escape sequence of JSON.
    body = text.encode("utf-8", "backslashreplace")
    return body if is_finite or b"Infinity" not in body else _STRING_OR_INFINITY.sub(_as_json, body)


def _any_json(value: Any) -> str:
    try:
        return _dumps(value, allow_nan=True)
    except RecursionError:
        return deep_json.write(value)


def _dumps(value: Any, *, allow_nan: bool) -> str:
    try:
        return json.dumps(value, separators=(",", ":"), default=_thaw, ensure_ascii=False, allow_nan=allow_nan)
    except TypeError as e:
        raise ValueError(f"cannot be written as JSON: {e}") from e


def _thaw(value: Any) -> Any:
    """For values of other types: older releases of Synapse freeze an event's content into an immutabledict."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _as_json(found: re.Match[bytes]) -> bytes:
    """JavaScript reads 1e400 as Infinity; it is also what a user has written to make Python read Infinity."""
    return _INFINITIES.get(found[0], found[0])


def decode(body: bytes | bytearray) -> Any:
    """The value of a frame's body. Raises ValueError where it is not JSON in UTF-8."""
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError:
        pass
    # pydantic_core refuses lone surrogates, and nesting that Python's own parser accepts. That gets a text, since it
    # would accept bytes in other encodings than UTF-8.
    text = body.decode("utf-8")
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        return deep_json.read(text)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


class FrameReader:
    """Splits a stream into the bodies of its frames."""

    def __init__(self) -> None:
        # The beginning of a frame whose rest is still to come.
        self._buffer = bytearray()
        self._length: int | None = None
        # How much of the present frame is still to come; 0 while its header is not known.
        self.missing_bytes = 0

    def feed(self, data: bytes) -> Iterator[bytes | bytearray]:
        """Takes a chunk, and yields the bodies of the frames that it completes. Raises BrokenStream."""
        buffer: bytes | bytearray = data
        if self._buffer:
            buffer = self._buffer
            buffer += data
        taken, length = 0, self._length
        try:
            while True:
                if length is None:
                    if taken == len(buffer):
                        return
                    header = _OWN_HEADER.match(buffer, taken)
                    if header is not None:
                        taken, told = header.end(), int(header[1])
                    else:
                        end = _end_of_header(buffer, taken)
                        if end is None:
                            return
                        taken, told = end, _parse_length(bytes(buffer[taken : end - len(_HEADER_END)]))
                    if told > MAX_FRAME_BYTES:
                        raise BrokenStream(f"a frame of {told} bytes; at most {MAX_FRAME_BYTES} are taken")
                    length = told
                end = taken + length
                if len(buffer) < end:
                    return
                body = buffer[taken:end]
                taken, length = end, None
                yield body
        finally:
            if buffer is data:
                self._buffer += data[taken:]
            else:
                # Once for all frames, since each deletion moves the rest to the front.
                del self._buffer[:taken]
            self._length = length
            self.missing_bytes = 0 if length is None else length - len(self._buffer)


def _end_of_header(buffer: bytes | bytearray, start: int) -> int | None:
    """Where the header ends; None where the buffer does not have all of it. Raises BrokenStream."""
    end = buffer.find(_HEADER_END, start)
    if (len(buffer) if end < 0 else end) - start > MAX_HEADER_BYTES:
        raise BrokenStream(f"no header in {len(buffer) - start} bytes")
    return None if end < 0 else end + len(_HEADER_END)


def _parse_length(header: bytes) -> int:
    lengths = _LENGTH.findall(header)
    if len(lengths) != 1 or header.lower().count(b"content-length") != 1:
        raise BrokenStream(f"a header without one valid Content-Length: {header[:100]!r}")
    return int(lengths[0])
