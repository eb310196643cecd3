"""What hostile SQL costs the scanner."""

import time
from contextlib import suppress

import pytest
from synapse_module_bridge.storage.sql_scanner import BadStatement, scan

MANY = 100_000


@pytest.mark.parametrize("postgres", [True, False])
@pytest.mark.parametrize(
    "sql",
    [
        "'" * MANY,
        "''" * MANY + "'",
        '"' * (MANY + 1),
        "$a" * MANY,
        "E'a'" + "\n" * MANY,
        "E'a'\n" + "-- a\n" * MANY,
        "E'a' " * MANY,
        "E'" + "\\'" * MANY,
        "/*" * MANY,
        "?," * MANY,
        "a." * MANY,
        "1e+" * MANY,
        "--" * MANY,
    ],
)
def test_hostile_sql_is_read_in_linear_time(sql: str, postgres: bool) -> None:
    def cost(text: str) -> float:
        start = time.thread_time()
        with suppress(BadStatement):
            scan(text, postgres)
        return time.thread_time() - start

    # Of the processor's time, and several times what it takes: were it quadratic, this would take far longer.
    assert cost(sql) < 4
