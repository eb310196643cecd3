"""Makes text that may come from anybody fit for one line of a log."""

import re

# Line ends and escape sequences would let a text pass for records of its own, as would text that runs backwards; a lone
# surrogate cannot be written to a file.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_VISIBLE = {code: ascii(chr(code))[1:-1] for code in range(0xE000) if _CONTROL.match(chr(code))}


def one_line(text: str) -> str:
    """The text with control characters (line ends, escape sequences) made visible."""
    return text if _CONTROL.search(text) is None else text.translate(_VISIBLE)
