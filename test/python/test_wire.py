"""Framing and JSON."""

import pytest
from synapse_module_bridge.wire import MAX_FRAME_BYTES, BrokenStream, FrameReader, decode, encode


def body_of(value: object) -> bytes:
    return encode(value).split(b"\r\n\r\n", 1)[1]


@pytest.mark.parametrize(
    "value",
    [
        2**53 + 1,
        -(2**70),
        1.0,
        1e300,
        "lone \ud800 surrogate",
        {"__proto__": {"a": 1}},
        "é\u2028\x00",
        "the words NaN and Infinity",
        [[[]]],
        {"a": None},
    ],
)
def test_json_survives_exactly(value: object) -> None:
    assert repr(decode(body_of(value))) == repr(value)


@pytest.mark.parametrize("value", [{"a": {1, 2}}, {"a": {1: object()}}, object()])
def test_what_is_no_json_is_refused(value: object) -> None:
    if value == {"a": {1, 2}}:
        # A set travels as a list.
        assert sorted(decode(body_of(value))["a"]) == [1, 2]
        return
    with pytest.raises(ValueError):
        encode(value)


@pytest.mark.parametrize("body", [b"NaN", b"{", b"", b"\xff", b'{"a":Infinity}', b"[" * 100_000])
def test_a_body_that_is_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):
        decode(body)


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_frames_are_found_in_chunks_of_any_size(size: int) -> None:
    stream = encode({"a": 1}) + encode("é" * 300) + b"content-length: 2\r\nX-Other: y\r\n\r\n42"
    reader = FrameReader()
    bodies = [body for at in range(0, len(stream), size) for body in reader.feed(stream[at : at + size])]
    assert [decode(body) for body in bodies] == [{"a": 1}, "é" * 300, 42]


@pytest.mark.parametrize(
    "stream",
    [
        b"Content-Length: -1\r\n\r\n",
        b"Content-Length: NaN\r\n\r\n",
        b"X: 1\r\n\r\n",
        b"Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
        b"Content-Length: 1\r\nContent-Length: x\r\n\r\n",
        b"Content-Length: %d\r\n\r\n" % (MAX_FRAME_BYTES + 1),
        b"a stray line\n" * 200,
    ],
)
def test_a_stream_that_has_lost_its_frames_is_noticed(stream: bytes) -> None:
    with pytest.raises(BrokenStream):
        list(FrameReader().feed(stream))
