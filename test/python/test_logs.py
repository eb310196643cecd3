"""Lines of the host's standard error as records of Python's logging."""

import json
import logging

import pytest
from synapse_module_bridge.blocked import Blocked
from synapse_module_bridge.logs import MAX_LINE_BYTES, LogRelay


def relayed(caplog: pytest.LogCaptureFixture, *chunks: bytes) -> list[tuple[str, int, str]]:
    relay = LogRelay()
    with caplog.at_level(logging.DEBUG):
        for chunk in (*chunks, b""):
            relay.received(chunk)
    return caplog.record_tuples


def pino(**fields: object) -> bytes:
    return json.dumps(fields).encode() + b"\n"


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (10, logging.DEBUG),
        (20, logging.DEBUG),
        (30, logging.INFO),
        (40, logging.WARNING),
        (50, logging.ERROR),
        (60, logging.CRITICAL),
    ],
)
def test_a_record_keeps_its_level_module_and_fields(
    caplog: pytest.LogCaptureFixture, level: int, expected: int
) -> None:
    line = pino(level=level, time=1, module="m", msg="hello", count=3)
    assert relayed(caplog, line) == [("synapse_module_bridge.module.m", expected, 'hello {"count": 3}')]


def test_lines_are_put_together_from_chunks_of_any_size(caplog: pytest.LogCaptureFixture) -> None:
    stream = pino(level=30, msg="one") + b"two\n\nthree"
    records = relayed(caplog, *(stream[at : at + 1] for at in range(len(stream))))
    assert [message for _, _, message in records] == ["one", "two", "three"]


def test_a_record_is_shown_under_its_request(caplog: pytest.LogCaptureFixture) -> None:
    relayed(caplog, pino(level=30, msg="x", request="PUT-7"))
    assert caplog.records[0].__dict__["request"] == "PUT-7"


def test_a_text_cannot_pass_for_a_record_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    forged = "x\n2026-01-01 00:00:00,000 CRITICAL\r\x1b[31m\u2028"
    error = {"stack": "Error: a\n    at f\r\n2026-01-01 forged"}
    for _, _, message in relayed(caplog, pino(level=30, msg=forged, module="m"), pino(level=50, msg="y", err=error)):
        assert "\r" not in message and "\x1b" not in message and "\u2028" not in message
        assert all(line.startswith("  | ") for line in message.split("\n")[1:])


def test_a_line_without_end_is_cut_and_the_next_is_whole(caplog: pytest.LogCaptureFixture) -> None:
    records = relayed(caplog, b"a" * (MAX_LINE_BYTES + 10), b"a" * 1000, b"\nnext\n")
    assert [len(message) for _, _, message in records] == [MAX_LINE_BYTES, len("next")]


@pytest.mark.parametrize("line", [b"\xff\xfe\x00", b"{", b"[]", b'{"level":"high"}', b'{"level":true}', b"12"])
def test_any_bytes_become_one_record(caplog: pytest.LogCaptureFixture, line: bytes) -> None:
    assert len(relayed(caplog, line + b"\n")) == 1


# --- what Node says on being interrupted

INTERRUPTED = b"""KEYBOARD_INTERRUPT: Script execution was interrupted by `SIGINT`
    at Array.sort (<anonymous>)
    at slow (file:///policies/common/sort.ts:3:33)
    at handler (/policies/no-links.ts:10:7)
    at ask (file:///host/cli.mjs:99:1)

"""
# jiti lists for a module all that was loaded from its folder, also before it.
MODULES = [
    {"name": "other", "files": ["/policies/links.ts", "/policies/common/sort.ts"]},
    {"name": "no-links", "files": ["/policies/no-links.ts", "/policies/links.ts", "/policies/common/sort.ts"]},
    {"name": "alone", "files": ["/policies/a b/alone.mjs", "/policies/a b/own.mjs"]},
]


def interrupted(caplog: pytest.LogCaptureFixture, said: bytes) -> LogRelay:
    relay = LogRelay()
    relay.interrupted = Blocked(3.0, MODULES)
    with caplog.at_level(logging.DEBUG):
        relay.received(said)
        relay.ended()
        relay.ended()
    return relay


def test_a_module_that_blocked_the_event_loop_is_named_with_its_stack(caplog: pytest.LogCaptureFixture) -> None:
    relay = interrupted(caplog, INTERRUPTED)
    [(name, level, message)] = caplog.record_tuples
    assert (name, level) == ("synapse_module_bridge.module.no-links", logging.CRITICAL)
    assert message.split("\n") == [
        "no-links has blocked the event loop for 3.0 s: Node is ended",
        "  |     at Array.sort (<anonymous>)",
        "  |     at slow (file:///policies/common/sort.ts:3:33)",
        "  |     at handler (/policies/no-links.ts:10:7)",
        "  |     at ask (file:///host/cli.mjs:99:1)",
    ]
    assert relay.cause == "event loop blocked"


def test_a_file_that_one_module_alone_has_names_it_and_a_shared_one_nobody(caplog: pytest.LogCaptureFixture) -> None:
    own = INTERRUPTED.replace(b"/policies/no-links.ts", b"file:///policies/a%20b/own.mjs")
    interrupted(caplog, own)
    interrupted(caplog, INTERRUPTED.replace(b"/policies/no-links.ts", b"/elsewhere/policies/no-links.ts"))
    assert [name.rpartition(".")[2] for name, _, _ in caplog.record_tuples] == ["alone", "host"]


def test_what_a_module_wrote_before_without_a_line_end_is_kept_apart(caplog: pytest.LogCaptureFixture) -> None:
    relay = interrupted(caplog, b"checking... " + INTERRUPTED)
    first, second = (message for _, _, message in caplog.record_tuples)
    assert first == "checking... " and second.startswith("no-links has blocked")
    assert relay.cause == "event loop blocked"


def test_a_node_that_was_stopped_has_blocked_nothing_though_a_timer_of_its_own_was_due(
    caplog: pytest.LogCaptureFixture,
) -> None:
    first, *_ = INTERRUPTED.splitlines(keepends=True)
    woken = b"    at #tellOfLife (file:///host/cli.mjs:9:1)\n    at processTimers (node:internal/timers:519:7)\n"
    relay = interrupted(caplog, first + woken)
    assert (caplog.record_tuples, relay.cause) == ([], None)


def test_a_stack_without_a_module_names_none(caplog: pytest.LogCaptureFixture) -> None:
    interrupted(caplog, INTERRUPTED.replace(b"no-links", b"unknown"))
    [(name, _, message)] = caplog.record_tuples
    assert name == "synapse_module_bridge.host"
    assert message.startswith("something has blocked the event loop")


def test_a_node_that_was_in_no_code_has_blocked_nothing(caplog: pytest.LogCaptureFixture) -> None:
    relay = interrupted(caplog, INTERRUPTED.splitlines(keepends=True)[0] + b"last words\n")
    assert [message for _, _, message in caplog.record_tuples] == ["last words"]
    assert relay.cause is None


def test_the_same_words_of_a_node_that_was_not_interrupted_are_lines_like_any(
    caplog: pytest.LogCaptureFixture,
) -> None:
    records = relayed(caplog, INTERRUPTED)
    assert len(records) == 5 and {level for _, level, _ in records} == {logging.WARNING}
