"""Cuts a stream of bytes into lines of a bounded length."""

from synapse_module_bridge.schema.protocol import LIMITS

# What exceeds it of a line is skipped: one line must not fill the log.
MAX_LINE_BYTES = LIMITS["line_bytes"]


class Lines:
    def __init__(self) -> None:
        self._partial = b""
        self._skipping = False

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that are complete now, without their ends."""
        *lines, self._partial = (self._partial + data).split(b"\n")
        if lines and self._skipping:
            self._skipping = False
            del lines[0]
        if len(self._partial) > MAX_LINE_BYTES:
            if not self._skipping:
                lines.append(self._partial)
            self._partial, self._skipping = b"", True
        return [line[:MAX_LINE_BYTES] for line in lines if line.strip()]

    def end(self) -> list[bytes]:
        """The last line, if it has no end."""
        partial, self._partial = self._partial, b""
        return [partial] if partial.strip() and not self._skipping else []
