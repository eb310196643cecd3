"""Reads the catalogue: the declarations of callbacks, wire types and ModuleApi methods.

The files lie beside the host that was built with them. They are read once, when this module is imported.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import attr

from synapse_module_bridge.schema.installed import SCHEMAS_FOLDER, read_schema
from synapse_module_bridge.schema.protocol import CALLBACK


@attr.s(frozen=True, slots=True, auto_attribs=True, kw_only=True)
class Param:
    """A parameter of a callback, or of a ModuleApi method."""

    name: str
    type: str
    optional: bool = False


@attr.s(frozen=True, slots=True, auto_attribs=True, kw_only=True)
class MembershipLock:
    """The path to a room's id, and the values that must be at other paths."""

    room: tuple[str, ...]
    where: Mapping[tuple[str, ...], str]


@attr.s(frozen=True, slots=True, auto_attribs=True, kw_only=True)
class Callback:
    """A callback as `schemas/callbacks.json` declares it."""

    name: str
    category: str
    since: str
    summary: str
    params: tuple[Param, ...]
    # The path to the user id whose server tells local calls from federated ones.
    subject: tuple[str, ...] | None
    # The path to the authenticated user who wrote what it is about; None where that is somebody else, or nobody.
    author: tuple[str, ...] | None
    # Where it has no author: the parameter that the question is about; None for all.
    about: str | None
    # What is answered a local author who is set aside, if it can be expressed.
    set_aside: str
    # Of which room Synapse holds the lock of the memberships while a local call runs, and when.
    membership_lock: MembershipLock | None
    result: str
    # The answer that means "no objection", as it travels.
    passes: Any
    # There is such an answer.
    passable: bool
    on_failure: Mapping[str, Any]
    notify: bool
    # Synapse calls it in every process.
    everywhere: bool
    # Synapse takes an exception for "allowed": a fault must answer instead of raising.
    swallows: bool
    # The callback that Synapse takes with it, or not at all.
    together: str | None
    # What a module throws is settled by policy, too.
    faults_by_policy: bool
    # What is answered where a module fails about a message of another server.
    remote_message_fault: str | None
    # It is asked with passwords or tokens.
    secret: bool
    # No opinion leaves it to whom Synapse asks next, which is on record.
    passed_on: bool
    # Modules declare a list of entries, by login type.
    listed: bool
    # It may be asked once more: it holds no secrets, is of use more than once, and its parameters outlast the call.
    repeatable: bool
    # Synapse itself puts the answers of several modules together, or asks the next one after an exception: each module
    # has a function of its own.
    per_module: bool
    # What each call looks up, looked up once.
    method: str = attr.ib(init=False)
    param_names: tuple[str, ...] = attr.ib(init=False)
    event_param: str | None = attr.ib(init=False)
    state_param: str | None = attr.ib(init=False)
    request_param: str | None = attr.ib(init=False)
    file_param: str | None = attr.ib(init=False)
    # The path to the room that it is about.
    room: tuple[str, ...] | None = attr.ib(init=False)

    @method.default
    def _method(self) -> str:
        return CALLBACK + self.name

    @param_names.default
    def _param_names(self) -> tuple[str, ...]:
        return tuple(param.name for param in self.params)

    @event_param.default
    def _event_param(self) -> str | None:
        return self.param_of_type("Event")

    @state_param.default
    def _state_param(self) -> str | None:
        return self.param_of_type("StateEvents")

    @request_param.default
    def _request_param(self) -> str | None:
        return self.param_of_type("HttpRequest")

    @file_param.default
    def _file_param(self) -> str | None:
        return self.param_of_type("FileWrapper")

    @room.default
    def _room(self) -> tuple[str, ...] | None:
        if self.event_param is not None:
            return (self.event_param, "room_id")
        room = self.param_of_type("RoomId")
        return None if room is None else (room,)

    def param_of_type(self, type_name: str) -> str | None:
        """The first one."""
        return next((param.name for param in self.params if param.type == type_name), None)


@attr.s(frozen=True, slots=True, auto_attribs=True, kw_only=True)
class Method:
    """A ModuleApi method as `schemas/api.json` declares it."""

    name: str
    access: str
    since: str | None
    # Which process of Synapse can do it; None: any.
    process: str | None
    params: tuple[Param, ...]
    result: str
    # What an admin lists so that a module may use it.
    grant: str
    # Not of Synapse's ModuleApi: the shim has it, or the host alone.
    added: bool


def _params(declared: Mapping[str, str]) -> tuple[Param, ...]:
    return tuple(
        Param(
            name=name.rstrip("?"),
            type=type_name.rstrip("?"),
            optional=name.endswith("?"),
        )
        for name, type_name in declared.items()
    )


# What is there only while its call lasts.
_PASSING = {"HttpRequest", "FileWrapper"}


def _callback(name: str, entry: Mapping[str, Any], types: Mapping[str, Any]) -> Callback:
    result = types[entry["result"]]
    passes = result["pass"]
    faults = entry.get("faults")
    return Callback(
        name=name,
        category=entry["category"],
        since=entry["since"],
        summary=entry["summary"],
        params=_params(entry["params"]),
        subject=tuple(entry["subject"].split(".")) if "subject" in entry else None,
        author=tuple(entry["author"].split(".")) if "author" in entry else None,
        about=entry.get("about"),
        set_aside=entry.get("set_aside", "deny"),
        membership_lock=_membership_lock(entry["membership_lock"]) if "membership_lock" in entry else None,
        result=entry["result"],
        passes=passes[0] if passes else None,
        passable=bool(passes),
        on_failure=entry["on_failure"],
        notify=entry.get("delivery") == "notify",
        everywhere=entry.get("processes") == "all",
        swallows=entry.get("swallows", False),
        together=entry.get("together"),
        faults_by_policy=faults == "policy",
        remote_message_fault=faults["remote_message"] if isinstance(faults, dict) else None,
        secret=entry.get("secret", False),
        passed_on=result.get("passed_on", False),
        listed=entry.get("listed", False),
        repeatable=not ({"secret", "once"} & entry.keys() or _PASSING & set(entry["params"].values())),
        per_module=bool({"listed", "apart"} & entry.keys()) or result.get("merge", False),
    )


def _membership_lock(entry: Mapping[str, Any]) -> MembershipLock:
    where = {tuple(path.split(".")): value for path, value in entry.get("where", {}).items()}
    return MembershipLock(room=tuple(entry["room"].split(".")), where=where)


def _method(name: str, entry: Mapping[str, Any]) -> Method:
    return Method(
        name=name,
        access=entry["access"],
        since=entry.get("since"),
        process=entry.get("process"),
        params=_params(entry["params"]),
        result=entry["result"].rstrip("?"),
        grant=entry.get("grant", name),
        added=entry.get("added", False),
    )


def _digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(SCHEMAS_FOLDER.iterdir(), key=lambda path: path.name):
        if path.suffix == ".json":
            digest.update(path.read_bytes())
    return digest.hexdigest()


TYPES: Mapping[str, Any] = read_schema("types.json")["definitions"]
CALLBACKS: Mapping[str, Callback] = {
    name: _callback(name, entry, TYPES) for name, entry in read_schema("callbacks.json").items()
}
METHODS: Mapping[str, Method] = {
    name: _method(name, entry) for name, entry in read_schema("api.json")["methods"].items()
}
CONFIG_SCHEMA: Mapping[str, Any] = read_schema("config.schema.json")
DIGEST = _digest()
