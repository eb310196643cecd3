"""Tells a module how the database failed, and in which statement, without any value from parameters or tables.

Databases quote values in their messages, such as a text that is not a number. They quote names as well, which are kept:
a name stands in the statement, or PostgreSQL reports it in a field of its own.
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

# Classes of SQLSTATE codes whose messages are PostgreSQL's own. In other classes (P0, and any that it makes up), a
# procedure may raise any text.
_OWN_TEXTS = {
    *("08", "0A", "21", "22", "23", "24", "25", "26", "28", "2B", "2D", "34", "3D", "3F", "40", "42", "44"),
    *("53", "54", "55", "57", "58"),
}
# The source function of RAISE, with which a procedure may use these classes, too.
_RAISES = "exec_stmt_raise"
_NAMES = ("schema_name", "table_name", "column_name", "datatype_name", "constraint_name")
# Shorter values occur in messages by accident.
_TELLING = 4
_NUMBER = re.compile(rf"(?<!\w)\d{{{_TELLING},}}(?!\w)")
_HIDDEN = "…"


def database_error(e: Exception, at: int | None, statement: Statement | None, params: Iterable[Any]) -> RpcError:
    """The error for a module whose `statement`, at the index `at`, has failed with `e`.

    `params` are those of the whole transaction.
    """
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
    # Not the details beside the message, which have values, such as a key that exists already.
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
    # A full-text index puts the words of a query there.
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
            # A value may contain quotes, so it may reach up to the last one.
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
