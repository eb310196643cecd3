"""JSON of any depth, written and read without recursion: slow, for what the quick ways give up at some depth.

How deep a request's body may be nested, its sender decides; how deep Python recurses, its version and the caller.
"""

import json
import re
from collections.abc import Iterator, Mapping
from json.decoder import scanstring  # type: ignore[attr-defined] # it is what `json` reads strings with
from typing import Any

_TOKEN = re.compile(
    r"[ \t\n\r]*(?:(?P<mark>[\[\]{},:])|(?P<text>\")|(?P<word>true|false|null)|(?P<end>\Z)"
    r"|(?P<whole>-?(?:0|[1-9][0-9]*))(?P<rest>(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?))"
)
_WORDS = {"true": True, "false": False, "null": None}


def write(value: Any) -> str:
    """As `json.dumps` does, without spaces, with characters as they are. Raises ValueError for what is no JSON."""
    return "".join(_pieces(value))


def _pieces(value: Any) -> Iterator[str]:
    # The containers that are open: what is left of each, how it closes, and which it is.
    opened: list[tuple[Iterator[Any], str, int]] = []
    inside: set[int] = set()
    while True:
        if isinstance(value, Mapping | list | tuple):
            if id(value) in inside:
                raise ValueError("holds itself")
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
    """As `json.loads` does. Raises ValueError for what is no JSON."""
    whole: list[Any] = []
    # The containers that are open, and for an object the key of the value that comes.
    opened: list[tuple[list[Any] | dict[str, Any], str]] = [(whole, "")]
    awaited, at = "value", 0
    while True:
        token = _TOKEN.match(text, at)
        if token is None:
            raise ValueError(f"no JSON at character {at}")
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
            raise ValueError(f"no JSON at character {at}")
        opened.pop()
        awaited = "more" if len(opened) > 1 else "end"


def _put(container: list[Any] | dict[str, Any], key: str, value: Any) -> None:
    if isinstance(container, list):
        container.append(value)
    else:
        container[key] = value
