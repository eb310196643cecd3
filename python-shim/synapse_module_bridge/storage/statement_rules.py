"""Decides which statements of a module may run: single ones that do not end the transaction, and do not outlive it."""

from collections.abc import Sequence

from synapse_module_bridge.storage.sql_scanner import BadStatement, Scan

# First words of statements whose effects are bound to the transaction, and that leave nothing in the connection.
ALLOWED = (
    *("select", "insert", "update", "delete", "with", "values", "table", "replace", "merge", "truncate"),
    *("create", "alter", "drop", "comment", "refresh", "reindex", "analyze", "lock", "explain", "show"),
)
_TRANSACTIONS = {"begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release", "prepare"}
_SETTINGS = {"set", "reset", "discard", "pragma", "attach", "detach"}
# What comes after ALTER in statements that change all later connections.
_OF_ALL_SESSIONS = {"system", "database", "role", "user", "group"}
_ITS_CONNECTION = "the connection is Synapse's, and serves others next"
# PostgreSQL's functions with the effects of forbidden statements.
_FUNCTIONS = {
    "set_config": f"a statement may not call set_config: {_ITS_CONNECTION}",
    **{
        f"pg_{attempt}advisory_lock{shared}": f"a statement may not call pg_{attempt}advisory_lock{shared}, whose lock "
        f"outlives the transaction: call pg_{attempt}advisory_xact_lock{shared}"
        for attempt in ("", "try_")
        for shared in ("", "_shared")
    },
}


def check(scan: Scan, postgres: bool) -> None:
    """Raises BadStatement for a statement that may not run on PostgreSQL, or on SQLite."""
    first = scan.words[0] if scan.words else ""
    if first not in ALLOWED:
        raise BadStatement(_refusal(first))
    # On SQLite, the body of a trigger contains statements. Python's sqlite3 runs only one statement in any case.
    rest = scan.words[1:]
    if scan.statements > 1 and (postgres or first != "create" or "trigger" not in rest[:2]):
        raise BadStatement(f"there are {scan.statements} statements in one: list them one by one")
    if first == "alter" and rest and rest[0] in _OF_ALL_SESSIONS:
        raise BadStatement(
            f"a statement may not begin with ALTER {rest[0].upper()}: it would change Synapse's sessions"
        )
    if first == "create" and _is_temporary(rest) and not _dropped_on_commit(rest):
        raise BadStatement(
            "what is temporary stays in Synapse's connection, unless it is a table ON COMMIT DROP (PostgreSQL)"
        )
    if postgres and (forbidden := _FUNCTIONS.keys() & {*scan.words, *scan.quoted_names}):
        raise BadStatement(_FUNCTIONS[min(forbidden)])


def _refusal(first: str) -> str:
    if not first:
        return "there is no statement"
    if first in _TRANSACTIONS:
        return "a statement may not begin or end a transaction, or a part of one: all of them run in one"
    if first in _SETTINGS:
        return f"a statement may not begin with {first.upper()}: {_ITS_CONNECTION}"
    return f"a statement may not begin with {first[:30].upper()}, but with one of {', '.join(ALLOWED).upper()}"


def _is_temporary(words: Sequence[str]) -> bool:
    """Whether a CREATE makes something temporary. `words` are those after CREATE."""
    kind = next((word for word in words if word not in ("or", "replace", "global", "local")), "")
    return kind in ("temp", "temporary")


def _dropped_on_commit(words: Sequence[str]) -> bool:
    return ("on", "commit", "drop") in zip(words, words[1:], words[2:], strict=False)
