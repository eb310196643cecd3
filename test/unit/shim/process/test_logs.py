"""What a host says beside the wire, as records of Python's logging, and as why it has ended."""

import json
import logging
import signal
from functools import partial

import pytest
from counted import count
from synapse_module_bridge.process.logs import LogRelay
from synapse_module_bridge.telemetry import log_rate
from synapse_module_bridge.telemetry.lines import MAX_LINE_BYTES

HOST = "synapse_module_bridge.host"
M = "synapse_module_bridge.module.m"
PID = 4711


def line(kind: str, **fields: object) -> bytes:
    return json.dumps({kind: fields}).encode() + b"\n"


def pino(**fields: object) -> bytes:
    return line("log", **fields)


def relayed(caplog: pytest.LogCaptureFixture, *chunks: bytes, code: int = 0, to: str = "received_records") -> LogRelay:
    """Of a host that has written these records, and ended."""
    relay = LogRelay()
    with caplog.at_level(logging.DEBUG):
        for chunk in chunks:
            getattr(relay, to)(chunk)
        relay.ended(code, PID)
    return relay


# The same of one that has written texts to standard error.
printed = partial(relayed, to="received")


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (10, logging.DEBUG),
        (20, logging.DEBUG),
        (30, logging.INFO),
        (40, logging.WARNING),
        (50, logging.ERROR),
        (60, logging.CRITICAL),
        (61, logging.CRITICAL),
        ("high", logging.INFO),
        (None, logging.INFO),
    ],
)
def test_a_record_keeps_its_level_module_and_fields(
    caplog: pytest.LogCaptureFixture, level: object, expected: int
) -> None:
    relayed(caplog, pino(level=level, time=1, module="m", msg="hello", count=3))
    assert caplog.record_tuples == [(M, expected, 'hello {"count": 3}')]


def test_lines_are_put_together_from_chunks_of_any_size(caplog: pytest.LogCaptureFixture) -> None:
    stream = pino(level=30, msg="one") + pino(level=30, msg="two") + b"\n" + pino(level=30, msg="three").rstrip()
    relayed(caplog, *(stream[at : at + 1] for at in range(len(stream))))
    assert caplog.messages == ["one", "two", "three"]


def test_a_record_is_shown_under_its_request(caplog: pytest.LogCaptureFixture) -> None:
    relayed(caplog, pino(level=30, msg="x", request="PUT-7"), line("printed", module="m", request="PUT-8", text="y"))
    assert [record.__dict__["request"] for record in caplog.records] == ["PUT-7", "PUT-8"]


def test_what_a_module_prints_is_information_under_its_name_whatever_the_text(caplog: pytest.LogCaptureFixture) -> None:
    posing = '{"level":60,"module":"no-links","msg":"x","host_ends":"out of memory"}'
    relay = relayed(caplog, line("printed", module="m", request=None, text=posing), code=-signal.SIGABRT)
    assert caplog.record_tuples == [(M, logging.INFO, posing)]
    assert (relay.cause, relay.culprit) == (None, None)


def test_what_comes_on_standard_error_is_information_of_nobody_whatever_the_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ends = line("ends", cause="out of memory", module="no-links", code=1)
    posing = [pino(level=60, module="no-links", msg="x"), ends, line("dropped", module="no-links", lines=5)]
    relay = printed(caplog, *posing, code=1)
    assert caplog.record_tuples == [(HOST, logging.INFO, text.decode().strip()) for text in posing]
    assert (relay.cause, relay.culprit) == (None, None)


def test_fields_that_a_module_adds_cannot_replace_what_the_host_has_said(caplog: pytest.LogCaptureFixture) -> None:
    content = b'"level":60,"module":"no-links","request":"PUT-2","ends":{"cause":"x"},"msg":"hello"}}\n'
    relay = relayed(caplog, b'{"log":{"level":30,"time":1,"module":"m","request":"PUT-1",' + content)
    [record] = caplog.records
    assert (record.name, record.levelno, record.__dict__["request"]) == (M, logging.INFO, "PUT-1")
    assert record.getMessage().startswith("hello ") and "no-links" in record.getMessage()
    assert relay.cause is None


def test_a_text_cannot_pass_for_a_record_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    forged = "x\n2026-01-01 00:00:00,000 CRITICAL\r\x1b[31m\u2028"
    error = {"stack": "Error: a\n    at f\r\n2026-01-01 forged"}
    printed_too = line("printed", module="m", request=None, text=forged)
    relayed(caplog, pino(level=30, msg=forged, module="m"), pino(level=50, msg="y", err=error), printed_too)
    for message in caplog.messages:
        assert "\r" not in message and "\x1b" not in message and "\u2028" not in message
        assert all(line.startswith("  | ") for line in message.split("\n")[1:])


def test_a_line_without_end_is_cut_and_the_next_is_whole(caplog: pytest.LogCaptureFixture) -> None:
    printed(caplog, b"a" * (MAX_LINE_BYTES + 10), b"a" * 1000, b"\nnext\n")
    assert list(map(len, caplog.messages)) == [MAX_LINE_BYTES, len("next")]


def test_a_record_that_is_cut_or_too_deep_keeps_its_level_module_and_request(caplog: pytest.LogCaptureFixture) -> None:
    head = b'{"log":{"level":50,"time":1,"module":"m","request":"PUT-1","msg":"'
    deep = head + b'hello","deep":' + b"[" * 5_000 + b"]" * 5_000 + b"}}\n"
    relayed(caplog, head + b"x" * MAX_LINE_BYTES + b'"}}\n', deep, b'{"log":{"level":20,"time":1,"module":"m",\n')
    for record in caplog.records[:2]:
        assert (record.name, record.levelno, record.__dict__["request"]) == (M, logging.ERROR, "PUT-1")
        assert len(record.getMessage()) <= 2 * log_rate.MOST_LINES
    assert caplog.records[2].levelno == logging.DEBUG


@pytest.mark.parametrize("depth", [200, 900, 981, 985, 990, 995, 1_000, 20_000])
def test_no_nesting_ends_the_relay(caplog: pytest.LogCaptureFixture, depth: int) -> None:
    nested = b'{"log":{"level":30,"time":1,"module":"m","deep":' + b"[" * depth + b"]" * depth + b',"msg":"deep"}}\n'
    relay = relayed(caplog, nested, pino(level=30, msg="next"), line("ends", cause="a", module="m", code=1), code=1)
    assert (caplog.records[0].name, caplog.messages[-1]) == (M, "next")
    assert "deep" in caplog.messages[0]
    assert relay.cause == "a, in m"


@pytest.mark.parametrize(
    "data",
    [
        *(b"\xff\xfe\x00", b"{", b"[]", b"12", b'{"log":5}', b'{"log":{}}', b'{"a":{},"b":{}}', b"1" * 6_000),
        *(b'{"log":{"level":true,"msg":{"a":1},"err":5}}', b'{"printed":{}}', b'{"printed":{"text":[1],"module":5}}'),
    ],
)
def test_any_record_becomes_one_line(caplog: pytest.LogCaptureFixture, data: bytes) -> None:
    relayed(caplog, data + b"\n")
    assert len(caplog.records) == 1


@pytest.mark.parametrize("data", [b'{"dropped":{"lines":"x"}}', b'{"dropped":{"lines":-3}}', b'{"dropped":{}}'])
def test_a_count_that_is_none_counts_nothing(caplog: pytest.LogCaptureFixture, data: bytes) -> None:
    before = count("log_lines_dropped_total")
    relayed(caplog, data + b"\n", pino(level=30, msg="next"))
    assert caplog.messages[-1] == "next"
    assert count("log_lines_dropped_total") == before


# --- how much is taken


def test_a_flood_of_one_module_is_counted_and_told_and_takes_nothing_from_another(
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = count("log_lines_dropped_total")
    flood = pino(level=30, module="m", msg="x") * (log_rate.MOST_LINES + 500)
    relayed(caplog, flood, pino(level=50, module="other", msg="heard"))
    assert ("synapse_module_bridge.module.other", logging.ERROR, "heard") in caplog.record_tuples
    assert caplog.messages.count("x") == log_rate.MOST_LINES
    [(name, level, message)] = [told for told in caplog.record_tuples if "dropped" in told[2]]
    assert (name, level) == (M, logging.WARNING) and message.startswith("500 lines")
    assert count("log_lines_dropped_total") == before + 500


def test_what_was_dropped_is_told_though_nothing_more_is_said(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = LogRelay()
    with caplog.at_level(logging.INFO):
        relay.received_records(pino(level=30, module="m", msg="x") * (log_rate.MOST_LINES + 1))
        relay.turn()
        assert not any("dropped" in message for message in caplog.messages)
        monkeypatch.setattr(log_rate, "RATE_SECONDS", 0.0)
        relay.turn()
        relay.turn()
    assert len([message for message in caplog.messages if "dropped" in message]) == 1


def test_what_the_host_has_dropped_is_counted_and_told(caplog: pytest.LogCaptureFixture) -> None:
    before = count("log_lines_dropped_total")
    relayed(caplog, line("dropped", module="m", lines=366), line("dropped", module=None, lines=1))
    assert count("log_lines_dropped_total") == before + 367
    assert [(name, message.split(" ")[0]) for name, _, message in caplog.record_tuples] == [(M, "366"), (HOST, "1")]


def test_records_that_are_off_use_up_nothing(caplog: pytest.LogCaptureFixture) -> None:
    before = count("log_lines_dropped_total")
    relay = LogRelay()
    with caplog.at_level(logging.INFO):
        relay.received_records(pino(level=20, module="m", msg="x") * (log_rate.MOST_LINES + 1))
        relay.received_records(pino(level=30, module="m", msg="heard"))
        relay.ended(0, PID)
    assert caplog.messages == ["heard"]
    assert count("log_lines_dropped_total") == before


def test_a_record_that_is_cut_is_off_where_its_level_is(caplog: pytest.LogCaptureFixture) -> None:
    relay = LogRelay()
    with caplog.at_level(logging.INFO):
        for level in (20, 30):
            head = b'{"log":{"level":%d,"time":1,"module":"m","msg":"' % level
            relay.received_records(head + b"x" * MAX_LINE_BYTES + b'"}}\n')
    assert [(name, level) for name, level, _ in caplog.record_tuples] == [(M, logging.INFO)]


# --- why it has ended


def test_the_host_tells_why_it_ends_and_which_module_did_it(caplog: pytest.LogCaptureFixture) -> None:
    relay = relayed(caplog, line("ends", cause="an error was not caught", module="m", code=1), code=1)
    assert (relay.cause, relay.culprit) == ("an error was not caught, in m", "m")
    relay = relayed(caplog, line("ends", cause="the wire is broken", module=None, code=1), code=1)
    assert (relay.cause, relay.culprit) == ("the wire is broken", None)


def test_of_what_it_has_told_what_fits_its_end_counts(caplog: pytest.LogCaptureFixture) -> None:
    told = [
        line("ends", cause="it sent itself SIGTERM", module="a", code=-15),
        line("ends", cause="it called process.exit(3)", module="m", code=3),
        line("ends", cause="it called process.exit(3)", module="b", code=3),
    ]
    relay = relayed(caplog, *told, code=3)
    assert (relay.cause, relay.culprit) == ("it called process.exit(3), in m", "m")
    relay = relayed(caplog, *told, code=-9)
    assert (relay.cause, relay.culprit) == (None, None)


GC = b"[%d:0x3e980ca0]      265 ms: Mark-Compact 22.3 (54.6) -> 20.3 (53.1) MB, 38.25 / 0.00 ms\n"
FULL = b"FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n"


@pytest.mark.parametrize(
    ("said", "code", "cause"),
    [
        (GC % PID + FULL, -signal.SIGABRT, "out of memory"),
        (GC % PID + FULL, -signal.SIGTRAP, "out of memory"),
        (GC % PID + FULL, 1, None),
        (GC % PID + FULL, -signal.SIGKILL, None),
        (GC % (PID + 1) + FULL, -signal.SIGABRT, None),
        (FULL, -signal.SIGABRT, None),
        (b"spam: " + GC % PID + b"spam: " + FULL, -signal.SIGABRT, None),
    ],
)
def test_only_node_itself_tells_of_a_full_heap(
    caplog: pytest.LogCaptureFixture, said: bytes, code: int, cause: str | None
) -> None:
    assert printed(caplog, said, code=code).cause == cause
