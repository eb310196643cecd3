"""The numbers that the pages and the hover texts tell, against the constants that they are about."""

import re
from pathlib import Path
from typing import Any

import pytest
from synapse_module_bridge.calls import membership_lock
from synapse_module_bridge.configuration import config
from synapse_module_bridge.pipeline import notifications
from synapse_module_bridge.quarantine import quarantine, suspects, web_paths
from synapse_module_bridge.resilience import answer_cache, backpressure, circuit_breaker, web_load
from synapse_module_bridge.schema.protocol import LIMITS
from synapse_module_bridge.shared import decision_writer, shadow_reports
from synapse_module_bridge.storage import sqlite_guard, statements, store, transactions
from synapse_module_bridge.supervision import backoff, grace_period, supervisor
from synapse_module_bridge.synapse_hooks import advice

ROOT = Path(__file__).parents[2]
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
# Longer ones first.
UNITS = {"s": ((60.0, "min"), (1.0, "s"), (0.001, "ms")), "B": ((2**20, "MiB"), (2**10, "KiB"), (1, "bytes"))}


def told(value: float, unit: str) -> str:
    """As the pages write it: `1.5 s`, `10 MiB`."""
    size, name = next((size, name) for size, name in UNITS[unit] if value >= size)
    return f"{round(value / size, 6):,g} {name}"


def limit(name: str) -> str:
    """A limit of the protocol, as the pages write it."""
    if name.endswith("_ms"):
        return told(LIMITS[name] / 1000, "s")
    return told(LIMITS[name], "B") if name.endswith("_bytes") else f"{LIMITS[name]:,}"


def word(value: float) -> str:
    return WORDS[int(value)]


def minutes(seconds: float) -> str:
    return f"{word(seconds / 60)} minutes"


FAILURES = "docs/admin/failures.md"
STORAGE = "docs/author/storage.md"
CONFIGURATION = "docs/admin/configuration.md"
DECISIONS = "docs/admin/decisions.md"
SETTINGS = "schemas/config.schema.json"
DEFINE = "bridge/sdk/define.ts"
ENTRIES = "bridge/sdk/entries.ts"
LOCAL, FEDERATED = config.DEFAULT_TIMEOUT.local // 1000, config.DEFAULT_TIMEOUT.federated // 1000
START = f"{LIMITS['start_timeout_ms'] // 1000}s"
LIKE, TRIM, SNIPPET = (sqlite_guard.MOST_LENGTH_WITH[name] for name in ("like", "trim", "snippet"))

KEPT = told(answer_cache.MOST_ANSWER_BYTES, "B")
# Four characters of base64 are three bytes.
SNAPSHOT = told(LIMITS["snapshot_characters"] * 3 / 4, "B")

STOPPING = told(2 * supervisor.DRAIN_SECONDS + supervisor.CLOSE_SECONDS, "s")

TOLD: list[tuple[str, Any]] = [
    ("docs/admin/operations.md", f"and modules close, for at most {STOPPING}"),
    (DEFINE, f"at the end of a test. It has {word(LIMITS['close_ms'] / 1000)} seconds"),
    ("docs/author/modules.md", f"It gets `data` and `log`, and has {word(LIMITS['close_ms'] / 1000)} seconds"),
    (ENTRIES, f"`text` is shortened to {limit('reason_characters')} characters"),
    (ENTRIES, f"their JSON has more than {limit('reason_details_characters')} characters"),
    (FAILURES, f"at first after 1 s, later after at most 1 min. One attempt has {limit('setup_attempt_ms')}"),
    (FAILURES, f"but for at least {limit('interrupt_early_ms')}; or for {limit('interrupt_after_ms')}, whether"),
    (FAILURES, f"such as `execSync`, for {limit('kill_after_ms')} longer"),
    (FAILURES, f"After {word(circuit_breaker.MISSES_TO_OPEN)} misses in a row"),
    (FAILURES, f"One call is let through after {told(circuit_breaker.FIRST_PROBE_SECONDS, 's')}"),
    (FAILURES, f"pauses that double up to {told(circuit_breaker.LONGEST_PROBE_SECONDS, 's')}"),
    (FAILURES, f"which grow up to {backoff.LONGEST_PAUSE_SECONDS:g} s"),
    (FAILURES, f"During the first {told(grace_period.HOLD_SECONDS, 's')} of an outage"),
    (FAILURES, f"A quarantine lasts {minutes(quarantine.FIRST_SECONDS)}"),
    (FAILURES, f"within {minutes(web_paths.WITHIN_SECONDS)}, for which nobody else was found"),
    (FAILURES, f"gets a 503 for {minutes(web_paths.REFUSED_SECONDS)}"),
    (FAILURES, f"answered in the {word(suspects.RECENT_SECONDS)} seconds before"),
    (FAILURES, f"blocks it for {limit('thread_blocked_ms')} (in shadow mode {limit('interrupt_after_ms')})"),
    (FAILURES, f"Node works on {limit('requests_at_once')} calls at once"),
    (FAILURES, f"{backpressure.MOST_IN_FLIGHT - backpressure.MOST_FEDERATED} of these places are for calls of local"),
    (FAILURES, f"two lines of {backpressure.MOST_WAITING:,} each"),
    (FAILURES, f"A call of more than {limit('frame_bytes')} is refused"),
    (FAILURES, f"The queue holds {notifications.MOST_QUEUED:,} notifications"),
    (FAILURES, f"and at most {told(notifications.MOST_QUEUED_BYTES, 'B')}"),
    (FAILURES, f"Packages are included, up to {SNAPSHOT} compressed"),
    ("docs/internals/glossary.md", f"The first {word(grace_period.HOLD_SECONDS)} seconds of an outage"),
    (CONFIGURATION, f"`{{ local: {LOCAL}s, federated: {FEDERATED}s }}`"),
    (CONFIGURATION, f"timeout: {{ local: {LOCAL}s, federated: {FEDERATED}s }}"),
    (CONFIGURATION, f"| `{START}` | how long Node may take"),
    (CONFIGURATION, f"has {limit('setup_attempt_ms')} for each attempt"),
    (CONFIGURATION, f"A duration below {advice.LEAST_MS} ms"),
    (CONFIGURATION, f"at least `{config.LEAST_MEMORY_MB}M`"),
    ("docs/admin/monitoring.md", f"write {limit('log_lines')} lines in {limit('log_window_ms')}"),
    ("docs/author/matching-and-caching.md", f"keeps at most {answer_cache.MOST_REMEMBERED:,} answers of {KEPT}."),
    ("docs/author/modules.md", f"It has {limit('setup_attempt_ms')}; then"),
    ("docs/author/modules.md", f"if {limit('broadcasts_waiting')} are waiting for the module already"),
    ("docs/author/modules.md", f"are at most {limit('broadcast_bytes')} of JSON"),
    ("docs/author/modules.md", f"may send {limit('broadcasts_a_minute')} in a minute"),
    ("docs/author/modules.md", f"has not ended after {limit('broadcast_ms')} is logged"),
    (DEFINE, f"waits for its promise, for up to {limit('broadcast_ms')}"),
    ("schemas/api.json", f"at most {limit('broadcast_bytes')} of JSON"),
    ("docs/author/modules.md", f"After {word(membership_lock.PATIENCE_SECONDS)} second, or half of the time"),
    ("docs/author/web-resources.md", f"a body may have {limit('body_bytes')} in each direction"),
    (
        "docs/author/web-resources.md",
        f"serves {web_load.MOST_AT_ONCE} requests, or {told(web_load.MOST_BYTES_AT_ONCE, 'B')}",
    ),
    ("docs/author/web-resources.md", f"one visitor has at most {limit('body_bytes')}"),
    ("docs/author/web-resources.md", f"within {minutes(web_paths.WITHIN_SECONDS)}"),
    ("docs/author/web-resources.md", f"not served for {minutes(web_paths.REFUSED_SECONDS)}"),
    (DECISIONS, f"at most {decision_writer.MOST_A_SECOND} new rows in a second"),
    (DECISIONS, f"One user gets at most {decision_writer.MOST_OF_A_USER_A_SECOND},"),
    (DECISIONS, f"other server {decision_writer.MOST_OF_A_SERVER_A_SECOND} together"),
    (DECISIONS, f"after {decision_writer.MOST_UNWRITTEN:,}"),
    (DECISIONS, f"not known after {word(decision_writer.WAIT_SECONDS)} seconds"),
    (DECISIONS, f"the newest {shadow_reports.MOST_READ:,} objections"),
    (DECISIONS, f"up to {limit('reason_details_characters')} characters are kept"),
    (DECISIONS, f"{config.KEPT_BY_DEFAULT.keep_ms // 86_400_000} days unless you set it"),
    (
        CONFIGURATION,
        f"{{ keep: {config.KEPT_BY_DEFAULT.keep_ms // 86_400_000}d, limit: {config.KEPT_BY_DEFAULT.limit} }}",
    ),
    (STORAGE, f"JSON of at most {told(store.MOST_VALUE_BYTES, 'B')}"),
    (STORAGE, f"strings of 1 to {store.MOST_KEY_BYTES} bytes"),
    (STORAGE, f"gives {store.LISTED} entries, or `limit`, which may be up to {store.MOST_LISTED}"),
    (STORAGE, f"**After {limit('transaction_statements_ms')}** they are rolled back"),
    (STORAGE, f"longer than {limit('transaction_statements_ms')} in spite of that"),
    (STORAGE, f"**after {limit('transaction_function_ms')}**"),
    (STORAGE, f"Others wait for at most {told(transactions.WAIT_SECONDS, 's')}"),
    (STORAGE, f"may have {statements.MOST_ROWS:,} rows and {told(statements.MOST_BYTES, 'B')}"),
    (STORAGE, f"| a string or a blob | {told(sqlite_guard.MOST_LENGTH, 'B')} |"),
    (STORAGE, f"or `highlight` | {told(LIKE, 'B')} |"),
    (STORAGE, f"`ltrim` or `rtrim` | {told(TRIM, 'B')} |"),
    (STORAGE, f"`unhex` or `snippet` | {told(SNIPPET, 'B')} |"),
    (STORAGE, f"| {sqlite_guard.MOST_PATTERN:,} bytes |"),
    (SETTINGS, f"Default: {START}."),
    (SETTINGS, f"Default: {LOCAL}s local, {FEDERATED}s federated."),
    (ENTRIES, f"For `setup`: after {limit('setup_attempt_ms')}."),
    (DEFINE, f"It has {limit('setup_attempt_ms')}; if"),
    (ENTRIES, f"by default {LOCAL} s for local calls and {FEDERATED} s for federated ones"),
    (DEFINE, f"The request's body has at most {limit('body_bytes')}"),
    ("bridge/sdk/storage-types.ts", f"for which they have {limit('transaction_statements_ms')}"),
    ("bridge/sdk/storage-types.ts", f"takes longer than {limit('transaction_function_ms')}"),
    ("schemas/types.json", f"with a body of at most {limit('callback_body_bytes')}"),
]


@pytest.mark.parametrize(("page", "words"), TOLD)
def test_a_number_on_a_page_is_the_one_in_the_code(page: str, words: str) -> None:
    text = re.sub(r"\s+(\* )?", " ", (ROOT / page).read_text())
    assert words in text
