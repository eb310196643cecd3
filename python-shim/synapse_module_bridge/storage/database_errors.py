"""Tells a module how the database failed, and where, without the values that it had passed or that there are already.

Databases put values into their messages: PostgreSQL the text that is no number, or what stands where its parser
stumbled. They stand in quotes there, as names do: a name is in the statement, or PostgreSQL tells it apart.
"""

import re
from collections.abc import Iterable
from typing import Any

from synapse_module_bridge.schema.protocol import ERROR_CODES
from synapse_module_bridge.storage.postgres_sql import place_of
from synapse_module_bridge.storage.sql_scanner import BadStatement
from synapse_module_bridge.storage.statements import Statement
from synapse_module_bridge.storage.time_box import TransactionOver
from synapse_module_bridge.transport.rpc import RpcError

# Classes of PostgreSQL's errors whose text is PostgreSQL's own. A procedure can raise any text in its own (P0, and
# those that it makes up).
_OWN_TEXTS = {
    *("08", "0A", "21", "22", "23", "24", "25", "26", "28", "2B", "2D", "34", "3D", "3F", "40", "42", "44"),
    *("53", "54", "55", "57", "58"),
}
# It raises in any class as well.
_RAISES = "exec_stmt_raise"
_NAMES = ("schema_name", "table_name", "column_name", "datatype_name", "constraint_name")
# Shorter values are found in any message.
_TELLING = 4
_NUMBER = re.compile(rf"(?<!\w)\d{{{_TELLING},}}(?!\w)")
_HIDDEN = "…"


def database_error(e: Exception, at: int | None, statement: Statement | None, params: Iterable[Any]) -> RpcError:
    """`statement` has failed, which is number `at` from 0; `params` are those of the whole transaction."""
    sqlstate: str | None = getattr(e, "pgcode", None)
    name = type(e).__name__
    sql = "" if statement is None else statement.sql
    if isinstance(e, (BadStatement, TransactionOver)):
        told = str(e)
    else:
        message = _postgres_message(e, sqlstate, sql) if sqlstate is not None else _sqlite_message(e, sql)
        told = f"{name}: {message}" if message and not _quotes(message, params, sql) else name
    places = [] if at is None else [f"statement {at + 1}"]
    places += [] if statement is None else _place(e, statement)
    where = f" ({', '.join(places)})" if places else ""
    data = {"class": name, "sqlstate": sqlstate, "statement": at}
    return RpcError(ERROR_CODES["database_error"], f"{told}{where}", data)


def _postgres_message(e: Exception, sqlstate: str, sql: str) -> str:
    # Beside it, PostgreSQL has details: the very key that there is already.
    diagnostics: Any = getattr(e, "diag", None)
    message = getattr(diagnostics, "message_primary", None) or ""
    if sqlstate[:2] not in _OWN_TEXTS or getattr(diagnostics, "source_function", None) == _RAISES:
        return ""
    names = {getattr(diagnostics, name, None) for name in _NAMES}
    return _without_numbers(_without_unknown(_one_line(message), '"', sql, names), sql)


def _sqlite_message(e: Exception, sql: str) -> str:
    message = _one_line(str(e))
    for quote in ('"', "'"):
        message = _without_unknown(message, quote, sql, set())
    # A full-text index tells so what it was asked for.
    head, colon, tail = message.partition(": ")
    if "constraint" in head or tail == "syntax error" or all(word in sql for word in re.findall(r"\w+", tail)):
        return message
    return f"{head}{colon}{_HIDDEN}"


def _one_line(message: str) -> str:
    return " ".join(message.split())


def _without_unknown(message: str, quote: str, sql: str, names: set[Any]) -> str:
    pieces = message.split(quote)
    for index in range(1, len(pieces), 2):
        piece = pieces[index]
        if not piece or (piece.lower() not in sql.lower() and piece not in names):
            # A value can hold quotes: all up to the last one may be part of it.
            end = pieces[-1] if len(pieces) % 2 else ""
            return f"{quote.join(pieces[:index])}{quote}{_HIDDEN}{quote}{end}"
    return message


def _without_numbers(message: str, sql: str) -> str:
    return _NUMBER.sub(lambda number: number.group() if number.group() in sql else _HIDDEN, message)


def _quotes(message: str, params: Iterable[Any], sql: str) -> bool:
    texts = (str(value) for value in params)
    return any(len(text) >= _TELLING and text in message and text not in sql for text in texts)


def _place(e: Exception, statement: Statement) -> list[str]:
    position = getattr(getattr(e, "diag", None), "statement_position", None)
    sent = getattr(getattr(e, "cursor", None), "query", None)
    if position is None or not isinstance(sent, bytes):
        return []
    place = place_of(int(position) - 1, sent.decode("utf-8"), statement.sql, statement.scan.parameters)
    if place is None:
        return []
    lines = statement.sql[:place].split("\n")
    return [f"line {len(lines)}", f"column {len(lines[-1]) + 1}"]
