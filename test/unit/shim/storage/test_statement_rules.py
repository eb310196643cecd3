"""Which statements of a module are run, and what its author is told of the others."""

import pytest
from synapse_module_bridge.storage.sql_scanner import BadStatement, scan
from synapse_module_bridge.storage.statement_rules import check
from synapse_module_bridge.storage.statements import read_statement

BOTH = (True, False)


def refusal(sql: str, postgres: bool) -> str | None:
    try:
        check(scan(sql, postgres), postgres)
    except BadStatement as e:
        return str(e)
    return None


@pytest.mark.parametrize("postgres", BOTH)
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1;",
        ";;(select 1)",
        "-- first\nWITH a AS (SELECT 1) SELECT * FROM a",
        "INSERT INTO a VALUES (1)",
        "UPDATE a SET b = 1",
        "DELETE FROM a",
        "VALUES (1)",
        "CREATE TABLE temp (a INTEGER)",
        "CREATE OR REPLACE VIEW a AS SELECT 1",
        "CREATE INDEX a ON b (c)",
        "ALTER TABLE a ADD COLUMN b TEXT",
        "DROP TABLE a",
        "ANALYZE",
        "EXPLAIN SELECT 1",
        "SELECT 'COMMIT; SET x' -- ; COMMIT",
        "SELECT a AS commit FROM b",
        "REINDEX TABLE a",
        "ALTER TABLE role ADD COLUMN a TEXT",
        # Of one database only; the other one says so itself.
        "TABLE a",
        "REPLACE INTO a VALUES (1)",
        "MERGE INTO a USING b ON a.c = b.c WHEN MATCHED THEN DELETE",
        "TRUNCATE a",
        "COMMENT ON TABLE a IS 'b'",
        "REFRESH MATERIALIZED VIEW a",
        "LOCK TABLE a",
        "SHOW search_path",
    ],
)
def test_what_takes_effect_with_the_transaction_is_run(sql: str, postgres: bool) -> None:
    assert refusal(sql, postgres) is None


@pytest.mark.parametrize("postgres", BOTH)
@pytest.mark.parametrize("before", ["", " ", ";", "-- done\n", "/* all * of it */ -- done\n;"])
@pytest.mark.parametrize(
    "sql",
    [
        *("COMMIT", "rollback", "BEGIN", "START TRANSACTION", "END", "ABORT", "PREPARE TRANSACTION 'a'"),
        *("SAVEPOINT a", "ROLLBACK TO a", "RELEASE a"),
    ],
)
def test_transactions_are_refused_whatever_stands_before(sql: str, before: str, postgres: bool) -> None:
    assert "may not begin or end a transaction" in str(refusal(before + sql, postgres))
    assert refusal(f"{before}SELECT 1 -- {sql}", postgres) is None


@pytest.mark.parametrize(("before", "postgres"), [("/* /* */ */ ", True), ("/* /* */ ", False), ("\ufeff", True)])
def test_neither_a_comment_within_another_nor_a_byte_order_mark_hides_a_commit(before: str, postgres: bool) -> None:
    said = "may not begin or end a transaction"
    with pytest.raises(BadStatement, match=said):
        read_statement({"sql": f"{before}COMMIT"}, postgres)
    assert read_statement({"sql": f"{before}SELECT 1"}, postgres).sql.endswith("SELECT 1")


@pytest.mark.parametrize("postgres", BOTH)
@pytest.mark.parametrize("word", ["SET", "reset", "DISCARD", "Pragma", "ATTACH", "DETACH"])
def test_settings_are_refused(word: str, postgres: bool) -> None:
    assert f"may not begin with {word.upper()}: the connection is Synapse's" in str(refusal(f"{word} a", postgres))


@pytest.mark.parametrize("postgres", BOTH)
@pytest.mark.parametrize(
    "sql",
    [
        *("DO $$ $$", "CALL a()", "COPY a TO STDOUT", "EXECUTE a", "LISTEN a", "NOTIFY a", "VACUUM", "CLUSTER"),
        *("DECLARE a CURSOR FOR SELECT 1", "GRANT SELECT ON a TO b", "LOAD 'a'", "CHECKPOINT", "\ufeff\ufeffCOMMIT"),
    ],
)
def test_the_rest_is_refused(sql: str, postgres: bool) -> None:
    if sql.startswith("DO") and not postgres:
        sql = "DO a"
    assert "may not begin with" in str(refusal(sql, postgres))
    assert "but with one of SELECT, INSERT" in str(refusal(sql, postgres))


@pytest.mark.parametrize("postgres", BOTH)
def test_a_refusal_names_the_first_word_but_not_all_of_a_long_one(postgres: bool) -> None:
    assert f"may not begin with {'X' * 30}, but" in str(refusal("x" * 31, postgres))


@pytest.mark.parametrize("postgres", BOTH)
@pytest.mark.parametrize("sql", ["CREATE", "CREATE OR REPLACE"])
def test_that_a_statement_is_not_complete_the_database_says_itself(sql: str, postgres: bool) -> None:
    assert refusal(sql, postgres) is None


@pytest.mark.parametrize("postgres", BOTH)
def test_nothing_is_no_statement(postgres: bool) -> None:
    for sql in ("", ";", "-- SELECT", "1"):
        assert refusal(sql, postgres) == "there is no statement"


def test_one_statement_is_run_at_a_time() -> None:
    assert "2 statements in one" in str(refusal("INSERT INTO a DEFAULT VALUES; COMMIT", True))
    assert "2 statements in one" in str(refusal("INSERT INTO a DEFAULT VALUES; COMMIT", False))
    trigger = "CREATE TRIGGER a AFTER INSERT ON b BEGIN DELETE FROM c; DELETE FROM d; END"
    # SQLite's own; Python's sqlite3 counts there.
    assert refusal(trigger, False) is None
    assert "what is temporary" in str(refusal(trigger.replace("CREATE", "CREATE TEMP"), False))
    assert "2 statements in one" in str(refusal("CREATE TABLE a (trigger); COMMIT", False))
    assert "2 statements in one" in str(refusal("DROP TRIGGER a; COMMIT", False))
    assert "3 statements in one" in str(refusal(trigger, True))


@pytest.mark.parametrize("postgres", BOTH)
@pytest.mark.parametrize("what", ["SYSTEM SET a = 1", "DATABASE a SET b = 1", "ROLE a SET b = 1", "USER a", "GROUP a"])
def test_the_settings_of_later_sessions_are_refused(what: str, postgres: bool) -> None:
    assert f"ALTER {what.split()[0]}: it would change Synapse's sessions" in str(refusal(f"alter {what}", postgres))


@pytest.mark.parametrize("postgres", BOTH)
@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TEMP TABLE a (b INTEGER)",
        "create local temporary table a (b integer) on commit delete rows",
        "CREATE OR REPLACE GLOBAL TEMP VIEW a AS SELECT 1",
    ],
)
def test_what_is_temporary_must_end_with_the_transaction(sql: str, postgres: bool) -> None:
    assert "what is temporary stays in Synapse's connection" in str(refusal(sql, postgres))
    assert refusal("CREATE TEMP TABLE a (b INTEGER) ON COMMIT DROP", postgres) is None


LOCKS = ("pg_advisory_lock", "pg_advisory_lock_shared", "pg_try_advisory_lock", "pg_try_advisory_lock_shared")


@pytest.mark.parametrize("name", ["set_config", *LOCKS])
def test_functions_that_change_the_connection_are_refused(name: str) -> None:
    for sql in (
        f"SELECT {name.upper()}(1)",
        f'SELECT pg_catalog."{name}" /* */ (1)',
        f"INSERT INTO a SELECT {name}(1)",
    ):
        assert f"may not call {name}" in str(refusal(sql, True))
    assert refusal(f"SELECT '{name}' -- {name}()", True) is None
    # SQLite has none of them.
    assert refusal(f"SELECT {name} FROM a", False) is None


@pytest.mark.parametrize("name", LOCKS)
def test_locks_of_the_transaction_are_offered_instead(name: str) -> None:
    assert f"call {name.replace('_lock', '_xact_lock')}" in str(refusal(f"SELECT {name}(1)", True))
    assert refusal(f"SELECT {name.replace('_lock', '_xact_lock')}(1)", True) is None
