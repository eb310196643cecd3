"""Equal media files are equal questions, under whatever name; only where a module's answers are kept are they read."""

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from asking import Host, answer, calls_over, entry, message_from
from synapse.media._base import FileInfo, ThumbnailInfo
from synapse.module_api import NOT_SPAM
from synapse.module_api.errors import Codes
from synapse_module_bridge.calls import media_digest
from synapse_module_bridge.reactor.deadline import DeadlinePassed
from synapse_module_bridge.resilience.answer_cache import AnswerCache
from synapse_module_bridge.routing.entry import bind
from synapse_module_bridge.schema.catalogue import CALLBACKS
from twisted.internet.defer import Deferred, ensureDeferred, succeed

SPAM = CALLBACKS["check_media_file_for_spam"]
THUMBNAIL = ThumbnailInfo(1, 1, "crop", "image/png", 1)


class FileHost(Host):
    """Lets a file be read at once, or not in time."""

    late = False

    async def within(self, deferred: Any, deadline: float) -> Any:
        assert deadline - time.monotonic() == pytest.approx(1, abs=0.5)
        if self.late:
            raise DeadlinePassed
        return await deferred


class Rig:
    def __init__(self, kept: bool = True) -> None:
        self.host = FileHost(answer("M_FORBIDDEN", "n"))
        self.calls = calls_over(self.host)
        remembered = AnswerCache(600, lambda: 0, lambda: None) if kept else None
        self.entries = [entry("m"), entry("n", answer_cache=remembered)]

    def ask(self, path: Path, **info: Any) -> Any:
        """What the second of the modules answers."""
        file_info = FileInfo(**{"server_name": "test", "file_id": str(path), **info})
        wrapper = type("FileWrapper", (), {"path": str(path)})()
        call = self.calls.rules.begin(SPAM, bind(SPAM, [wrapper, file_info]))
        results: list[Any] = []
        ensureDeferred(self.calls.ask(call, self.entries[1:])).addBoth(results.append)
        return results[0]

    @property
    def asked(self) -> int:
        return len(self.host.calls)


@pytest.fixture(autouse=True)
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were read."""
    paths: list[str] = []

    def at_once(func: Any, path: str) -> "Deferred[Any]":
        paths.append(path)
        return succeed(func(path))

    monkeypatch.setattr(media_digest, "deferToThread", at_once)
    return paths


def files(folder: Path, contents: Sequence[bytes]) -> list[Path]:
    paths = [folder / str(number) for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return paths


def test_the_same_file_is_asked_about_once_under_whatever_name(tmp_path: Path) -> None:
    rig = Rig()
    one, same, other = files(tmp_path, [b"spam", b"spam", b"more spam"])
    assert [rig.ask(path) for path in (one, same, one)] == [Codes.FORBIDDEN] * 3
    assert rig.asked == 1
    rig.ask(other)
    assert rig.asked == 2


def test_what_else_is_known_of_the_file_counts(tmp_path: Path) -> None:
    rig = Rig()
    [file] = files(tmp_path, [b"spam"])
    for more in ({}, {"server_name": None}, {"url_cache": True}, {"thumbnail": THUMBNAIL}):
        rig.ask(file, **more)
        rig.ask(file, **more)
    assert rig.asked == 4


def test_a_file_that_cannot_be_read_counts_by_its_name(tmp_path: Path) -> None:
    rig = Rig()
    for path in (tmp_path / "a", tmp_path / "b", tmp_path / "a"):
        assert rig.ask(path) == Codes.FORBIDDEN
    assert rig.asked == 2


def test_no_file_is_read_for_modules_whose_answers_are_not_kept(tmp_path: Path, reads: list[str]) -> None:
    rig = Rig(kept=False)
    rig.ask(tmp_path / "a")
    assert reads == []


def test_while_anybody_is_set_aside_each_file_is_read_to_be_recognised(tmp_path: Path, reads: list[str]) -> None:
    rig = Rig(kept=False)
    rig.calls.round_trip.quarantine.add(message_from("@a:test"), "n", "exit code 1")
    rig.ask(tmp_path / "a")
    assert reads == [str(tmp_path / "a")]


def test_a_file_that_is_not_read_in_time_is_a_call_that_was_not_answered_in_time(tmp_path: Path) -> None:
    rig = Rig()
    rig.host.late = True
    assert rig.ask(tmp_path / "a") not in (NOT_SPAM, Codes.FORBIDDEN)
    assert rig.asked == 0


def test_a_large_file_is_read_to_its_end(tmp_path: Path) -> None:
    content = b"x" * (media_digest._BLOCK_BYTES + 1)
    [path] = files(tmp_path, [content])
    assert media_digest._digest(str(path)) == hashlib.sha256(content).digest()
