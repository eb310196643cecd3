"""Escapes untrusted text for one line of a log."""

import re

# Line ends, terminal escapes and bidirectional overrides would let a text pose as a record. A lone surrogate cannot be
# written to a file.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_VISIBLE = {ord(found): ascii(found)[1:-1] for found in _CONTROL.findall("".join(map(chr, range(0xE000))))}


def one_line(text: str) -> str:
    """The text, with Python's escape sequences in place of control characters."""
    return text if _CONTROL.search(text) is None else text.translate(_VISIBLE)
