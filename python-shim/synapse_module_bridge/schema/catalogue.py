"""Reads the catalogue: the declarations of callbacks, wire types and ModuleApi methods.

The build puts the files beside the host, so both sides have the same ones. They are read when this module is imported.
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
    # The name of a wire type.
    type: str
    optional: bool = False
    # The first release of Synapse that has it; None where it has always been one.
    since: str | None = None


@attr.s(frozen=True, slots=True, auto_attribs=True, kw_only=True)
class MembershipLock:
    """When Synapse holds the lock of a room's memberships during a local call: always, or for some parameters.

    Paths lead into the callback's parameters.
    """

    # The path to the room's id.
    room: tuple[str, ...]
    # The values that must be at other paths.
    where: Mapping[tuple[str, ...], str]


@attr.s(frozen=True, slots=True, auto_attribs=True, kw_only=True)
class Callback:
    """A callback as `schemas/callbacks.json` declares it. Paths lead into its parameters."""

    name: str
    # As in ModuleApi's `register_<category>_callbacks`.
    category: str
    # The first release of Synapse that has it.
    since: str
    summary: str
    # In Synapse's order.
    params: tuple[Param, ...]
    # The path to the user id whose server makes a call local or federated.
    subject: tuple[str, ...] | None
    # The path to the authenticated user who wrote what the call is about; None where nobody authenticated wrote it.
    author: tuple[str, ...] | None
    # Without an author: the parameter that a quarantine of the question compares; None for all parameters.
    about: str | None
    # The policy for calls of a local author who is set aside, where the callback can express it.
    set_aside: str
    membership_lock: MembershipLock | None
    # The name of the answer's wire type.
    result: str
    # The answer that means "no objection", as a wire value.
    passes: Any
    # Whether there is such an answer.
    passable: bool
    # The failure policies that it can express, with its default and its exceptions.
    on_failure: Mapping[str, Any]
    # Whether Synapse does not wait for an answer.
    notify: bool
    # Whether Synapse calls it in every process.
    everywhere: bool
    # Whether Synapse takes an exception for "allowed", so that a fault has to answer instead of raising.
    swallows: bool
    # Another callback without which Synapse refuses to register this one.
    together: str | None
    # Whether the failure policy answers also where a module throws.
    faults_by_policy: bool
    # The code for a message of another server about which a module fails.
    remote_message_fault: str | None
    # Whether its parameters contain passwords or tokens.
    secret: bool
    # What its parameters may hold, where it is never recorded for that.
    unrecorded: str | None
    # Whether Synapse asks somebody else after "no opinion", which the decision's record then says.
    passed_on: bool
    # Whether Synapse takes one for all modules, and asks nobody else.
    single: bool
    # Whether modules declare a list of entries, one for each login type.
    listed: bool
    # Whether it may be asked twice: it has no secrets, does not lose its use, and its parameters outlive the call.
    repeatable: bool
    # Whether Synapse gets one function for each module: it combines the answers itself, or goes on after an exception.
    per_module: bool
    # The rest is derived, once, since each call needs it. The method of its request:
    method: str = attr.ib(init=False)
    param_names: tuple[str, ...] = attr.ib(init=False)
    event_param: str | None = attr.ib(init=False)
    state_param: str | None = attr.ib(init=False)
    request_param: str | None = attr.ib(init=False)
    file_param: str | None = attr.ib(init=False)
    # The path to the id of the room that the call is about.
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
        """The name of the first parameter of this wire type."""
        return next((param.name for param in self.params if param.type == type_name), None)


@attr.s(frozen=True, slots=True, auto_attribs=True, kw_only=True)
class Method:
    """A ModuleApi method as `schemas/api.json` declares it."""

    # Dots lead into the ModuleApi's objects, as in `http_client.get_json`.
    name: str
    # `read`, `write`, or `sync` for what the host answers by itself.
    access: str
    # The first release of Synapse that has it; None where all supported ones have.
    since: str | None
    # The only kind of process that can do it, of `processes` in api.json; None for any.
    process: str | None
    params: tuple[Param, ...]
    # The name of the result's wire type.
    result: str
    # What an admin lists under `grants` so that a module may call it.
    grant: str
    # Whether Synapse's ModuleApi lacks it, so that the shim or the host provides it.
    added: bool


def _params(entry: Mapping[str, Any]) -> tuple[Param, ...]:
    since = entry.get("params_since", {})
    return tuple(
        Param(
            name=name.rstrip("?"),
            type=type_name.rstrip("?"),
            optional=name.endswith("?"),
            since=since.get(name.rstrip("?")),
        )
        for name, type_name in entry["params"].items()
    )


# Wire types whose objects are of use only while their call lasts.
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
        params=_params(entry),
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
        unrecorded="passwords or tokens" if "secret" in entry else entry.get("unrecorded"),
        passed_on=result.get("passed_on", False),
        single=entry.get("single", False),
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
        params=_params(entry),
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


# JSON Schemas by the name of their wire type.
TYPES: Mapping[str, Any] = read_schema("types.json")["definitions"]
CALLBACKS: Mapping[str, Callback] = {
    name: _callback(name, entry, TYPES) for name, entry in read_schema("callbacks.json").items()
}
METHODS: Mapping[str, Method] = {
    name: _method(name, entry) for name, entry in read_schema("api.json")["methods"].items()
}
CONFIG_SCHEMA: Mapping[str, Any] = read_schema("config.schema.json")
# SHA-256 over all files: the host refuses a shim that has others.
DIGEST = _digest()
