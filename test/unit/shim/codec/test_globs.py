"""Globs fit what the same regular expressions fit, in one pass over the text."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from synapse_module_bridge.codec import globs
from synapse_module_bridge.codec.globs import compile_globs

LETTERS = "ab\n.\x00é\u4e00\U0001f600\ud800"
TEXTS = st.text("ab", max_size=12) | st.text(LETTERS, max_size=12) | st.text(max_size=6)
GLOBS = st.text("ab*?", max_size=9) | st.text(LETTERS + "*?", max_size=9)


def reference(wanted: list[str], text: str) -> bool:
    patterns = ["".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in glob) for glob in wanted]
    return any(re.fullmatch(pattern, text, re.DOTALL) for pattern in patterns)


@settings(max_examples=2_000, deadline=None)
@given(st.lists(GLOBS, max_size=3), TEXTS)
@example(["a*a"], "a")
@example(["*"], "")
@example(["?"], "\n")
@example(["*a?*?b*"], "aab")
@example([], "")
def test_globs_fit_what_the_regular_expressions_fit(wanted: list[str], text: str) -> None:
    assert compile_globs(wanted)(text) == reference(wanted, text)


@settings(max_examples=2_000, deadline=None)
@given(st.lists(GLOBS, max_size=3), TEXTS)
def test_in_long_texts_too(wanted: list[str], text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        # All texts are long.
        patch.setattr(globs, "FEW_PLACES", 0)
        patch.setattr(globs, "FEW_STEPS", 0)
        assert compile_globs(wanted)(text) == reference(wanted, text)


@pytest.mark.parametrize(("letters", "few"), [(5, None), (4, 0)], ids=["one by one", "all places at once"])
def test_all_short_globs_and_texts_of_two_letters(
    letters: int, few: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if few is not None:
        monkeypatch.setattr(globs, "FEW_PLACES", few)
        monkeypatch.setattr(globs, "FEW_STEPS", few)
    short = [""]
    for _ in range(letters):
        short += [before + letter for before in short if len(before) == len(short[-1]) for letter in "ab*?"]
    texts = [glob for glob in short if not set(glob) & {"*", "?"}]
    if few is None:
        assert len(short) * len(texts) > 80_000
    for glob in short:
        fits = compile_globs([glob])
        pattern = re.compile(glob.replace("*", ".*").replace("?", "."))
        for text in texts:
            assert fits(text) == (pattern.fullmatch(text) is not None), (glob, text)


@pytest.mark.parametrize(
    ("glob", "text", "is_fitting"),
    [
        ("*\u00e9*", "a" * 9, False),
        ("*\u00e9*", "aaa\u00e9", True),
        ("*a\u00e9*b*", "ba\u00e9ab", True),
        ("*a*bc*a*", "abbcca", True),
        ("*ab*ab*ab", "abaabab", True),
        ("*ab*ab*ab", "abaaba", False),
        ("a*b?d*d", "abbcd" + "d", True),
        ("a*b?d*d", "abbcd", False),
        ("*b*a*", "aabab", True),
        ("*bb*b*", "abb", False),
        ("*\u00e9*", "aai", False),
        ("*\x00*b*", "a\x00b", True),
        ("*\x00*b*", "ab\x00", False),
    ],
)
def test_a_piece_is_found_at_its_first_place_and_before_the_last_piece(
    glob: str, text: str, is_fitting: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for few in (globs.FEW_PLACES, 1, 0):
        monkeypatch.setattr(globs, "FEW_PLACES", few)
        monkeypatch.setattr(globs, "FEW_STEPS", few)
        assert compile_globs([glob])(text) is is_fitting


LENGTH = 60_000
HOSTILE = {
    "a": [f"*a*a*a*a*ab{n}*" for n in range(100)],
    "aab": [f"*aaaab*aab*ab*aaaab*aaaac{n}*" for n in range(100)],
    "buycheap": [f"*buy*cheap*buycheapc*pills*{n}*" for n in range(100)],
    "ab": [f"*ab*ba*a?b*bb*abc{n}*" for n in range(100)],
    "abab?": [f"*a?b?b*b??a*a?a?ab*a?c*?{n}*" for n in range(100)],
    "\u4e00\u4e01": [f"*\u4e00?\u4e00\u4e00*\u4e01\u4e01*\u4e00*\u4e01?x*{n}*" for n in range(100)],
}


@pytest.mark.parametrize("unit", HOSTILE)
def test_each_piece_is_looked_for_once_behind_the_one_before(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    find = globs._Piece.find

    def counted(piece: globs._Piece, text: str, at: int, end: int) -> int:
        looked.append(at)
        return find(piece, text, at, end)

    monkeypatch.setattr(globs._Piece, "find", counted)
    text = unit * (LENGTH // len(unit))
    for glob in HOSTILE[unit]:
        looked.clear()
        assert not compile_globs([glob])(text)
        assert 0 < len(looked) <= 6 and looked == sorted(set(looked))
