"""Prints as JSON what the Synapse of this Python offers to modules: callbacks, members of the ModuleApi, error codes.

It imports Synapse and nothing of this project, so it runs in the Python of any Synapse. Type hints give the types of
callbacks, and how many parameters they have. Only the places that call them tell the names, so the sources are read.
"""

import ast
import collections.abc
import inspect
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

import synapse
import synapse.module_api
from synapse.api.errors import Codes
from synapse.module_api import ModuleApi

FOLDER = Path(synapse.__file__).parent
# What a call of a callback, or of an asynchronous method, gives at first: only the rest says something.
WAITING = {"Awaitable", "Coroutine", "Deferred", "Generator"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


# ---- Type hints as text, which is the same for `Optional[X]` and `X | None`, and for `Dict` and `dict`.


def type_text(hint: Any) -> str:
    """A type hint, without the modules of its names."""
    if hint is None or hint is NoneType:
        return "None"
    if isinstance(hint, ForwardRef):
        return type_text(hint.__forward_arg__)
    if isinstance(hint, str):
        return re.sub(r"\b\w+\.", "", hint)
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return union_text(args)
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, args))}]"
    if origin is None:
        return str(getattr(hint, "__name__", None) or re.sub(r"\b\w+\.", "", repr(hint)))
    name = getattr(origin, "__name__", repr(origin))
    if not args:
        return name
    if name == "AbstractAsyncContextManager":
        args = args[:1]  # newer Pythons add what leaving it gives
    inner = ", ".join(
        f"[{', '.join(map(type_text, one))}]" if isinstance(one, list) else type_text(one) for one in args
    )
    return f"{name}[{inner}]"


def union_text(members: tuple[Any, ...]) -> str:
    """A union, in an order of its own: that of the sources means nothing. None is its end."""
    texts = {type_text(member) for member in members}
    return " | ".join([*sorted(texts - {"None"}), *sorted(texts & {"None"})])


def resolved(hint: Any, names: dict[str, Any]) -> Any:
    """A hint that is written as a string, where the names that it needs exist at run time."""
    if not isinstance(hint, str):
        return hint
    try:
        return eval(hint, names)  # Synapse's own source
    except (NameError, AttributeError, TypeError):
        return hint


def result_text(hint: Any) -> str:
    """What comes out in the end of a callback or of a method."""
    if hint is inspect.Parameter.empty:
        return "Any"
    name = getattr(get_origin(hint) or hint, "__name__", None)
    if name in WAITING:
        args = get_args(hint)
        return type_text(args[-1]) if args else "Any"
    return type_text(hint)


def functions_in(hint: Any) -> Iterator[Any]:
    """The types of functions that a hint allows, such as those of a dict of functions."""
    if get_origin(hint) is collections.abc.Callable:
        yield hint
        return
    for arg in get_args(hint):
        yield from functions_in(arg)


# ---- Where Synapse keeps callbacks, and calls them.


@dataclass
class Source:
    """A function of Synapse, and what is in it."""

    at: str
    function: Function
    assignments: list[ast.Assign] = field(default_factory=list)
    loops: list[ast.For | ast.AsyncFor] = field(default_factory=list)
    calls: list[ast.Call] = field(default_factory=list)
    attributes: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for node in ast.walk(self.function):
            if isinstance(node, ast.Assign):
                self.assignments.append(node)
            elif isinstance(node, ast.For | ast.AsyncFor):
                self.loops.append(node)
            elif isinstance(node, ast.Call):
                self.calls.append(node)
            elif isinstance(node, ast.Attribute):
                self.attributes.add(node.attr)

    @property
    def params(self) -> list[str]:
        """The names of the parameters, all but `self`."""
        args = self.function.args
        names = [arg.arg for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs)]
        return names[1:] if names[:1] == ["self"] else names


def read_sources() -> list[Source]:
    """The functions of all files that have to do with callbacks."""
    sources = []
    for path in sorted(FOLDER.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "callback" in text:
            at = path.relative_to(FOLDER).as_posix()
            sources += [Source(at, node) for node in ast.walk(ast.parse(text)) if isinstance(node, Function)]
    return sources


@dataclass
class Alias:
    """The names that stand for one callback in a function."""

    names: set[str]

    def is_in(self, node: ast.AST) -> bool:
        """Whether an expression is the callback, or `cast` to another type of it."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "cast":
            node = node.args[-1]
        return isinstance(node, ast.Name) and node.id in self.names

    def follow(self, source: Source) -> None:
        """Adds the names that the function gives it."""
        for loop in source.loops:
            if self._is_of_items(loop.iter) and isinstance(loop.target, ast.Tuple):
                self.add([loop.target.elts[-1]])
        for assignment in source.assignments:
            if self.is_in(assignment.value):
                self.add(assignment.targets)

    def add(self, targets: list[ast.expr]) -> None:
        """What is bound to the callback, if it is a name."""
        self.names.update(target.id for target in targets if isinstance(target, ast.Name))

    def _is_of_items(self, node: ast.AST) -> bool:
        """`for (login_type, fields), callback in auth_checkers.items()`."""
        func = node.func if isinstance(node, ast.Call) else None
        return isinstance(func, ast.Attribute) and func.attr == "items" and self.is_in(func.value)


def kept_in(sources: list[Source], name: str, param: str) -> set[str]:
    """The attributes in which a callback is kept, from the function that takes it on."""
    attributes: set[str] = set()
    to_do, seen = [(name, param)], set()
    while to_do:
        step = to_do.pop()
        if step in seen:
            continue
        seen.add(step)
        for source in sources:
            if source.function.name != step[0] or step[1] not in source.params:
                continue
            alias = Alias({step[1]})
            alias.follow(source)
            for assignment in source.assignments:
                if alias.is_in(assignment.value):
                    attributes.update(one.attr for one in assignment.targets if isinstance(one, ast.Attribute))
            for call in source.calls:
                if not isinstance(call.func, ast.Attribute):
                    continue
                called = call.func.attr
                given = [index for index, arg in enumerate(call.args) if alias.is_in(arg)]
                if called == "append":
                    attributes.update(attributes_of(call.func.value) if given else [])
                    continue
                named = [one.arg for one in call.keywords if one.arg and alias.is_in(one.value)]
                if given:
                    takers = [one.params for one in sources if one.function.name == called]
                    named += [params[index] for params in takers for index in given if index < len(params)]
                to_do += [(called, taken) for taken in named]
    return attributes


def attributes_of(node: ast.AST) -> Iterator[str]:
    """The attribute of `self.kept` and of `self.kept.setdefault(…)` and of `self.kept[…]`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        node = node.func.value
    if isinstance(node, ast.Subscript):
        node = node.value
    if isinstance(node, ast.Attribute):
        yield node.attr


def calls_of(sources: list[Source], attributes: set[str]) -> list[dict[str, Any]]:
    """The places that call what is kept in one of the attributes, each with the names of what it gives."""
    calls = {}
    for source in sources:
        if not attributes & source.attributes:
            continue
        alias = Alias(set())
        for loop in source.loops:
            if attributes & set(attributes_of(loop.iter)):
                alias.add([loop.target])
        for assignment in source.assignments:
            if attributes & set(attributes_of(assignment.value)):
                alias.add(assignment.targets)
        alias.follow(source)
        for call in source.calls:
            direct = isinstance(call.func, ast.Attribute) and call.func.attr in attributes
            if direct or alias.is_in(call.func):
                # By its place: what is in a function that is in another is found twice.
                calls[source.at, call.lineno] = {
                    "at": f"{source.at}:{call.lineno}",
                    "in_order": [argument_name(arg) for arg in call.args],
                    "by_name": [one.arg for one in call.keywords],
                }
    return [calls[place] for place in sorted(calls)]


def argument_name(node: ast.AST) -> str | None:
    """What an argument is called where it is given: also in `deepcopy(content)` and `user_profile.copy()`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Call):
        if len(node.args) == 1:
            return argument_name(node.args[0])
        if not node.args and isinstance(node.func, ast.Attribute):
            return argument_name(node.func.value)
    return None


def first_sentence(text: str | None) -> str | None:
    """The first sentence of a docstring."""
    paragraph = " ".join((text or "").split("Args:")[0].strip().split("\n\n")[0].split())
    found = re.match(r".+?[.?](?=\s|$)", paragraph)
    return found.group() if found else paragraph or None


# ---- The three parts of the answer.


def callbacks() -> dict[str, Any]:
    """By category, and in it by name."""
    sources = read_sources()
    described: dict[str, Any] = {}
    for method_name, method in inspect.getmembers(ModuleApi, inspect.isfunction):
        found = re.fullmatch(r"register_(\w+)_callbacks", method_name)
        if found is None:
            continue
        category = described.setdefault(found.group(1), {})
        for parameter in list(inspect.signature(method).parameters.values())[1:]:
            hint = resolved(parameter.annotation, method.__globals__)
            category[parameter.name] = callback(sources, method_name, parameter.name, hint)
    return described


def callback(sources: list[Source], method_name: str, name: str, hint: Any) -> dict[str, Any]:
    """One callback: each form in which Synapse takes it, and where it is called."""
    forms = []
    for function in functions_in(hint):
        params, result = get_args(function)
        taken = None if params is Ellipsis else [type_text(param) for param in params]
        forms.append({"params": taken, "result": result_text(result)})
    calls = calls_of(sources, kept_in(sources, method_name, name))
    # Synapse often calls it in a function of the same name.
    files = {one["at"].split(":")[0] for one in calls}
    texts = [ast.get_docstring(one.function) for one in sources if one.function.name == name and one.at in files]
    return {"forms": forms, "calls": calls, "told": next((first_sentence(text) for text in texts if text), None)}


def api() -> dict[str, Any]:
    """The public members of the ModuleApi, and those of the objects that it offers, joined by a dot."""
    members: dict[str, Any] = {name: {"kind": "property", "type": None} for name in attributes_set()}
    for name, member in public(ModuleApi):
        if not isinstance(member, property):
            members[name] = method_of(member, vars(synapse.module_api))
            continue
        hint = resolved(inspect.signature(getter(member)).return_annotation, vars(synapse.module_api))
        if isinstance(hint, type) and hint.__module__.startswith("synapse."):
            names = vars(inspect.getmodule(hint))
            members.update({f"{name}.{one}": method_of(function, names) for one, function in public(hint)})
        else:
            members[name] = {"kind": "property", "type": type_text(hint), **told(member)}
    return members


def getter(member: property) -> Callable[..., Any]:
    """The function of a property."""
    assert member.fget is not None
    return member.fget


def attributes_set() -> Iterator[str]:
    """The public attributes that a ModuleApi gets when it is made, so that its class does not have them."""
    [cls] = ast.parse("class C:\n" + inspect.getsource(ModuleApi.__init__)).body
    for node in ast.walk(cls):
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        for target in targets:
            if isinstance(target, ast.Attribute) and not target.attr.startswith("_"):
                yield target.attr


def public(cls: type) -> Iterator[tuple[str, Any]]:
    """The members without an underscore, as the class has them."""
    for name, _ in inspect.getmembers(cls):
        if not name.startswith("_"):
            yield name, inspect.getattr_static(cls, name)


def method_of(member: Any, names: dict[str, Any]) -> dict[str, Any]:
    """A method: its parameters in order, and what it gives."""
    if not callable(member):
        return {"kind": "property", "type": type_text(type(member)), **told(member)}
    signature = inspect.signature(member)
    taken = [one for name, one in signature.parameters.items() if name != "self"]
    params = {
        one.name: {
            "optional": one.default is not inspect.Parameter.empty,
            "type": type_text(resolved(one.annotation, names)),
            "many": one.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD),
            "function": any(True for _ in functions_in(resolved(one.annotation, names))),
        }
        for one in taken
    }
    result = result_text(resolved(signature.return_annotation, names))
    return {"kind": "method", "params": params, "result": result, **told(member)}


def told(member: Any) -> dict[str, Any]:
    """What the documentation says: what it is, and since when Synapse has it."""
    text = inspect.getdoc(member) or ""
    since = re.search(r"Added in Synapse v?([0-9.]+[0-9])", text)
    return {"since": since and since.group(1), "told": first_sentence(text)}


def main() -> None:
    """Prints the answer."""
    answer = {
        "version": version("matrix-synapse"),
        "callbacks": callbacks(),
        "api": api(),
        "codes": {code.name: code.value for code in Codes},
    }
    print(json.dumps(answer))


main()
