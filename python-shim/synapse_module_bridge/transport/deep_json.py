"""Reads and writes JSON of any depth, without recursion. Slow: for values at which the fast parsers give up.

The sender of a request decides how deeply its body is nested. Python's recursion limit depends on its version and on
the depth of the caller.
"""

import json
import re
from collections.abc import Iterator, Mapping
from json.decoder import scanstring  # type: ignore[attr-defined] # undocumented: the scanner that `json` uses
from typing import Any

_TOKEN = re.compile(
    r"[ \t\n\r]*(?:(?P<mark>[\[\]{},:])|(?P<text>\")|(?P<word>true|false|null)|(?P<end>\Z)"
    r"|(?P<whole>-?(?:0|[1-9][0-9]*))(?P<rest>(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?))"
)
_WORDS = {"true": True, "false": False, "null": None}


def write(value: Any) -> str:
    """As `json.dumps`, without spaces, and with non-ASCII characters as they are.

    Raises ValueError where the value, or a part of it, has no form in JSON.
    """
    return "".join(_pieces(value))


def _pieces(value: Any) -> Iterator[str]:
    # The open containers: the rest of their items, their closing bracket, and their identity.
    opened: list[tuple[Iterator[Any], str, int]] = []
    inside: set[int] = set()
    while True:
        if isinstance(value, Mapping | list | tuple):
            if id(value) in inside:
                raise ValueError("contains itself")
            inside.add(id(value))
            if isinstance(value, Mapping):
                opened.append((iter(value.items()), "}", id(value)))
                yield "{"
            else:
                opened.append((iter(value), "]", id(value)))
                yield "["
            comma = ""
        else:
            try:
                yield json.dumps(value, ensure_ascii=False)
            except TypeError as e:
                raise ValueError(f"cannot be written as JSON: {e}") from e
            comma = ","
        while opened:
            items, closing, which = opened[-1]
            try:
                item = next(items)
            except StopIteration:
                yield closing
                opened.pop()
                inside.remove(which)
                comma = ","
                continue
            yield comma
            if closing == "}":
                key, value = item
                yield f"{json.dumps(str(key), ensure_ascii=False)}:"
            else:
                value = item
            break
        else:
            return


def read(text: str) -> Any:
    """As `json.loads`. Raises ValueError where the text is not JSON."""
    whole: list[Any] = []
    # The open containers, and for an object the key of its next value.
    opened: list[tuple[list[Any] | dict[str, Any], str]] = [(whole, "")]
    awaited, at = "value", 0
    while True:
        token = _TOKEN.match(text, at)
        if token is None:
            raise ValueError(f"not JSON at character {at}")
        at, kind, mark = token.end(), token.lastgroup, token["mark"]
        container, key = opened[-1]
        if awaited in ("value", "first value"):
            if mark in ("[", "{"):
                inner: list[Any] | dict[str, Any] = [] if mark == "[" else {}
                _put(container, key, inner)
                opened.append((inner, ""))
                awaited = "first value" if mark == "[" else "first key"
                continue
            if awaited == "value" or mark != "]":
                if kind == "text":
                    value, at = scanstring(text, at, True)
                elif token["whole"] is not None:
                    value = float(token["whole"] + token["rest"]) if token["rest"] else int(token["whole"])
                elif kind == "word":
                    value = _WORDS[token["word"]]
                else:
                    raise ValueError(f"no value at character {at}")
                _put(container, key, value)
                awaited = "more" if len(opened) > 1 else "end"
                continue
        elif awaited in ("key", "first key") and kind == "text":
            key, at = scanstring(text, at, True)
            opened[-1] = (container, key)
            awaited = "colon"
            continue
        elif awaited == "colon" and mark == ":":
            awaited = "value"
            continue
        elif awaited == "more" and mark == ",":
            awaited = "value" if isinstance(container, list) else "key"
            continue
        elif awaited == "end" and kind == "end":
            return whole[0]
        closes = mark == ("]" if isinstance(container, list) else "}")
        if not closes or awaited not in ("more", "first value", "first key"):
            raise ValueError(f"not JSON at character {at}")
        opened.pop()
        awaited = "more" if len(opened) > 1 else "end"


def _put(container: list[Any] | dict[str, Any], key: str, value: Any) -> None:
    if isinstance(container, list):
        container.append(value)
    else:
        container[key] = value
