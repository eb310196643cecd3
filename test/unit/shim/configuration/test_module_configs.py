"""Configs of modules as the host gets them: read as Synapse reads YAML, and without showing what stands there."""

import hashlib
import math
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from synapse_module_bridge.configuration import module_configs
from synapse_module_bridge.configuration.homeserver_yaml import has_changed
from synapse_module_bridge.configuration.module_configs import (
    MAX_DEPTH,
    ConfigFiles,
    Unreadable,
    read,
    what_json_lacks,
    with_configs,
)
from synapse_module_bridge.supervision.on_disk import OnDisk

SECRET = "hunter2"


def written(folder: Path, content: str | bytes) -> str:
    path = folder / "config.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def fault(folder: Path, content: str | bytes) -> str:
    path = written(folder, content)
    with pytest.raises(Unreadable) as raised:
        read(path)
    message = str(raised.value)
    assert SECRET not in message and "\n" not in message
    return message.replace(path, "FILE")


@pytest.mark.parametrize(
    "text",
    ["y: 1", "a: 1e3", "a: 010", "a: 1_000", "a: 0x1f", "a: ~", "a: {b: [1, 2.5, null]}", "a: &x {}\nb: *x", "1: a"],
)
def test_a_file_means_what_it_means_to_synapse(tmp_path: Path, text: str) -> None:
    assert read(written(tmp_path, text)) == yaml.safe_load(text)


def test_yes_and_no_and_numbers_are_those_of_synapse(tmp_path: Path) -> None:
    assert read(written(tmp_path, "a: yes\nb: [off, 1e3, 1.5]\ny: 1")) == {"a": True, "b": [False, "1e3", 1.5], "y": 1}


@pytest.mark.parametrize("content", ["", "  \n", "# nothing", "\ufeff"])
def test_an_empty_file_is_an_empty_config(tmp_path: Path, content: str) -> None:
    assert read(written(tmp_path, content)) == {}


def test_a_byte_order_mark_is_no_part_of_it(tmp_path: Path) -> None:
    assert read(written(tmp_path, b"\xef\xbb\xbfa: 1")) == {"a": 1}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (f"a: 1\npassword: {SECRET}: x", "FILE:2:18: mapping values are not allowed here"),
        (f"a: [{SECRET}", "FILE:1:12: expected ',' or ']', but got '<stream end>'"),
        (f"a: !{SECRET} x", "FILE:1:4: could not determine a constructor for the tag '…'"),
        (f"a: *{SECRET}", "FILE:1:4: found undefined alias '…'"),
        (f"a: &{SECRET} 1\nb: &{SECRET} 2", "FILE:2:4: second occurrence"),
        (f"a: !!int {SECRET}", "FILE:1:4: a value that is not what it looks like"),
        ("a: 2026-13-45", "FILE:1:4: a value that is not what it looks like, such as a day that no month has"),
        (f"a: !!timestamp {SECRET}", "FILE:1:4: a value that is not what it looks like"),
        (f"a: !!bool {SECRET}", "FILE:1:4: a value that is not what it looks like"),
        (f"a: 1\nb: {SECRET}\x00", "FILE:2: a character that YAML does not allow (U+0000)"),
        (f"a: {SECRET}\xfc".encode("latin-1"), "FILE is not UTF-8 (the first wrong byte is in line 1)"),
        ("- " * 3_000, "FILE: is nested too deeply"),
        ("[" * 3_000, "FILE: is nested too deeply"),
        ("since: 2026-01-01", "FILE: since is a date, which is no JSON: put it in quotes"),
        ("since: 2026-01-01T10:00:00Z", "FILE: since is a date, which is no JSON: put it in quotes"),
        ("a: [{b c: .inf}]", "FILE: a[0]['b c'] is inf, which is no JSON: put it in quotes"),
        ("a: !!binary aGk=", "FILE: a is of the type bytes, which is no JSON: put it in quotes"),
        ("a: !!set {x, y}", "FILE: a is of the type set, which is no JSON: put it in quotes"),
        ("yes: 1", "FILE: it is an object with the key True, which is no text: put it in quotes"),
        ("2026-01-01: 1", "FILE: it is an object with the key 2026-01-01, which is no text: put it in quotes"),
        ("a: &x [*x]", "FILE: a[0] is part of itself"),
    ],
)
def test_what_is_no_config_is_refused_with_its_place_and_without_its_text(
    tmp_path: Path, content: str | bytes, words: str
) -> None:
    assert fault(tmp_path, content).startswith(words)


def test_a_file_that_is_not_there_or_is_a_folder_is_named(tmp_path: Path) -> None:
    for path, words in [
        (tmp_path / "gone.yaml", f"there is no file {tmp_path}/gone.yaml"),
        (
            tmp_path / "~" / "x",
            f"there is no file {tmp_path}/~/x (`~` and `$` stand for themselves here: write the whole path)",
        ),
        (tmp_path, f"{tmp_path} is a folder, not a file"),
    ]:
        with pytest.raises(Unreadable) as raised:
            read(str(path))
        assert str(raised.value) == words


def test_the_host_gets_each_config_with_where_it_came_from_or_why_there_is_none(tmp_path: Path) -> None:
    good = written(tmp_path, "a: 1")
    modules = with_configs(
        [
            {"path": "/a.ts", "config_file": good},
            {"path": "/b.ts", "config": {"b": [1]}},
            {"path": "/c.ts"},
            {"path": "/d.ts", "config_file": "/gone.yaml"},
            {"path": "/e.ts", "config": {"a": math.inf}},
            {"path": "/f.ts", "config": {}, "config_file": good},
        ]
    )
    assert modules == [
        {"path": "/a.ts", "config_source": good, "config": {"a": 1}},
        {"path": "/b.ts", "config": {"b": [1]}},
        {"path": "/c.ts"},
        {"path": "/d.ts", "config_source": "/gone.yaml", "config_fault": "there is no file /gone.yaml"},
        {
            **{"path": "/e.ts", "config": {"a": math.inf}},
            "config_fault": "a is inf, which is no JSON: put it in quotes",
        },
        {
            **{"path": "/f.ts", "config": {}, "config_source": good},
            "config_fault": "give config or config_file, not both",
        },
    ]


def test_a_file_that_holds_the_same_is_not_parsed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    parse = module_configs._value

    def noted(path: str, content: bytes) -> Any:
        parsed.append(path)
        return parse(path, content)

    monkeypatch.setattr(module_configs, "_value", noted)
    files = ConfigFiles()
    path = written(tmp_path, "a: 1")
    assert [files.read(path), files.read(path)] == [{"a": 1}] * 2
    assert files.read(written(tmp_path, "a: 2")) == {"a": 2}
    other = tmp_path / "other.yaml"
    other.write_text("a: 2")
    assert files.read(str(other)) == {"a": 2}
    assert parsed == [path, path, str(other)]
    written(tmp_path, "a: [")
    for _ in range(2):
        with pytest.raises(Unreadable):
            files.read(path)
    other.unlink()
    with pytest.raises(Unreadable, match="there is no file"):
        files.read(str(other))


@pytest.mark.parametrize(
    ("text", "value"),
    [("a: !", None), ("a: 1\t", Unreadable), ("[" * 100_000, Unreadable)],
)
def test_what_a_faster_parser_would_read_as_something_else(tmp_path: Path, text: str, value: Any) -> None:
    path = written(tmp_path, text)
    if value is Unreadable:
        with pytest.raises(Unreadable):
            read(path)
    else:
        assert read(path) == yaml.safe_load(text) == {"a": value}


def test_depth_has_an_end() -> None:
    value: Any = []
    for _ in range(MAX_DEPTH - 1):
        value = [value]
    assert what_json_lacks(value) is None
    assert f"nested deeper than {MAX_DEPTH}" in str(what_json_lacks([value]))


def test_a_file_counts_as_changed_by_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "m.ts"
    path.write_text("1")
    digests = {str(path): "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"}
    disk = OnDisk()
    assert disk.differing(digests) == []
    # Of the same size, and soon after.
    path.write_text("2")
    assert disk.differing(digests) == [str(path)]
    path.write_text("1")
    assert disk.differing(digests) == []
    path.unlink()
    assert disk.differing(digests) == [str(path)]


def test_a_file_that_was_not_touched_is_read_once_until_nobody_asks_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[bytes] = []
    sha256 = hashlib.sha256

    def noted(content: bytes) -> Any:
        read.append(content)
        return sha256(content)

    monkeypatch.setattr(hashlib, "sha256", noted)
    digests = {}
    for name in "ab":
        path = tmp_path / name
        path.write_text(name)
        os.utime(path, (1, 1))
        digests[str(path)] = sha256(name.encode()).hexdigest()
    [first, second] = digests.items()
    disk = OnDisk()
    for asked in (digests, dict([first]), digests):
        assert disk.differing(asked) == []
    assert read == [b"a", b"b"]
    disk.forget_others([second[0]])
    assert disk.differing(digests) == []
    assert read == [b"a", b"b", b"a"]


class Homeserver:
    def __init__(self, files: list[str]) -> None:
        self.config = self
        self.config_files = files


class Api:
    def __init__(self, *files: Path) -> None:
        self._hs = Homeserver([str(file) for file in files])


def test_a_block_of_homeserver_yaml_is_compared_as_synapse_reads_it(tmp_path: Path) -> None:
    from synapse_module_bridge.configuration.config import parse

    first, second = tmp_path / "homeserver.yaml", tmp_path / "modules.yaml"
    first.write_text("server_name: x\nreport_stats: false\nmodules: []")

    def block(text: str) -> None:
        second.write_text(f"modules:\n- module: synapse_module_bridge.ModuleBridge\n  config: {text}")

    block("{modules: [{path: a.ts, config: {a: yes}}], timeout: 5s}")
    ours = parse({"modules": [{"path": "a.ts", "config": {"a": True}}], "timeout": 5_000})
    api: Any = Api(first, second)
    assert not has_changed(api, ours)
    for changed in (
        "{modules: [{path: a.ts, config: {a: no}}], timeout: 5s}",
        "{modules: [{path: b.ts, config: {a: yes}}], timeout: 5s}",
        "{modules: [{path: a.ts, config: {a: yes}}], timeout: 6s}",
        "{modules: [{path: a.ts, config: {a: yes}}], timeout: 5s, odd: 1}",
    ):
        block(changed)
        assert has_changed(api, ours)
    second.write_text("modules:")
    assert has_changed(api, ours)
    assert not has_changed(Api(), ours)  # type: ignore[arg-type]
