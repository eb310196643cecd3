"""Scans SQL as the databases' own scanners do: finds its words, its `?`, and the number of its statements.

What is a string, a quoted name or a comment here is one for the database as well. SQL that versions of one database
read differently is refused. The scan takes linear time.
"""

import re
from collections.abc import Callable

import attr


class BadStatement(Exception):
    """The statement is not run, or its rows are not returned. The message is for the module's author."""


@attr.s(frozen=True, slots=True, auto_attribs=True)
class Scan:
    """What a scan has found."""

    # Words in lower case; none from strings, quoted names or comments.
    words: tuple[str, ...]
    # Quoted names, without their quotes.
    quoted_names: frozenset[str]
    # The place of each `?`, and whether it is a parameter: not so within a string, a quoted name or a comment.
    marks: tuple[tuple[int, bool], ...]
    # The number of statements that are not empty.
    statements: int

    @property
    def parameters(self) -> list[int]:
        """The places of all parameters."""
        return [at for at, is_parameter in self.marks if is_parameter]


# The first character of a name: A-Z, a-z, `_`, and for both databases all of Unicode beyond ASCII, even its spaces.
# Written as what it is not, since Python takes 5 ms to compile each range that reaches to the end of Unicode.
_LETTER = r"[^\x00-@\[-^`{-\x7f]"
# The same with 0-9, and in _IN_WORD with `$`.
_IN_TAG = r"[^\x00-/:-@\[-^`{-\x7f]"
_IN_WORD = r"[^\x00-\x23%-/:-@\[-^`{-\x7f]"
# The longest number in any version of a database. No letter may follow it (`_Scanner._number`).
_NUMBER = (
    r"(?:0[xX][0-9a-fA-F_]+|0[oObB][0-7_]+|(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9][0-9_]*)?)"
)
_COMMON = rf"""
    (?P<word>{_LETTER}{_IN_WORD}*)
    |(?P<number>{_NUMBER})
    |(?P<comment>--)
    |(?P<long_comment>/\*)
    |(?P<mark>\?)
    |(?P<end>;)
    |(?P<space>[ \t\n\r\f\v]+)
    |(?P<other>.)
"""
_POSTGRES = re.compile(
    rf"""
    (?P<escaped_text>[eE]')
    |(?P<quoted>['"])
    |(?P<dollar_text>\$(?:{_LETTER}{_IN_TAG}*)?\$)
    |{_COMMON}
    """,
    re.VERBOSE | re.DOTALL,
)
_SQLITE = re.compile(rf"(?P<quoted>['\"`])|(?P<bracketed>\[)|{_COMMON}", re.VERBOSE | re.DOTALL)

_LINE_END = {True: re.compile(r"[\n\r]"), False: re.compile(r"\n")}
_MARK = re.compile(r"\?")
_QUOTES = {quote: re.compile(f"{quote}{quote}?") for quote in "'\"`"}
_LONG_COMMENT_PART = re.compile(r"/\*|\*/")
_ESCAPED_TEXT_PART = re.compile(r"\\|'")
# PostgreSQL joins strings that only white space with a line break separates. In such a string, escapes go on.
_GOES_ON = re.compile(r"[ \t\f\v]*(?:--[^\n\r]*)?[\n\r](?:[ \t\n\r\f\v]|--[^\n\r]*[\n\r])*'")
# Must not stand beside a `?`: the parameter's value would become a part of it.
_TOUCHES = re.compile(rf"{_IN_WORD}|['\"`?]")
_GOES_ON_AS_WORD = re.compile(_IN_WORD)


def scan(sql: str, postgres: bool) -> Scan:
    """Scans SQL for PostgreSQL, or for SQLite. Raises BadStatement."""
    if "\0" in sql:
        raise BadStatement("a statement may not hold the character U+0000")
    return _Scanner(sql, postgres).scan()


class _Scanner:
    def __init__(self, sql: str, postgres: bool) -> None:
        self._sql = sql
        self._postgres = postgres
        self._words: list[str] = []
        self._names: set[str] = set()
        self._marks: list[tuple[int, bool]] = []
        self._statements = 0
        self._is_empty = True

    def scan(self) -> Scan:
        tokens = (_POSTGRES if self._postgres else _SQLITE).match
        ends: dict[str, Callable[[int, int], int]] = {
            kind: getattr(self, f"_{kind}")
            for kind in ("escaped_text", "quoted", "dollar_text", "bracketed", "comment", "long_comment", "number")
        }
        sql, at = self._sql, 0
        while (token := tokens(sql, at)) is not None:
            kind, start, at = token.lastgroup or "", token.start(), token.end()
            if kind == "word":
                self._words.append(token.group().lower())
            elif kind == "mark":
                self._parameter(start)
            elif kind == "end":
                self._is_empty = True
                continue
            elif kind in ends:
                at = ends[kind](start, at)
                # Only such a token can contain a `?`.
                self._marks += [(mark.start(), False) for mark in _MARK.finditer(sql, start, at)]
            if self._is_empty and kind not in ("space", "comment", "long_comment"):
                self._statements += 1
                self._is_empty = False
        return Scan(tuple(self._words), frozenset(self._names), tuple(self._marks), self._statements)

    def _parameter(self, at: int) -> None:
        if _TOUCHES.match(self._sql, at + 1) or (at > 0 and _TOUCHES.match(self._sql, at - 1)):
            raise BadStatement(
                "a `?` touches a letter, a digit or a quote: put a space in between (`?1` and the like are not known)"
            )
        self._marks.append((at, True))

    def _number(self, start: int, at: int) -> int:
        # Versions of PostgreSQL end such a number at different places.
        if _GOES_ON_AS_WORD.match(self._sql, at):
            raise BadStatement(f"a number runs into a word ({self._sql[start : at + 1]}): put a space in between")
        return at

    def _quoted(self, start: int, at: int) -> int:
        quote = self._sql[start]
        if self._postgres and quote == '"' and self._sql[max(0, start - 2) : start].lower() == "u&":
            raise BadStatement('a name may not be written with escapes (U&"..."): it would be another one')
        for part in _QUOTES[quote].finditer(self._sql, at):
            # A doubled quote stands for one quote.
            if part.group() == quote:
                if quote != "'":
                    self._names.add(self._sql[at : part.start()].replace(quote * 2, quote))
                return part.end()
        raise self._unclosed(quote)

    def _bracketed(self, start: int, at: int) -> int:
        if (end := self._sql.find("]", at)) < 0:
            raise self._unclosed("[")
        self._names.add(self._sql[at:end])
        return end + 1

    def _escaped_text(self, start: int, at: int) -> int:
        while (part := _ESCAPED_TEXT_PART.search(self._sql, at)) is not None:
            at = part.end()
            if part.group() == "\\" or self._sql.startswith("'", at):
                at += 1
            elif (more := _GOES_ON.match(self._sql, at)) is None:
                return at
            else:
                at = more.end()
        raise self._unclosed("'")

    def _dollar_text(self, start: int, at: int) -> int:
        tag = self._sql[start:at]
        if (end := self._sql.find(tag, at)) < 0:
            raise self._unclosed(tag)
        return end + len(tag)

    def _comment(self, start: int, at: int) -> int:
        end = _LINE_END[self._postgres].search(self._sql, at)
        return len(self._sql) if end is None else end.start()

    def _long_comment(self, start: int, at: int) -> int:
        depth = 1
        for part in _LONG_COMMENT_PART.finditer(self._sql, at):
            if part.group() == "*/":
                depth -= 1
            elif self._postgres:
                depth += 1
            if depth == 0:
                return part.end()
        raise self._unclosed("/*")

    def _unclosed(self, opening: str) -> BadStatement:
        return BadStatement(f"the statement ends within what {opening} begins")
