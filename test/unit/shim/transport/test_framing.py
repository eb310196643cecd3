"""Framing and JSON."""

import json
import math
import sys
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from immutabledict import immutabledict
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


def test_who_does_not_mind_gets_infinity_as_python_writes_it() -> None:
    assert framing.to_body([math.inf]) == b"[1e400]"
    assert encode(["Infinity", math.inf], exact=False).endswith(b'\r\n\r\n["Infinity",Infinity]')


@pytest.mark.parametrize("frozen", [MappingProxyType({"a": 1}), immutabledict({"a": 1})])
@pytest.mark.parametrize("text", ["", "Infinity", "\ud800"])
def test_a_frozen_content_is_written_as_if_it_were_not(frozen: Any, text: str) -> None:
    assert body_of([frozen, text]) == body_of([{"a": 1}, text])


def test_what_does_not_fit_into_a_frame_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TooLarge):
        encode(["x" * (MAX_FRAME_BYTES // 2)] * 2)
    monkeypatch.setattr(framing, "MAX_FRAME_BYTES", 10)
    assert body_of("x" * 8) == b'"xxxxxxxx"'
    with pytest.raises(TooLarge, match="has 11 bytes; at most 10 are sent"):
        encode("x" * 9)


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
    with pytest.raises(ValueError, match=r"cannot be written as JSON: (set|object) has no form in JSON"):
        encode(value)


@pytest.mark.parametrize("body", [b"NaN", b"{", b"", b"\xff", b'{"a":Infinity}', b"[" * 100_000])
def test_a_body_that_is_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):
        decode(body)


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_no_json_is_named(constant: str) -> None:
    with pytest.raises(ValueError, match=f"^{constant} is not JSON"):
        decode(f'["\\ud800", {constant}]'.encode())


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


@pytest.mark.parametrize("header", [b"CONTENT-LENGTH:2", b"X: y\r\nContent-Length:  2 ", b"content-length: 2\r\nX: y"])
def test_a_header_may_have_any_form_that_the_protocol_allows(header: bytes) -> None:
    assert list(FrameReader().feed((header + b"\r\n\r\n42") * 3)) == [b"42"] * 3


def test_a_header_of_another_form_may_have_a_long_body() -> None:
    body = b"x" * (2 * framing.MAX_HEADER_BYTES)
    stream = (b"content-length: %d\r\n\r\n%s" % (len(body), body)) * 3
    assert list(FrameReader().feed(stream)) == [body] * 3


def test_it_is_told_how_much_of_a_frame_is_still_to_come() -> None:
    reader = FrameReader()
    told = [reader.missing_bytes]
    for chunk in (b"Content-Le", b"ngth: 5\r\n\r\n", b"12", b"345", b"Content-Length: 4\r\n\r\n1"):
        list(reader.feed(chunk))
        told.append(reader.missing_bytes)
    assert told == [0, 0, 5, 3, 0, 3]


FRAME = b"Content-Length: 2\r\n\r\n42"


@pytest.mark.parametrize(
    ("stream", "problem"),
    [
        (b"Content-Length: -1\r\n\r\n", "a header without one valid Content-Length: b'Content-Length: -1'"),
        (b"Content-Length: NaN\r\n\r\n", "a header without one valid Content-Length: b'Content-Length: NaN'"),
        (b"X: 1\r\n\r\n42\r\n", "a header without one valid Content-Length: b'X: 1'"),
        (b"\r\n\r\n" + b"x" * 2_000, "a header without one valid Content-Length: b''"),
        (b"x" * 200 + b"\r\n\r\n", f"a header without one valid Content-Length: b'{'x' * 100}'"),
        (b"Content-Length: 1\r\nContent-Length: 1\r\n\r\n", "a header without one valid Content-Length: b'Cont"),
        (b"Content-Length: 1\r\nContent-Length: x\r\n\r\n", "a header without one valid Content-Length: b'Cont"),
        (
            b"Content-Length: %d\r\n\r\n" % (MAX_FRAME_BYTES + 1),
            f"a frame of {MAX_FRAME_BYTES + 1} bytes; at most {MAX_FRAME_BYTES} are taken",
        ),
        (FRAME + b"a stray line\n" * 200, "no header in 2600 bytes"),
    ],
)
def test_a_stream_that_has_lost_its_frames_is_noticed(stream: bytes, problem: str) -> None:
    with pytest.raises(BrokenStream) as raised:
        list(FrameReader().feed(stream))
    assert str(raised.value).startswith(problem)


def test_the_largest_frame_and_the_longest_header_are_taken_and_one_byte_more_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    longest = b"content-length: 10\r\n" + b"x" * 30
    monkeypatch.setattr(framing, "MAX_FRAME_BYTES", 10)
    monkeypatch.setattr(framing, "MAX_HEADER_BYTES", len(longest))
    for end in (b"\r\n\r\n", b""):
        stream = FRAME + longest + end
        assert list(FrameReader().feed(stream)) == [b"42"]
        with pytest.raises(BrokenStream, match="no header in"):
            list(FrameReader().feed(FRAME + longest + b"x" + end))
    assert list(FrameReader().feed(longest + b"\r\n\r\n0123456789")) == [b"0123456789"]
