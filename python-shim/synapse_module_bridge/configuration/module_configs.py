"""Reads the modules' configs: each `config_file` with Synapse's own YAML parser. Refuses what has no form in JSON.

No message contains anything from a file, since it may be a secret.
"""

import hashlib
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import yaml

from synapse_module_bridge.configuration.denied import describe_denied
from synapse_module_bridge.telemetry.log_text import one_line

# Deeper than any config, and far below Python's recursion limit.
MAX_DEPTH = 200
# By their first bytes, files that are not UTF-8, with the remedy.
_NO_TEXT = {
    b"\x1f\x8b": "compressed (gzip): unpack it",
    b"\xff\xfe": "UTF-16, not UTF-8: save it as UTF-8",
    b"\xfe\xff": "UTF-16, not UTF-8: save it as UTF-8",
}
# PyYAML's messages quote from the file. A single character, or the name of a token, tells nothing of a secret.
_QUOTED = re.compile(r"'([^']*)'")


# As `read` below.
Read = Callable[[str], Any]


class Unreadable(Exception):
    """The file, or the config, cannot be used. The message has the reason and the remedy."""


class ConfigFiles:
    """Reads files, and parses a file again only where its content has changed, since PyYAML is slow.

    May be used in threads.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[bytes, Any]] = {}

    def read(self, path: str) -> Any:
        """As the function `read`."""
        content = _content(path)
        digest = hashlib.sha256(content).digest()
        known = self._known.get(path)
        if known is None or known[0] != digest:
            known = self._known[path] = digest, _config(path, content)
        return known[1]


def with_configs(configured: Sequence[Mapping[str, Any]], read: Read | None = None) -> list[dict[str, Any]]:
    """The modules as the host gets them: each with its `config`, or with a `config_fault` that says why it has none."""
    return [_with_config(module, read or ConfigFiles().read) for module in configured]


def _with_config(module: Mapping[str, Any], read: Read) -> dict[str, Any]:
    result = {key: value for key, value in module.items() if key != "config_file"}
    path = module.get("config_file")
    if path is not None:
        result["config_source"] = path
        if "config" in module:
            return {**result, "config_fault": "give config or config_file, not both"}
    try:
        if path is not None:
            result["config"] = read(path)
        elif (problem := what_json_lacks(module.get("config", {}))) is not None:
            raise Unreadable(problem)
    except Unreadable as e:
        result["config_fault"] = str(e)
    return result


def read(path: str) -> Any:
    """The config in a `config_file`. Raises Unreadable with a message that names the file."""
    return _config(path, _content(path))


def _config(path: str, content: bytes) -> Any:
    value = _value(path, content)
    if (problem := what_json_lacks(value)) is not None:
        raise Unreadable(f"{path}: {problem}")
    return {} if value is None else value


def read_yaml(path: str) -> Any:
    """The value of a YAML file, as Synapse would read it. Raises Unreadable with a message that names the file."""
    return _value(path, _content(path))


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        hint = " (`~` and `$` stand for themselves here: write the whole path)" if re.search(r"[$~]", path) else ""
        raise Unreadable(f"there is no file {path}{hint}") from None
    except IsADirectoryError:
        raise Unreadable(f"{path} is a folder, not a file") from None
    except PermissionError:
        raise Unreadable(describe_denied(path)) from None
    except OSError as e:
        raise Unreadable(f"{path} cannot be read: {os.strerror(e.errno or 0)}") from None


def _value(path: str, content: bytes) -> Any:
    if not content.strip():
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        for beginning, what in _NO_TEXT.items():
            if content.startswith(beginning):
                raise Unreadable(f"{path} is {what}") from None
        line = content[: e.start].count(b"\n") + 1
        raise Unreadable(f"{path} is not UTF-8 (the first wrong byte is in line {line}): save it as UTF-8") from None
    return _parsed(path, text)


class _Loader(yaml.SafeLoader):
    """Synapse's parser (`yaml.SafeLoader`), which here reports the place of each value that it cannot construct.

    CSafeLoader would not do: it accepts other files (tabs, deep nesting), reads some values otherwise, and crashes the
    process on 100,000 brackets.
    """

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError, TypeError, OverflowError):
            problem = "a value that is not what it looks like, such as a day that no month has: put it in quotes"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from None


def _parsed(path: str, text: str) -> Any:
    try:
        return yaml.load(text, _Loader)  # derived from SafeLoader
    except yaml.MarkedYAMLError as e:
        mark = e.problem_mark or e.context_mark
        place = "" if mark is None else f":{mark.line + 1}:{mark.column + 1}"
        problem = _QUOTED.sub(_harmless, e.problem or e.context or "is no YAML")
        raise Unreadable(f"{path}{place}: {one_line(problem)}") from None
    except yaml.reader.ReaderError as e:
        line = text[: e.position].count("\n") + 1
        code = e.character if isinstance(e.character, int) else ord(e.character)
        raise Unreadable(f"{path}:{line}: a character that YAML does not allow (U+{code:04X})") from None
    except (yaml.YAMLError, ValueError):
        raise Unreadable(f"{path}: is no YAML") from None
    except RecursionError:
        raise Unreadable(f"{path}: is nested too deeply") from None


def _harmless(quoted: "re.Match[str]") -> str:
    return quoted[0] if len(quoted[1]) == 1 or quoted[1].startswith("<") else "'…'"


def what_json_lacks(value: Any) -> str | None:
    """The first part of a value that has no form in JSON, with its place and the remedy; None where there is none."""
    found = next(_losses(value, (), ()), None)
    if found is None:
        return None
    path, what = found
    return f"{_place(path)} is {what}"


def _losses(value: Any, path: tuple[Any, ...], above: tuple[int, ...]) -> Iterator[tuple[tuple[Any, ...], str]]:
    if value is None or isinstance(value, (bool, int, str)):
        return
    if isinstance(value, float):
        if not math.isfinite(value):
            yield path, f"{value}, which is no JSON: put it in quotes"
    elif not isinstance(value, (list, dict)):
        kind = "a date" if isinstance(value, date) else f"of the type {type(value).__name__}"
        yield path, f"{kind}, which is no JSON: put it in quotes"
    elif id(value) in above:
        yield path, "part of itself"
    elif len(above) >= MAX_DEPTH:
        yield path[:3], f"nested deeper than {MAX_DEPTH}"
    else:
        inside = value.items() if isinstance(value, dict) else enumerate(value)
        for key, one in inside:
            if isinstance(value, dict) and (isinstance(key, bool) or not isinstance(key, (str, int))):
                yield path, f"an object with the key {key!s:.20}, which is no text: put it in quotes"
            yield from _losses(one, (*path, key), (*above, id(value)))


def _place(path: tuple[Any, ...]) -> str:
    """The path as the host's messages write it."""
    steps = [f".{key}" if isinstance(key, str) and re.fullmatch(r"\w+", key) else f"[{key!r:.40}]" for key in path[:12]]
    return "".join(steps).removeprefix(".") or "it"
