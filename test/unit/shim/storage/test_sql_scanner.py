"""Where the scanner sees statements, words and parameters in SQL, for each database."""

import pytest
from synapse_module_bridge.storage.sql_scanner import BadStatement, scan

POSTGRES, SQLITE = True, False
BOTH = (POSTGRES, SQLITE)


@pytest.mark.parametrize("postgres", BOTH)
@pytest.mark.parametrize(
    ("sql", "parameters"),
    [
        ("SELECT ?, '?', \"?\", ? -- ?\n, ?", 3),
        ("SELECT ? /* ? */, ?", 2),
        ("SELECT 'it''s ?', ?", 1),
        ('SELECT "a""?" , ?', 1),
        ("SELECT (?)", 1),
        ("?", 1),
        ("SELECT a.*, ?||'%' FROM a WHERE b=? AND c IN (?,?)", 4),
        ("SELECT -?, (?)::text", 2),
        ("SELECT 1.5e-3+?", 1),
        ("SELECT E, '\\', ?", 1),
        ("-- ?", 0),
    ],
)
def test_a_question_mark_is_a_parameter_unless_it_is_text(sql: str, parameters: int, postgres: bool) -> None:
    found = scan(sql, postgres)
    assert len(found.parameters) == parameters
    assert [at for at, _ in found.marks] == [at for at, character in enumerate(sql) if character == "?"]


@pytest.mark.parametrize(
    ("sql", "on_postgres", "on_sqlite"),
    [
        # A text with escapes, and how it goes on after a line break.
        (r"SELECT E'\'?', ?", 1, None),
        (r"SELECT e'a\\', ?", 1, 1),
        ("SELECT E'a'\n'\\'?', ?", 1, None),
        ("SELECT E'a' -- it's\n -- on\n'\\'?', ?", 1, None),
        ("SELECT E'a' '\\', ?", 1, 1),
        ("SELECT E'a''\\'?', ?", 1, None),
        ("SELECT someE'\\', ?", 1, 1),
        ("SELECT U&'\\', N'\\', B'', ?", 1, 1),
        # Dollar quotes.
        ("SELECT $$?$$, ?", 1, None),
        ("SELECT $$a$$, ?, $$b$$", 1, 1),
        ("SELECT $a$?$$?$b$?$a$, ?", 1, None),
        ("SELECT $ä1$?$ä1$, ?", 1, None),
        ("SELECT a$b$, ?, c$b$", 1, 1),
        ("SELECT $1$, ? $1$", None, None),
        ("SELECT $ a$, ?", 1, 1),
        # Nested comments.
        ("SELECT /* /* ? */ ? */ ?", 1, 2),
        ("SELECT /* /* ? */ ?", None, 1),
        ("SELECT /*/ ? */ ?", 1, 1),
        ("SELECT /**/ ?", 1, 1),
        ("SELECT --\r?", 1, 0),
        # Names in quotes of other databases.
        ("SELECT `?`, ?", None, 1),
        ("SELECT [?], ?", 2, 1),
        ("SELECT [a[?], ?", 2, 1),
    ],
)
def test_each_database_is_read_by_its_own_rules(sql: str, on_postgres: int | None, on_sqlite: int | None) -> None:
    for postgres, expected in ((POSTGRES, on_postgres), (SQLITE, on_sqlite)):
        if expected is None:
            with pytest.raises(BadStatement):
                scan(sql, postgres)
        else:
            assert (postgres, len(scan(sql, postgres).parameters)) == (postgres, expected)


@pytest.mark.parametrize("postgres", BOTH)
@pytest.mark.parametrize(
    ("sql", "statements", "words"),
    [
        ("", 0, ()),
        (" \t\n\r\f\v", 0, ()),
        (";;", 0, ()),
        ("-- ;\n/* x */", 0, ()),
        ("SELECT 1;", 1, ("select",)),
        (';Select "a b" ; -- it\'s\n', 1, ("select",)),
        ("INSERT INTO a DEFAULT VALUES; COMMIT", 2, ("insert", "into", "a", "default", "values", "commit")),
        ("SELECT ';' ; ;'x'", 2, ("select",)),
        ("SELECT 1; ?", 2, ("select",)),
        ("SELECT 1; 2", 2, ("select",)),
        ("SELECT 1; +", 2, ("select",)),
        ("(SELECT a1_$)", 1, ("select", "a1_$")),
        ("\ufeffCOMMIT", 1, ("\ufeffcommit",)),
        ("COMMIT\u00a0WORK", 1, ("commit\u00a0work",)),
        ("SELECT 1--;\n;COMMIT", 2, ("select", "commit")),
        ("SELECT 1+/*;*/1", 1, ("select",)),
    ],
)
def test_statements_are_counted(sql: str, statements: int, words: tuple[str, ...], postgres: bool) -> None:
    found = scan(sql, postgres)
    assert (found.statements, found.words) == (statements, words)


def test_names_in_quotes_are_told_apart() -> None:
    assert scan('SELECT "a""B", \'c\'', POSTGRES).quoted_names == {'a"B'}
    assert scan("SELECT `a``b`, [c], \"d\", 'e'", SQLITE).quoted_names == {"a`b", "c", "d"}


@pytest.mark.parametrize("postgres", BOTH)
@pytest.mark.parametrize("sql", ["SELECT 'a", "SELECT 'a''", 'SELECT "a', "SELECT /* *", "SELECT 'a\0'"])
def test_what_has_no_end_is_refused(sql: str, postgres: bool) -> None:
    with pytest.raises(BadStatement, match=r"ends within what|U\+0000"):
        scan(sql, postgres)


@pytest.mark.parametrize(
    ("sql", "opening", "databases"),
    [
        ("SELECT 'a", "'", BOTH),
        ('SELECT "a', '"', BOTH),
        ("SELECT /* a", "/*", BOTH),
        ("SELECT `a", "`", (SQLITE,)),
        ("SELECT [a", "[", (SQLITE,)),
        ("SELECT E'a", "'", (POSTGRES,)),
        ("SELECT $a$ b", "$a$", (POSTGRES,)),
    ],
)
def test_what_has_no_end_is_told_by_what_it_begins_with(sql: str, opening: str, databases: tuple[bool, ...]) -> None:
    for postgres in databases:
        with pytest.raises(BadStatement) as raised:
            scan(sql, postgres)
        assert str(raised.value) == f"the statement ends within what {opening} begins"


def test_a_name_in_brackets_ends_with_the_next_one() -> None:
    found = scan("SELECT ], [a?], [b];SELECT 1", SQLITE)
    assert found.quoted_names == {"a?", "b"}
    assert found.statements == 2
    assert found.parameters == []


@pytest.mark.parametrize("sql", ["SELECT E'a\\", "SELECT E'a\\'", "SELECT E'a'\n'", "SELECT $$ $", "SELECT $a$ $A$"])
def test_what_has_no_end_for_postgresql_is_refused(sql: str) -> None:
    with pytest.raises(BadStatement, match="ends within what"):
        scan(sql, POSTGRES)


@pytest.mark.parametrize("postgres", BOTH)
@pytest.mark.parametrize("beside", ["1", "a", "_", "$", "é", "'x'", '"x"', "?", "`x`"])
def test_a_parameter_touches_nothing_that_its_value_could_become_part_of(beside: str, postgres: bool) -> None:
    for sql in (f"SELECT {beside}?", f"SELECT ?{beside}", f"{beside}?", f"?{beside}"):
        with pytest.raises(BadStatement, match=r"a `\?` touches|ends within"):
            scan(sql, postgres)


@pytest.mark.parametrize("postgres", BOTH)
@pytest.mark.parametrize(
    "number", ["1a", "1e$a$", "1E'\\'", "0x", "0x1g", "1.e", "1_0_a", "1$a$", ".5b", "1e5$a$", "0b1c"]
)
def test_a_number_that_runs_into_a_word_is_refused(number: str, postgres: bool) -> None:
    with pytest.raises(BadStatement, match="a number runs into a word"):
        scan(f"SELECT {number}", postgres)


def test_a_number_that_runs_into_a_word_is_told_with_the_letter_that_it_runs_into() -> None:
    with pytest.raises(BadStatement, match=r"a number runs into a word \(12a\): put"):
        scan("SELECT 12abc", POSTGRES)


@pytest.mark.parametrize("number", ["1", "1.", "1.5", ".5", "1e5", "1.5E-5", "0xFF", "0o17", "0b101", "1_000", "1..2"])
def test_a_number_stands_alone(number: str) -> None:
    assert scan(f"SELECT {number}, ?", POSTGRES).words == ("select",)


@pytest.mark.parametrize("name", ['U&"set\\005fconfig"', 'u&"a"', "SELECT U&\"d!0061t\" UESCAPE '!'"])
def test_postgresqls_names_with_escapes_are_refused_since_they_are_others_than_they_seem(name: str) -> None:
    with pytest.raises(BadStatement, match="may not be written with escapes"):
        scan(f"SELECT {name}", postgres=True)
    with pytest.raises(BadStatement, match="may not be written with escapes"):
        scan(name, postgres=True)
    # To SQLite it is a column, and an AND of bits.
    assert scan('SELECT u & "a"', postgres=False).quoted_names == {"a"}
    assert scan('SELECT u & "a"', postgres=True).quoted_names == {"a"}
