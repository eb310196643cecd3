"""What Node says on being interrupted: which module had blocked its event loop, and where."""

import logging
import signal

import pytest
from synapse_module_bridge.process.logs import LogRelay
from synapse_module_bridge.process.stall_trace import StallTrace

HOST = "synapse_module_bridge.host"
M = "synapse_module_bridge.module.m"
PID = 4711
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
    {"name": "old", "files": ["/policies (old)/old.ts"]},
    {"name": "once", "files": ["/policies/twice.ts"]},
    {"name": "again", "files": ["/policies/twice.ts"]},
]


def interrupted(caplog: pytest.LogCaptureFixture, said: bytes, code: int = -signal.SIGINT) -> LogRelay:
    relay = LogRelay()
    relay.interrupted = StallTrace(3.0, MODULES)
    with caplog.at_level(logging.DEBUG):
        relay.received(said)
        relay.ended(code, PID)
        relay.ended(code, PID)
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
    assert (relay.cause, relay.culprit) == ("event loop blocked", "no-links")


def test_a_file_that_one_module_alone_has_names_it_and_a_shared_one_nobody(caplog: pytest.LogCaptureFixture) -> None:
    own = INTERRUPTED.replace(b"/policies/no-links.ts", b"file:///policies/a%20b/own.mjs")
    interrupted(caplog, own)
    interrupted(caplog, INTERRUPTED.replace(b"/policies/no-links.ts", b"/policies (old)/old.ts"))
    interrupted(caplog, INTERRUPTED.replace(b"/policies/no-links.ts", b"/elsewhere/policies/no-links.ts"))
    interrupted(caplog, INTERRUPTED.replace(b"/policies/no-links.ts", b"/policies/twice.ts"))
    assert [name.rpartition(".")[2] for name, _, _ in caplog.record_tuples] == ["alone", "old", "host", "host"]


def test_what_a_module_wrote_before_without_a_line_end_is_kept_apart(caplog: pytest.LogCaptureFixture) -> None:
    relay = interrupted(caplog, b"checking... " + INTERRUPTED)
    first, second = caplog.messages
    assert first == "checking... " and second.startswith("no-links has blocked")
    assert relay.cause == "event loop blocked"


def test_what_somebody_wrote_before_in_the_same_words_blames_nobody(caplog: pytest.LogCaptureFixture) -> None:
    posing = INTERRUPTED.replace(b"no-links", b"a b/alone").replace(b".ts", b".mjs")
    assert interrupted(caplog, posing + INTERRUPTED).culprit == "no-links"


def test_a_node_that_was_stopped_has_blocked_nothing_though_a_timer_of_its_own_was_due(
    caplog: pytest.LogCaptureFixture,
) -> None:
    first, *_ = INTERRUPTED.splitlines(keepends=True)
    woken = b"    at #tellOfLife (file:///host/cli.mjs:9:1)\n    at processTimers (node:internal/timers:519:7)\n"
    relay = interrupted(caplog, first + woken)
    assert (caplog.record_tuples, relay.cause) == ([], None)


def test_a_stack_without_a_module_names_none(caplog: pytest.LogCaptureFixture) -> None:
    relay = interrupted(caplog, INTERRUPTED.replace(b"no-links", b"unknown"))
    [(name, _, message)] = caplog.record_tuples
    assert (name, relay.culprit) == (HOST, None)
    assert message.startswith("something has blocked the event loop")


def test_a_node_that_was_in_no_code_has_blocked_nothing(caplog: pytest.LogCaptureFixture) -> None:
    relay = interrupted(caplog, INTERRUPTED.splitlines(keepends=True)[0] + b"last words\n")
    assert caplog.messages == ["last words"]
    assert relay.cause is None


@pytest.mark.parametrize("code", [0, 1, -signal.SIGKILL, -signal.SIGABRT])
def test_the_same_words_of_a_node_that_died_of_something_else_are_lines_like_any(
    caplog: pytest.LogCaptureFixture, code: int
) -> None:
    relay = interrupted(caplog, INTERRUPTED, code)
    assert caplog.messages == INTERRUPTED.decode().strip().split("\n")
    assert (relay.cause, relay.culprit) == (None, None)


def test_the_same_words_of_a_node_that_was_not_interrupted_are_lines_like_any(caplog: pytest.LogCaptureFixture) -> None:
    relay = LogRelay()
    with caplog.at_level(logging.DEBUG):
        relay.received(INTERRUPTED)
        relay.ended(-signal.SIGINT, PID)
    assert len(caplog.records) == 5 and {record.levelno for record in caplog.records} == {logging.INFO}
    assert (relay.cause, relay.culprit) == (None, None)
