"""Makes text of users and modules fit for the table of decisions: bounded, on one line, and what it claims to be.

PostgreSQL takes no U+0000 and no lone surrogate.
"""

import json
import math
import re
from typing import Any

from synapse_module_bridge.telemetry.log_text import one_line

# Matrix allows no longer ids.
MOST_ID_BYTES = 255
MOST_ANSWER_CHARACTERS = 100
# A reason has fewer, but its control characters become longer.
MOST_REASON_CHARACTERS = 400
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def safe_id(text: str | None, sigil: str) -> str | None:
    """The id, or None for what is no id of the kind that begins with this character."""
    if text is None or not text.startswith(sigil) or not 2 <= len(text) <= MOST_ID_BYTES:
        return None
    # The ids of some events and rooms have no server.
    if (sigil == "@" and ":" not in text) or _UNSAFE.search(text) is not None:
        return None
    return text if len(text.encode()) <= MOST_ID_BYTES else None


def is_safe(text: str) -> bool:
    """Whether the text may be in the tables. A question for another text needs no look there."""
    return _UNSAFE.search(text) is None


def safe_text(text: str | None, most: int) -> str | None:
    """The text, with escape sequences in place of control characters, and shortened."""
    return None if text is None else one_line(text)[:most].replace("\t", " ")


def safe_details(details: str | None) -> str | None:
    """The JSON of an object, without characters that could do harm; None for anything else."""
    if details is None:
        return None
    try:
        value = json.loads(details, parse_constant=_no_number, parse_float=_finite)
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (ValueError, RecursionError):
        return None
    # Such characters are only within strings.
    return _UNSAFE.sub(_escaped, text) if isinstance(value, dict) else None


def _escaped(found: "re.Match[str]") -> str:
    return f"\\u{ord(found[0]):04x}"


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _no_number(text: str) -> Any:
    raise ValueError(f"{len(text)} characters are no number")
