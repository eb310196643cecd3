"""Tells a module how the database failed, without the values that it had passed.

Databases put values into their messages: PostgreSQL the text that is no number, or what stands where its parser
stumbled. Such messages are replaced by their class.
"""

from collections.abc import Iterable
from typing import Any

from synapse_module_bridge.catalogue import ERROR_CODES
from synapse_module_bridge.rpc import RpcError
from synapse_module_bridge.statements import BadStatement

# Invalid data (22), errors that a procedure raised (P0), and syntax errors (42601) quote what they are about.
_QUOTING = ("22", "P0", "42601")
# Shorter numbers are found in any message.
_TELLING_DIGITS = 4


def database_error(e: Exception, at: int | None, params: Iterable[Any]) -> RpcError:
    """`at` is the number of the statement, from 0; `params` are those of the whole transaction."""
    sqlstate: str | None = getattr(e, "pgcode", None)
    name = type(e).__name__
    message = _message(e)
    told = name
    if not (sqlstate or "").startswith(_QUOTING) and not _quotes(message, params):
        told = f"{name}: {message}"
    return _rpc_error(told, name, sqlstate, at)


def bad_statement(e: BadStatement, at: int | None) -> RpcError:
    return _rpc_error(str(e), type(e).__name__, None, at)


def _rpc_error(told: str, name: str, sqlstate: str | None, at: int | None) -> RpcError:
    where = "" if at is None else f" (statement {at + 1})"
    data = {"class": name, "sqlstate": sqlstate, "statement": at}
    return RpcError(ERROR_CODES["database_error"], f"{told}{where}", data)


def _message(e: Exception) -> str:
    # Beside it, PostgreSQL has details: the very key that there is already.
    primary = getattr(getattr(e, "diag", None), "message_primary", None)
    return " ".join((primary or str(e)).split())


def _quotes(message: str, params: Iterable[Any]) -> bool:
    for value in params:
        text = str(value)
        telling = bool(text) if isinstance(value, str) else len(text) >= _TELLING_DIGITS
        if telling and not isinstance(value, bool) and value is not None and text in message:
            return True
    return False
