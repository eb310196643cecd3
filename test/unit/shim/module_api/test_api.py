"""The host's requests to the ModuleApi: what is refused and why, and changes of membership inside callbacks."""

import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import attr
import pytest
from objects import event
from synapse.config._base import ShardedWorkerHandlingConfig
from synapse.logging.context import make_deferred_yieldable, run_in_background
from synapse.module_api.errors import SynapseError
from synapse.types import UserID
from synapse_module_bridge.calls.membership_lock import MembershipChanges, locked_room
from synapse_module_bridge.calls.open_calls import OpenCall, OpenCalls
from synapse_module_bridge.module_api import http_client
from synapse_module_bridge.module_api.api import ApiRequests
from synapse_module_bridge.module_api.methods import ApiMethods
from synapse_module_bridge.schema.catalogue import CALLBACKS, METHODS
from synapse_module_bridge.schema.protocol import ERROR_CODES
from synapse_module_bridge.transport.rpc import RpcError
from turning import reactor, settled, turn_until
from twisted.internet.defer import CancelledError, Deferred


class Writers:
    presence = ("events1",)


PUSHERS = ShardedWorkerHandlingConfig(["pusher1", "pusher2"])
# The one that sends the pushes of @a:test.
PUSHER = next(name for name in PUSHERS.instances if PUSHERS.should_handle(name, "@a:test"))


class Worker:
    """A ModuleApi in a worker, of a Synapse that lacks some of it."""

    def __init__(self) -> None:
        self._hs: Any = self
        self.config = self
        self.worker = self
        self.writers = Writers()
        self.pusher_shard_config = PUSHERS
        self.names: list[Any] = []

    def get_instance_name(self) -> str:
        return "worker1"

    def run_as_background_process(self, desc: str, func: Any) -> Any:
        return run_in_background(func)

    async def set_displayname(self, user_id: UserID, new_displayname: str) -> None:
        self.names.append((user_id, new_displayname))

    async def is_user_admin(self, user_id: str) -> bool:
        raise AssertionError


def ask(method: str, params: dict[str, Any], grants: Any = "all", api: Any = None) -> Any:
    """What the host gets: a result, or a RpcError."""
    turn_until(lambda: True)
    synapse: Any = api or Worker()
    requests = ApiRequests(synapse, OpenCalls(), reactor, {})
    requests.grants.set({"m": grants})
    answers: list[Any] = []
    module = params.pop("module", "m")
    asked = {"module": module, "params": params}
    requests.handle(f"api/{method}", asked, answers.append, answers.append, {"shadow": "shadow", "off": "off"})
    turn_until(lambda: answers)
    return answers[0]


USER = "@a:test"
NAME = {"user_id": USER, "new_displayname": "A"}


@pytest.mark.parametrize(
    ("method", "params", "kind", "message"),
    [
        ("set_push_rule_action", dict.fromkeys(("user_id", "scope", "kind", "rule_id", "actions"), ""), "wrong_process",
         "set_push_rule_action works only in the main process, and this is worker1: compare api.worker_name"),
        ("set_presence_for_users", {"users": {}}, "wrong_process",
         "set_presence_for_users works only in events1, and this is worker1"),
        ("send_http_push_notification", {"user_id": "@a:test", "device_id": None, "content": {}}, "wrong_process",
         f"send_http_push_notification works only in {PUSHER}, and this is worker1"),
        ("delete_room", {"room_id": "!r"}, "api_error", "has no delete_room: it came with 1.89.0"),
        ("set_displayname", {**NAME, "deactivation": True}, "api_error", "has no parameter deactivation"),
        ("set_displayname", {"user_id": USER}, "api_error", "the parameter new_displayname is missing"),
        ("is_user_admin", {"user_id": USER}, "api_error", "AssertionError"),
        ("delete_room", {"module": "shadow"}, "not_granted", "it is a shadow module"),
        ("delete_room", {"module": "off"}, "not_granted", "it is switched off"),
        ("delete_room", {"module": None}, "not_granted", "write `grants: [delete_room]`"),
    ],
)  # fmt: skip
def test_a_refusal_says_why(method: str, params: dict[str, Any], kind: str, message: str) -> None:
    refused = ask(method, dict(params))
    assert isinstance(refused, RpcError)
    assert refused.code == ERROR_CODES[kind]
    assert message in refused.message


def test_a_parameter_that_this_synapse_lacks_is_named_with_its_release(monkeypatch: pytest.MonkeyPatch) -> None:
    declared = METHODS["set_displayname"]
    params = tuple(attr.evolve(param, since="1.900.0") for param in declared.params)
    monkeypatch.setitem(METHODS, "set_displayname", attr.evolve(declared, params=params))
    refused = ask("set_displayname", {**NAME, "deactivation": True})
    assert f"has no parameter deactivation in this Synapse ({version('matrix-synapse')}): it came with 1.900.0" in (
        refused.message
    )


@pytest.mark.parametrize(
    ("grants", "method", "granted"),
    [
        (["set_displayname"], "set_displayname", True),
        (["delete_room"], "set_displayname", False),
        ([], "set_displayname", False),
        (["http_client"], "http_client.get_json", True),
        (["http_client.get_raw"], "http_client.get_json", False),
        (["http_client"], "account_data_manager.put_global", False),
    ],
)
def test_a_write_is_granted_by_its_name_or_its_group(grants: list[str], method: str, granted: bool) -> None:
    answer = ask(method, {}, grants)
    assert (answer.code != ERROR_CODES["not_granted"]) is granted


def test_what_synapse_wants_as_an_object_travels_as_a_string() -> None:
    api = Worker()
    assert ask("set_displayname", dict(NAME), api=api) is None
    assert api.names == [(UserID.from_string(USER), "A")]


class Authenticating(Worker):
    """Looks at a request's access token only once, and takes its time."""

    def __init__(self) -> None:
        super().__init__()
        self.looking: list[Deferred[Any]] = []

    async def get_user_by_req(self, req: Any) -> Any:
        self.looking.append(Deferred())
        user = await make_deferred_yieldable(self.looking[-1])
        assert req.user is None
        req.user = user
        return user


class Asked:
    user: Any = None


def test_who_makes_a_request_may_be_asked_several_times_at_once() -> None:
    turn_until(lambda: True)
    api: Any = Authenticating()
    methods, request = ApiMethods(api, reactor), Asked()
    askings = [
        run_in_background(methods.call, METHODS["get_user_by_req"], {"req": request, **flags})
        for flags in ({}, {}, {"allow_guest": True})
    ]
    api.looking[0].callback(USER)
    assert [settled(asking) for asking in askings[:2]] == [USER, USER]
    assert "with other flags" in str(settled(askings[2]))
    assert len(api.looking) == 1


def test_a_request_of_nobody_is_looked_at_again() -> None:
    turn_until(lambda: True)
    api: Any = Authenticating()
    methods, request = ApiMethods(api, reactor), Asked()
    askings = [run_in_background(methods.call, METHODS["get_user_by_req"], {"req": request}) for _ in range(2)]
    api.looking[0].errback(SynapseError(401, "x"))
    assert isinstance(settled(askings[0]), SynapseError)
    api.looking[1].callback(USER)
    assert settled(askings[1]) == USER


class Silent:
    """An HTTP client that gets no answer."""

    async def get_raw(self, uri: str) -> bytes:
        return await Deferred()


def test_an_answer_that_never_comes_is_waited_for_with_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "TIMEOUT_SECONDS", 0.05)
    api: Any = Worker()
    api.http_client = Silent()
    refused = ask("http_client.get_raw", {"uri": "http://x/"}, api=api)
    assert (refused.code, refused.data["code"]) == (ERROR_CODES["synapse_error"], 504)


class Members:
    """The room's changes in line."""

    def __init__(self) -> None:
        self._hs: Any = self
        self.member_linearizer = self
        self.in_line = True

    def get_room_member_handler(self) -> Any:
        return self

    def is_queued(self, key: tuple[str]) -> bool:
        assert key == ("!r",)
        return self.in_line


class Change:
    """A change of membership that is made from a call with little time left, and waits."""

    def __init__(self, members: Members, call: Callable[[], OpenCall | None], room_id: str = "!r") -> None:
        self.waiting: Deferred[str] = Deferred()
        self.changes = MembershipChanges(members, reactor)  # type: ignore[arg-type] # what it uses of it

        async def start() -> str:
            return await self.waiting

        self.result: Deferred[Any] = run_in_background(self.changes.run, start, room_id, (7, "m"), call)


@pytest.mark.parametrize(
    ("name", "params", "local", "room"),
    [
        ("user_may_join_room", {"user": USER, "room": "!r"}, True, "!r"),
        ("user_may_invite", {"inviter": USER, "room_id": "!r"}, True, "!r"),
        ("user_may_invite", {"inviter": "@a:other", "room_id": "!r"}, False, None),
        ("check_event_allowed", {"event": event(type="m.room.member")}, True, "!room:test"),
        ("check_event_allowed", {"event": event()}, True, None),
        ("user_may_create_room", {"user_id": USER}, True, None),
    ],
)
def test_only_a_local_call_about_a_membership_locks_its_room(
    name: str, params: dict[str, Any], local: bool, room: str | None
) -> None:
    assert locked_room(CALLBACKS[name], params, local=local) == room


def locked() -> OpenCall:
    call = OpenCall("user_may_invite", ["m"])
    call.locked_room, call.deadline = "!r", time.monotonic() + 0.1
    return call


def after_a_while() -> None:
    passed: list[bool] = []
    reactor.callLater(0.15, passed.append, True)
    turn_until(lambda: passed)


def test_a_change_that_waits_for_its_own_call_is_taken_out_of_the_line() -> None:
    turn_until(lambda: True)
    call = locked()
    change = Change(Members(), lambda: call)
    error = settled(change.result)
    assert isinstance(error, RpcError) and error.code == ERROR_CODES["membership_locked"]
    assert error.data == {"room_id": "!r"}
    assert change.waiting.called


def _others() -> list[tuple[str, Change]]:
    call = locked()
    not_in_line = Members()
    not_in_line.in_line = False
    calls: list[OpenCall | None] = [locked()]
    over = Change(Members(), lambda: calls[0])
    calls[0] = None
    not_awaited = Change(Members(), lambda: call)
    not_awaited.changes.not_awaited(7, "m")
    return [
        ("is not in line, but under way", Change(not_in_line, lambda: call)),
        ("is of another room", Change(Members(), lambda: call, "!other")),
        ("whose call has been answered", over),
        ("that its module does not wait for", not_awaited),
    ]


def test_any_other_change_goes_on() -> None:
    turn_until(lambda: True)
    others = _others()
    after_a_while()
    for what, change in others:
        assert (what, change.waiting.called) == (what, False)
        change.waiting.callback("done")
        assert (what, settled(change.result)) == (what, "done")


def test_a_change_that_synapse_cancels_is_cancelled() -> None:
    turn_until(lambda: True)
    call = locked()
    change = Change(Members(), lambda: call)
    change.waiting.cancel()
    assert isinstance(settled(change.result), CancelledError)
