"""The scanner reads SQL as PostgreSQL does: what it takes for one statement is one there, with the same parameters."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from postgres_wire import PostgresParser
from synapse_module_bridge.storage.sql_scanner import BadStatement, scan

# What texts are made of: all that a scanner can misunderstand, in pieces.
PIECES = st.sampled_from(
    [
        *(
            "'",
            "''",
            '"',
            '""',
            "\\",
            "\\'",
            "E'",
            "e'",
            "U&'",
            'U&"',
            "N'",
            "B'",
            "x'",
            "$$",
            "$a$",
            "$A$",
            "$a",
            "$1",
            "$",
        ),
        *("/*", "*/", "/", "*", "--", "-", "\n", "\r", "\t", " ", "\v", "\f", "\u00a0", "\ufeff", "\u0085", "é", "☃"),
        *(";", ",", "(", ")", "+", "|", "@", "?", "?", ".", ":", "::", "[", "]", "%", "%s", "{"),
        *("a", "E", "_", "1", "0x", "1e", "1e5", "e5", "1_0", "select", "SELECT", "commit", "COMMIT", "1", "AS"),
    ]
)
MIXED = st.lists(PIECES, max_size=25).map("".join)
INSIDE = st.lists(PIECES, max_size=4).map("".join)
IN_COMMENT = INSIDE.map(lambda text: text.replace("*", "").replace("/", ""))

# What is whole, with anything inside.
SPACE = st.one_of(
    st.sampled_from([" ", "\n", "\t ", "\r"]),
    INSIDE.map(lambda text: f"--{text.translate(dict.fromkeys((10, 13)))}\n"),
    IN_COMMENT.map(lambda text: f"/*{text}**/"),
    IN_COMMENT.map(lambda text: f"/*/{text}/*{text}*/ {text}*/"),
)
TEXT = st.one_of(
    INSIDE.map(lambda text: "'" + text.replace("'", "''") + "'"),
    INSIDE.map(lambda text: "E'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"),
    INSIDE.map(lambda text: "E'a' -- '\n'" + text.replace("\\", "\\\\").replace("'", "''") + "'"),
    INSIDE.map(lambda text: f"$${text.replace('$', '')}$$"),
    INSIDE.map(lambda text: f"$é1${text.replace('$', '')} $1$ $é1$"),
)
VALUE = st.one_of(
    st.sampled_from(["1", "1.5", ".5", "1e5", "NULL", "true", "(SELECT 1)", "ARRAY[1]", "-1", "1+1", "'a'\n'b'"]),
    *(TEXT, st.sampled_from(["?", "(?)", "-?", "ARRAY[?,?]"])),
)
NAME = st.one_of(
    st.sampled_from(["a", "a$b$", "é", "_1", "commit"]),
    INSIDE.map(lambda text: '"a' + text.replace('"', '""') + '"'),
)
SELECT = st.lists(st.tuples(SPACE, VALUE, SPACE, NAME), min_size=1, max_size=4).map(
    lambda items: "SELECT" + ",".join(f" {before}{value}{after} AS {name}" for before, value, after, name in items)
)
STATEMENT = st.one_of(SELECT, st.sampled_from(["COMMIT", "SELECT ?"]))
LIKELY = st.lists(st.one_of(STATEMENT, SPACE), min_size=1, max_size=4).flatmap(
    lambda parts: st.sampled_from(["", ";", " ; ", ";;"]).map(lambda between: between.join(parts))
)


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresParser]:
    parser = PostgresParser()
    yield parser
    parser.close()


@settings(max_examples=4000, deadline=None, suppress_health_check=list(HealthCheck))
@given(sql=st.one_of(MIXED, LIKELY, SELECT))
def test_what_passes_is_one_statement_for_postgresql(postgres: PostgresParser, sql: str) -> None:
    try:
        found = scan(sql, postgres=True)
    except BadStatement as e:
        event(f"refused: {str(e)[:20]}")
        # It may be stricter only where it says so.
        if "ends within" in str(e):
            assert postgres.read(sql.replace("?", "1")).sqlstate is not None
        return
    numbered, shift = sql, 0
    for number, at in enumerate(found.parameters, 1):
        parameter = f"${number}::int"
        numbered = numbered[: at + shift] + parameter + numbered[at + shift + 1 :]
        shift += len(parameter) - 1
    read = postgres.read(numbered)
    assert not read.is_several or found.statements > 1
    if read.sqlstate is not None:
        event("no SQL for PostgreSQL" if read.sqlstate == "42601" and not read.is_several else "several")
        return
    event(f"read, {read.parameters} parameters")
    assert found.statements <= 1
    assert read.parameters == len(found.parameters)
    assert read.has_rows == (found.words[:1] == ("select",))
