"""What becomes of a value on its way to the host and back."""

import json
from typing import Any

from synapse_module_bridge.transport.framing import decode, encode


def travelled(value: Any) -> Any:
    """What is read of what was written."""
    return decode(encode(value).split(b"\r\n\r\n", 1)[1])


def through_javascript(value: object) -> object:
    """What JSON.parse and JSON.stringify make of the numbers in a value."""

    def number(text: str) -> object:
        double = float(text)
        return int(double) if double.is_integer() and abs(double) < 1e21 else double

    return json.loads(json.dumps(value), parse_int=number, parse_float=number, parse_constant=float)
