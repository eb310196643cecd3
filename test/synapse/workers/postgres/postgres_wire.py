"""Asks PostgreSQL how it reads a text, by its own protocol: it parses it, and runs nothing."""

import os
import socket
import struct

import attr


@attr.s(frozen=True, auto_attribs=True)
class Read:
    # Of the error, if it is one.
    sqlstate: str | None
    message: str
    # Of the one statement: how many parameters, and whether it gives rows.
    parameters: int
    has_rows: bool

    @property
    def is_several(self) -> bool:
        return "multiple commands" in self.message


class PostgresParser:
    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(30)
        self._socket.connect(os.path.join(os.environ["PGHOST"], ".s.PGSQL.5432"))
        self._file = self._socket.makefile("rb")
        settings = b"user\0%s\0database\0%s\0\0" % (os.environ["PGUSER"].encode(), os.environ["PGDATABASE"].encode())
        self._socket.sendall(struct.pack(">II", 8 + len(settings), 196608) + settings)
        self._answers()

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def read(self, sql: str) -> Read:
        # Parse, Describe, Sync.
        self._send(b"P", b"\0" + sql.encode() + b"\0\0\0")
        self._send(b"D", b"S\0")
        self._send(b"S", b"")
        sqlstate, message, parameters, has_rows = None, "", 0, False
        for kind, body in self._answers():
            if kind == b"E":
                fields = {field[:1]: field[1:].decode() for field in body.split(b"\0") if field}
                sqlstate, message = fields[b"C"], fields[b"M"]
            elif kind == b"t":
                (parameters,) = struct.unpack(">H", body[:2])
            elif kind == b"T":
                has_rows = True
        return Read(sqlstate, message, parameters, has_rows)

    def _send(self, kind: bytes, body: bytes) -> None:
        self._socket.sendall(kind + struct.pack(">I", 4 + len(body)) + body)

    def _answers(self) -> list[tuple[bytes, bytes]]:
        """Up to where the server is ready for the next question."""
        answers = []
        while True:
            kind = self._file.read(1)
            (length,) = struct.unpack(">I", self._file.read(4))
            answers.append((kind, self._file.read(length - 4)))
            if kind == b"Z":
                return answers
