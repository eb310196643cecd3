"""Anything the host may send: arbitrary bytes, arbitrary JSON, arbitrary answers."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from objects import event
from on_the_way import through_javascript
from synapse.module_api import NOT_SPAM
from synapse.module_api.errors import Codes
from synapse.spam_checker_api import RegistrationBehaviour
from synapse_module_bridge.codec.codec import Unfit, decode_answer
from synapse_module_bridge.codec.merge import Unsafe, merge
from synapse_module_bridge.process.logs import LogRelay
from synapse_module_bridge.schema.catalogue import CALLBACKS, TYPES
from synapse_module_bridge.transport.framing import BrokenStream, FrameReader, decode, encode
from synapse_module_bridge.transport.rpc import ConnectionGone, Rpc, RpcError

RESULTS = sorted({callback.result for callback in CALLBACKS.values()})

fuzz = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
text = st.text(st.characters(codec=None), max_size=20)
numbers = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | text
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)
pieces = st.binary(max_size=30) | st.sampled_from(
    [
        b"Content-Length: ",
        b"\r\n\r\n",
        b"\r\n",
        b"2",
        b"{}",
        b"content-length:0\r\n\r\n",
        b"Content-Length: 2\r\n\r\n{}",
    ]
)


def chunked(data: bytes, sizes: list[int]) -> list[bytes]:
    chunks, at = [], 0
    for size in sizes:
        chunks.append(data[at : at + size])
        at += size
    return [*chunks, data[at:]]


@fuzz
@given(st.lists(values, max_size=5), st.lists(st.integers(0, 40), max_size=30))
def test_valid_frames_are_found_whatever_the_chunks(messages: list[Any], sizes: list[int]) -> None:
    reader = FrameReader()
    stream = b"".join(map(encode, messages))
    found = [decode(body) for chunk in chunked(stream, sizes) for body in reader.feed(chunk)]
    assert repr(found) == repr(messages)


@fuzz
@given(st.lists(pieces, max_size=20))
def test_any_bytes_are_frames_or_a_broken_stream(chunks: list[bytes]) -> None:
    reader = FrameReader()
    taken = 0
    try:
        for chunk in chunks:
            taken += sum(len(body) for body in reader.feed(chunk))
    except BrokenStream:
        return
    assert taken <= sum(map(len, chunks))


@fuzz
@given(st.binary(max_size=200) | values.map(repr).map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(b"\xef\xbb\xbf{}")
@example("{}".encode("utf-16"))
@example(b"[" * 5000)
@example(b"9" * 5000)
def test_any_body_is_json_or_a_value_error(body: bytes) -> None:
    try:
        value = decode(body)
    except ValueError:
        return
    body.decode("utf-8", "strict")
    if "inf" not in repr(value):
        assert repr(decode(encode(value).split(b"\r\n\r\n", 1)[1])) == repr(value)


ids = st.integers(0, 4) | st.booleans() | numbers | text | st.none()
outcomes = st.fixed_dictionaries({}, optional={"result": values, "error": values | st.builds(dict, code=values)})
broken_answers = st.builds(b'{"jsonrpc":"2.0","id":%d,"result":%b'.__mod__, st.tuples(st.integers(0, 4), st.binary()))
requests = st.fixed_dictionaries({}, optional={"method": text | values, "params": values})


messages = values | st.builds(lambda i, o, r: {"id": i, **o, **r}, ids, outcomes, requests)


def frame(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


@fuzz
@given(st.lists(messages.map(encode) | st.binary(max_size=40).map(frame) | broken_answers.map(frame), max_size=8))
def test_any_messages_leave_each_request_settled_at_most_once_and_the_connection_usable(frames: list[bytes]) -> None:
    sent: list[bytes] = []
    fired: dict[int, int] = {}

    def refuse(method: str, params: Any, answer: Any, refuse: Any) -> None:
        assert isinstance(method, str) and isinstance(params, dict)
        refuse(RpcError(-1, "no"))

    rpc = Rpc(sent.append, refuse)
    for number in range(1, 4):
        asking = rpc.request("a", {})
        asking.addErrback(lambda failure: failure.trap(RpcError, ConnectionGone))
        asking.addBoth(partial(_count, fired, number))
    rpc.data_received(encode({}))
    for received in frames:
        rpc.data_received(received)
    rpc.close("over")
    assert fired == {1: 1, 2: 1, 3: 1}


def _count(fired: dict[int, int], number: int, _: Any) -> None:
    fired[number] = fired.get(number, 0) + 1


answers: st.SearchStrategy[Any] = values | st.sampled_from(
    ["NOT_SPAM", "M_FORBIDDEN", "allow", "ALLOW", "deny", True, False, None, "", 0, 1, []]
) | st.tuples(st.sampled_from(["M_FORBIDDEN", "NOT_SPAM", "M_X", 1]), values).map(list) | st.builds(
    lambda key, value: {key: value}, st.sampled_from(["content", "sender", "type", "unsigned", "redacts"]), values
)  # fmt: skip


TAKEN: dict[str, Callable[[Any], bool]] = {
    "ChosenName": lambda decoded: decoded is None or isinstance(decoded, str),
    "Expired": lambda decoded: decoded is None or isinstance(decoded, bool),
    "InterestedUsers": lambda decoded: decoded == "ALL" or isinstance(decoded, set),
    "LegacyAdminResult": lambda decoded: True,
    "MediaConfig": lambda decoded: decoded is None or isinstance(decoded, dict),
    "MediaUploadLimits": lambda decoded: (
        decoded is None or decoded.sort(key=lambda limit: limit.time_period_ms) is None
    ),
    "PresenceRoutes": lambda decoded: all(isinstance(states, set) for states in decoded.values()),
    "RatelimitOverride": lambda decoded: decoded is None or 1 / decoded.per_second > 0,
    "RenewalResult": lambda decoded: isinstance(decoded, tuple) and len(decoded) == 3,
}


def synapse_takes(result: str, decoded: Any) -> bool:
    """Whether it is of the kinds that Synapse's code looks for."""
    if result in ("EventSpamVerdict", "SpamVerdict", "LoginVerdict", "MediaVerdict", "StateEventVerdict"):
        pair = isinstance(decoded, tuple) and isinstance(decoded[0], Codes) and isinstance(decoded[1], dict)
        return isinstance(decoded, str | bool) or (pair and result != "StateEventVerdict")
    if result == "EventAllowedVerdict":
        allowed, replacement = decoded
        return isinstance(allowed, bool) and (replacement is None or (allowed and isinstance(replacement, dict)))
    if result == "RegistrationVerdict":
        return isinstance(decoded, RegistrationBehaviour)
    if result in ("HideVerdict", "Permission", "UploadPermission", "ThreepidPermission"):
        return isinstance(decoded, bool)
    if result in TAKEN:
        return TAKEN[result](decoded)
    if result == "DropVerdict":
        return isinstance(decoded, str | bool)
    if result == "UnsignedFields":
        return isinstance(decoded, dict)
    if result == "BatchSize":
        return decoded is None or (isinstance(decoded, int) and decoded > 0)
    if result in ("Authenticated", "UpdateDuration") and decoded is not None:
        value, follow_up = decoded
        known = isinstance(value, str if result == "Authenticated" else int | None)
        return known and (follow_up is None or follow_up.keys() == {"module", "id"})
    return decoded is None


def synapse_allows(result: str, decoded: Any) -> bool:
    """What Synapse makes of it, as its code compares."""
    if result in ("EventSpamVerdict", "MediaVerdict"):
        return decoded is NOT_SPAM or decoded is False
    if result == "SpamVerdict":
        return decoded is NOT_SPAM or decoded is True
    if result in ("LoginVerdict", "StateEventVerdict"):
        return decoded is NOT_SPAM
    if result == "EventAllowedVerdict":
        return bool(decoded[0]) and decoded[1] is None
    if result == "RegistrationVerdict":
        return decoded is RegistrationBehaviour.ALLOW
    if result == "UpdateDuration":
        return decoded[0] is None
    if result in ("Expired", "MediaUploadLimits", "ChosenName"):
        return decoded is None
    if result in ("LegacyAdminResult", "RenewalResult"):
        # Whatever it is.
        return False
    return bool(decoded) if result.endswith("Permission") else not decoded


@pytest.mark.parametrize("result", RESULTS)
@settings(fuzz, max_examples=150)
@given(answer=answers)
def test_any_answer_is_what_synapse_takes_or_unfit_and_allows_only_if_it_passes(result: str, answer: Any) -> None:
    try:
        decoded = decode_answer(result, answer, {"event": event(), "request_content": {"name": "a"}})
    except Unfit:
        return
    assert synapse_takes(result, decoded)
    passes = any(type(answer) is type(value) and answer == value for value in TYPES[result]["pass"])
    assert synapse_allows(result, decoded) == passes or result == "Edits"


@fuzz
@given(values)
def test_what_a_module_left_alone_is_exactly_what_it_was(value: Any) -> None:
    original = {"a": value}
    try:
        merged = merge(original, through_javascript(original))
    except Unsafe:
        # An element that has not moved is never in doubt.
        raise AssertionError("unsafe, though nothing has changed") from None
    assert repr(merged) == repr(original)


@fuzz
@given(st.dictionaries(text, values, max_size=4), st.dictionaries(text, values, max_size=4))
def test_what_a_module_changed_is_taken_and_the_rest_is_exactly_what_it_was(
    original: dict[str, Any], changes: dict[str, Any]
) -> None:
    try:
        merged = merge(original, through_javascript({**original, **changes}))
    except Unsafe:
        return
    assert merged.keys() == {**original, **changes}.keys()
    for key in original.keys() - changes.keys():
        assert repr(merged[key]) == repr(original[key])


@settings(fuzz, max_examples=60)
@given(st.lists(st.binary(max_size=60) | values.map(lambda v: encode({"level": 30, "msg": v, "err": v})), max_size=6))
@example([b'{"level":30,"msg":"\\ud800\\u009b\\u2028"}\n'])
@example([b"[" * 50_000 + b"\n"])
def test_any_log_becomes_records_of_one_line(caplog: pytest.LogCaptureFixture, chunks: list[bytes]) -> None:
    caplog.clear()
    relay = LogRelay()
    with caplog.at_level(logging.DEBUG):
        for chunk in chunks:
            relay.received(chunk)
            relay.received_records(b'{"log":' + chunk + b"}\n")
        relay.ended(1, 2)
    for record in caplog.records:
        first, *more = record.getMessage().encode("utf-8").decode().split("\n")
        assert not any(character < " " and character != "\t" for character in first)
        assert all(line.startswith("  | ") for line in more)
