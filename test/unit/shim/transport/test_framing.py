"""Framing and JSON."""

import json
import math
import sys
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from synapse_module_bridge.transport import deep_json, framing
from synapse_module_bridge.transport.framing import MAX_FRAME_BYTES, BrokenStream, FrameReader, TooLarge, decode, encode


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
        {"words": 'NaN \\" Infinity', "number": math.inf, "-Infinity": [-math.inf, "\ud800"]},
        -0.0,
        10**400,
        {"é\ud800": "é" * 70_000},
        {"__proto__": 1, "constructor": 2, "toJSON": 3},
    ],
)
def test_json_survives_exactly(value: object) -> None:
    assert repr(decode(body_of(value))) == repr(value)


def deep(depth: int) -> dict[str, Any]:
    value: Any = [1.0, "\ud800", None, True, math.inf, {}, []]
    for level in range(depth):
        value = {f"k{level}": value, "b": 'a "quoted" Infinity'} if level % 2 else [value, -level]
    return {"x": value}


@pytest.mark.parametrize("depth", [150, 254, 700, 990, 5_000, 100_000])
def test_json_of_any_depth_survives(depth: int) -> None:
    value, back = deep(depth), decode(body_of(deep(depth)))
    # Neither their comparison nor their repr goes so deep.
    left: list[tuple[Any, Any]] = [(value, back)]
    while left:
        before, after = left.pop()
        assert type(before) is type(after)
        if isinstance(before, dict):
            assert list(before) == list(after)
            left += zip(before.values(), after.values(), strict=True)
        elif isinstance(before, list):
            left += zip(before, after, strict=True)
        else:
            assert repr(before) == repr(after)


@pytest.mark.parametrize(
    ("value", "body"),
    [
        (["Infinity", "NaN -Infinity", math.inf], b'["Infinity","NaN -Infinity",1e400]'),
        ([math.nan, "NaN", -math.inf, "-Infinity"], b'[NaN,"NaN",-1e400,"-Infinity"]'),
        (
            {"Infinity": math.inf, "a": [-math.inf, "x-Infinity", math.inf]},
            b'{"Infinity":1e400,"a":[-1e400,"x-Infinity",1e400]}',
        ),
        (["null", math.inf, "null"], b'["null",1e400,"null"]'),
        ([",Infinity,", [math.inf], ":-Infinity}"], b'[",Infinity,",[1e400],":-Infinity}"]'),
        (["\ud800", "Infinity", math.inf], rb'["\ud800","Infinity",1e400]'),
    ],
)
def test_a_number_is_told_from_a_text_that_looks_like_it(value: Any, body: bytes) -> None:
    assert body_of(value) == body


def test_a_text_that_looks_like_a_number_costs_no_look_at_all_other_texts() -> None:
    members = [{"content": {"displayname": f"name {number}", "membership": "join"}} for number in range(20_000)]
    called = 0

    def count(*_: object) -> None:
        nonlocal called
        called += 1

    sys.setprofile(count)
    body_of([*members, "Infinity"])
    sys.setprofile(None)
    assert called < 100


def test_infinity_travels_as_javascript_reads_it() -> None:
    assert body_of([math.inf, -math.inf, "Infinity", {"-Infinity": 1}]) == b'[1e400,-1e400,"Infinity",{"-Infinity":1}]'


def test_a_lone_surrogate_makes_a_body_no_larger_than_it_must() -> None:
    assert len(body_of("é" * 1000 + "\ud800")) == 2000 + len('"\\ud800"')


def test_what_does_not_fit_into_a_frame_is_told_apart() -> None:
    with pytest.raises(TooLarge):
        encode(["x" * (MAX_FRAME_BYTES // 2)] * 2)


def test_a_value_that_holds_itself_is_refused() -> None:
    value: list[Any] = []
    for _ in range(2_000):
        value = [value]
    innermost = value
    while innermost[0]:
        innermost = innermost[0]
    innermost.append(value)
    for write in (encode, deep_json.write):
        with pytest.raises(ValueError):
            write(value)


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


def read_by(parse: Any, text: str) -> str:
    try:
        return repr(parse(text))
    except ValueError:
        return "no JSON"


pieces = st.sampled_from(
    [*'[]{},:" \n', "1", "-0.5e1", "01", "1e400", "true", "null", '"a"', "NaN", "-", "\ud800", "\\u00e9"]
)


@given(st.lists(pieces, max_size=12).map("".join))
@example('{"a":[1,2,{"b":null}],"a":[]} ')
@example("[1,]")
@example('{"a":1,}')
@example("[]]")
@example("1 2")
def test_the_reader_for_any_depth_reads_what_pythons_own_does(text: str) -> None:
    own = json.JSONDecoder(parse_constant=framing._refuse_constant)
    assert read_by(deep_json.read, text) == read_by(own.decode, text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    )
)
def test_the_writer_for_any_depth_writes_what_pythons_own_does(value: Any) -> None:
    assert deep_json.write(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":"))


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
