"""Defines what an admin's request is refused with: an error of the Matrix client API."""

from collections.abc import Mapping
from typing import Any

from synapse.api.errors import Codes


class Refused(Exception):
    """`message` says what to do. `more` stands in the body beside it."""

    def __init__(
        self,
        status: int,
        errcode: str,
        message: str,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"errcode": errcode, "error": message, **(more or {})}
        self.headers = headers or {}


def unfit(message: str) -> Refused:
    """Of a parameter, or a key of the body."""
    return Refused(400, Codes.INVALID_PARAM, message)


def not_found(message: str) -> Refused:
    """Of something that the path names."""
    return Refused(404, Codes.NOT_FOUND, message)
