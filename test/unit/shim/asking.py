"""Asks callbacks as Synapse does, of a host that answers as each test says."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from objects import event, request
from synapse.api.presence import UserPresenceState
from synapse.config.repository import MediaUploadLimit
from synapse.module_api.callbacks.federation import FederatedEventDeliveryMethod, FederationEventDeliveryEvent
from synapse.types import RoomAlias, UserID, create_requester
from synapse_module_bridge.calls.call import Call, Rules
from synapse_module_bridge.calls.exchange import Exchange
from synapse_module_bridge.calls.open_calls import OpenCalls
from synapse_module_bridge.codec.match import lookup
from synapse_module_bridge.configuration.config import Timeout
from synapse_module_bridge.pipeline.pipeline import Pipeline
from synapse_module_bridge.pipeline.round_trip import RoundTrip
from synapse_module_bridge.quarantine.quarantine import Quarantine
from synapse_module_bridge.quarantine.settling import Settling
from synapse_module_bridge.quarantine.suspects import Recent
from synapse_module_bridge.reactor.deadline import DeadlinePassed
from synapse_module_bridge.resilience.circuit_breaker import CircuitBreaker
from synapse_module_bridge.resilience.policy import Policies
from synapse_module_bridge.routing.entry import Entry, bind
from synapse_module_bridge.schema.catalogue import CALLBACKS, Callback
from synapse_module_bridge.schema.on_failure import OnFailure
from synapse_module_bridge.schema.protocol import ERROR_CODES
from synapse_module_bridge.transport.rpc import RpcError
from twisted.internet.defer import Deferred, ensureDeferred, fail, succeed

ASKED = [name for name, callback in CALLBACKS.items() if not callback.notify]
# A fault raises what an exception in a Python module would.
RAISES = [name for name in ASKED if not CALLBACKS[name].swallows and not CALLBACKS[name].faults_by_policy]
SWALLOWS = [name for name in ASKED if CALLBACKS[name].swallows]


class Host:
    """Answers the calls with these outcomes in turn, the last one again and again; an exception is raised."""

    def __init__(self, *outcomes: Any) -> None:
        self.outcomes = list(outcomes)
        self.calls: list[tuple[str, Any, float]] = []

    is_up = True

    async def until_up(self, deadline: float) -> None:
        pass

    async def until_up_again(self) -> None:
        pass

    async def within(self, deferred: Any, deadline: float) -> Any:
        if not deferred.called:
            # Nothing waits in line.
            raise DeadlinePassed
        return await deferred

    def call(self, method: str, params: Any, deadline: float, on_late: Any = None) -> "Deferred[Any]":
        params = params() if callable(params) else params
        self.calls.append((method, params, deadline - time.monotonic()))
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        return fail(outcome) if isinstance(outcome, Exception) else succeed(outcome)


def answer(value: Any, module: str | None = "m") -> dict[str, Any]:
    return {"answer": value, "module": module, "asked": []}


def whose(callback: Callback, params: Mapping[str, Any]) -> tuple[bool, str]:
    subject = lookup(params, callback.subject) if callback.subject else None
    if not isinstance(subject, str):
        return True, ""
    server = subject.partition(":")[2]
    return (True, subject) if server == "test" else (False, server)


def entry(module: str, **more: Any) -> Entry:
    """One that is asked about everything."""
    breaker = CircuitBreaker(module, time.monotonic)
    return Entry(**{"module": module, "matches": None, "room_state": [], "breaker": breaker, **more})


def calls_over(host: Host, policies: Policies | None = None) -> Pipeline:
    rules = Rules(
        server_name="test",
        whose=whose,
        timeout=Timeout(local=1_000, federated=2_000),
        callback_timeouts={},
        policies=policies or Policies(OnFailure(), {}),
    )
    exchange, quarantine = Exchange(host, OpenCalls()), Quarantine("test")
    trip = RoundTrip(exchange, quarantine, Recent(), "test")
    trip.settling = Settling(host, exchange.entrance, quarantine, trip.ask_apart, lambda func: ensureDeferred(func()))  # type: ignore[arg-type]
    return Pipeline(host, trip, rules)


def call_of(name: str, args: Sequence[Any] | None = None, calls: Pipeline | None = None) -> Call:
    """A call as it begins, about what Synapse passes."""
    callback = CALLBACKS[name]
    calls = calls or calls_over(Host(answer("NOT_SPAM", None)))
    return calls.rules.begin(callback, bind(callback, sample(callback) if args is None else args))


def message_from(sender: str) -> Call:
    """A call about a message of somebody."""
    return call_of("check_event_for_spam", [event(sender=sender)])


def ask(
    name: str,
    host: Host,
    args: Sequence[Any] | None = None,
    *,
    modules: Sequence[str] = ("m",),
    policies: Policies | None = None,
    calls: Pipeline | None = None,
) -> Any:
    """What Synapse gets from a callback that some modules have declared."""
    callback = CALLBACKS[name]
    calls = calls or calls_over(host, policies)
    if name not in calls.entries:
        calls.entries = {name: [entry(module) for module in modules]}
    call = calls.rules.begin(callback, bind(callback, sample(callback) if args is None else args))
    coroutine: Any = calls.ask(call, [*calls.entries[name]])
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("the fake host never waits")


def sample(callback: Callback) -> list[Any]:
    """Arguments as Synapse passes them, about a local user."""
    values: dict[str, Any] = {
        "Event": event(),
        "StateEvents": {("m.room.create", ""): event(type="m.room.create", state_key="")},
        "UserId": "@alice:test",
        "RoomAlias": RoomAlias("a", "test"),
        "Requester": create_requester(UserID("alice", "test")),
        "FileWrapper": type("FileWrapper", (), {"path": "/file"})(),
        "FileInfo": type(
            "FileInfo", (), {"server_name": None, "file_id": "f", "url_cache": False, "thumbnail": None}
        )(),
        "RequestInfo": [("agent", "1.2.3.4")],
        "Flag": True,
        "Integer": 7,
        "JsonObject": {},
        "MediaUploadLimit": MediaUploadLimit(max_bytes=1, time_period_ms=2),
        "UserPresenceStates": [UserPresenceState.default("@alice:test")],
        "HttpRequest": request(),
        "FederationEventDeliveryEvent": FederationEventDeliveryEvent(
            server_name="remote", events=[event()], method=FederatedEventDeliveryMethod.SEND
        ),
    }
    by_param = {"new_visibility": "public", "user_profile": {"user_id": "@bob:test"}}
    return [
        by_param.get(param.name, values.get(param.type, {} if param.type.endswith(("Config", "Object")) else "text"))
        for param in callback.params
    ]


async def nobody(callback: Callback, args: Sequence[Any]) -> None:
    raise AssertionError("must not be called")


FAULT = RpcError(ERROR_CODES["module_fault"], "m: it threw", {"module": "m"})
THROWN = RpcError(
    ERROR_CODES["synapse_error"],
    "x",
    {"module": "m", "code": 500, "msg": "x", "errcode": "M_UNKNOWN", "additional_fields": {}},
)
