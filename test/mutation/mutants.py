"""Makes the mutants of a Python file: each is the file with one thing changed that ought to matter.

The changes are mutmut's, and three of our own: a condition that never holds, a statement that is left out, a function
that gives nothing. mutmut itself leaves out what stands outside of functions, and functions with a decorator; here
tables decide much. Texts for people (with a space in them), types and imports are left as they are.
"""

from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst
import libcst.matchers as m
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators


class Mutant(NamedTuple):
    line: int
    # The lines that the change takes away, and those that it puts in their place.
    was: str
    becomes: str
    source: str


def mutants_of(source: str) -> list[Mutant]:
    """In the order of the file, each kind of change once."""
    wrapper = MetadataWrapper(cst.parse_module(source))
    finder = _Finder()
    wrapper.visit(finder)
    made: dict[str, Mutant] = {}
    for node, changed in finder.found:
        mutated = wrapper.module.visit(_Replacement(node, changed)).code
        if mutated != source and _compiles(mutated):
            made.setdefault(mutated, Mutant(*_difference(source, mutated), mutated))
    return sorted(made.values(), key=lambda mutant: mutant.line)


class _Finder(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[cst.CSTNode, cst.CSTNode]] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if m.matches(node, _LEFT_ALONE) or _is_prose(node):
            return False
        self.found += [(node, changed) for changed in _changes(node)]
        return True


def _is_bound(node: cst.CSTNode) -> bool:
    """Whether it is computed from numbers, other constants and limits alone."""
    if isinstance(node, cst.BinaryOperation):
        return _is_bound(node.left) and _is_bound(node.right)
    return m.matches(node, m.Integer() | m.Float() | _CONSTANT_NAME | m.Subscript(m.Name("LIMITS")))


_CONSTANT_NAME = m.Name(m.MatchIfTrue(str.isupper))
_CONSTANT = [m.AssignTarget(_CONSTANT_NAME)]
_LEFT_ALONE = m.OneOf(
    m.Annotation(),
    m.Decorator(),
    m.Import(),
    m.ImportFrom(),
    # With it, `zip` fails instead of being wrong.
    m.Arg(keyword=m.Name("strict"), value=m.Name("True")),
    # How large a bound should be, no test of what happens there can tell.
    m.Assign(targets=_CONSTANT, value=m.MatchIfTrue(_is_bound)),
    m.Assign(targets=[m.AssignTarget(m.Name("logger"))]),
)


def _is_prose(node: cst.CSTNode) -> bool:
    if isinstance(node, cst.ConcatenatedString):
        return _is_prose(node.left) or _is_prose(node.right)
    return isinstance(node, cst.SimpleString) and " " in node.value


def _changes(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    if isinstance(node, cst.SimpleString):
        yield node.with_changes(value=f"{node.prefix}{node.quote}XX{node.raw_value}XX{node.quote}")
        return
    for kind, operator in mutation_operators:
        if isinstance(node, kind):
            yield from (changed for changed in operator(node) if not _is_obvious(node, changed))
    if isinstance(node, cst.If | cst.CompIf):
        yield node.with_changes(test=_never(node.test))
    elif isinstance(node, cst.Return) and not m.matches(node, _SAYS_NO_MORE):
        yield node.with_changes(value=cst.Name("None"))
    elif isinstance(node, cst.SimpleStatementLine) and m.matches(node.body[0], _LEFT_OUT):
        yield node.with_changes(body=[cst.Pass()])


def _is_obvious(node: cst.CSTNode, changed: cst.CSTNode) -> bool:
    """Whether it shows no more than that a call without its arguments fails, or than another change."""
    if isinstance(node, cst.Assign):
        return m.matches(node.value, _BOOLEAN)
    if not isinstance(node, cst.Call) or not isinstance(changed, cst.Call):
        return False
    gone = [arg for arg in node.args if arg not in changed.args]
    if m.matches(node.func, m.Name("len") | m.Name("isinstance")) or any(m.matches(arg, _LEFT_ALONE) for arg in gone):
        return True
    positional = [arg for arg in node.args if arg.keyword is None]
    return len(changed.args) < len(node.args) and gone[0] in positional[:-1]


# They are changed into each other, and None is only another False.
_BOOLEAN = m.Name("True") | m.Name("False")
_SAYS_NO_MORE = m.Return(None) | m.Return(_BOOLEAN | m.Name("None"))
# Assignments to names are not among them: whoever reads the name would fail at once.
_LEFT_OUT = m.OneOf(
    m.Expr(m.OneOf(m.Call(), m.Await())),
    m.Raise(),
    m.AugAssign(),
    m.Del(),
    m.Assign(targets=[m.AssignTarget(m.OneOf(m.Attribute(), m.Subscript()))]),
)


def _never(test: cst.BaseExpression) -> cst.BaseExpression:
    inner = test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    return cst.BooleanOperation(left=inner, operator=cst.And(), right=cst.Name("False"))


class _Replacement(cst.CSTTransformer):
    """Puts one node in the place of another."""

    def __init__(self, node: cst.CSTNode, changed: cst.CSTNode) -> None:
        super().__init__()
        self._node = node
        self._changed = changed

    def on_visit(self, node: cst.CSTNode) -> bool:
        return node is not self._node

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> cst.CSTNode:  # type: ignore[override]
        return self._changed if original_node is self._node else updated_node


def _compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def _difference(source: str, mutated: str) -> tuple[int, str, str]:
    before, after = source.splitlines(), mutated.splitlines()
    first = 0
    while first < min(len(before), len(after)) and before[first] == after[first]:
        first += 1
    same = 0
    while same < min(len(before), len(after)) - first and before[-1 - same] == after[-1 - same]:
        same += 1
    return first + 1, _joined(before[first : len(before) - same]), _joined(after[first : len(after) - same])


def _joined(lines: list[str]) -> str:
    return " ".join(line.strip() for line in lines)
