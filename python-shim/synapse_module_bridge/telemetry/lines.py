"""Splits a stream of bytes into lines of bounded length."""

from synapse_module_bridge.schema.protocol import LIMITS

# The rest of a longer line is skipped, so that one line cannot fill the log.
MAX_LINE_BYTES = LIMITS["line_bytes"]


class Lines:
    """Collects chunks of one stream."""

    def __init__(self) -> None:
        self._partial = b""
        self._skipping = False

    def feed(self, data: bytes) -> list[bytes]:
        """Takes a chunk, and returns the lines that it completes, without line ends. Blank lines are left out."""
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
        """Ends the stream, and returns what came after the last line end, if anything."""
        partial, self._partial = self._partial, b""
        return [partial] if partial.strip() and not self._skipping else []
