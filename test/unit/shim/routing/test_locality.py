"""Whose call it is: that of a user of ours, or another server's; also by who asks, through Synapse's own code."""

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from asking import sample
from objects import event
from synapse.events import EventBase
from synapse.federation.federation_base import FederationBase
from synapse.module_api import NOT_SPAM
from synapse.module_api.callbacks.spamchecker_callbacks import SpamCheckerModuleApiCallbacks
from synapse.util.clock import Clock
from synapse_module_bridge.routing import locality as module_under_test
from synapse_module_bridge.routing.entry import bind
from synapse_module_bridge.routing.locality import Locality
from synapse_module_bridge.schema.catalogue import CALLBACKS
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import Clock as Time


def locality(server_name: str = "test") -> Locality:
    return Locality(SimpleNamespace(server_name=server_name))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("inviter", "server_name", "expected"),
    [
        ("@alice:test", "test", (True, "@alice:test")),
        ("@alice:test:8448", "test:8448", (True, "@alice:test:8448")),
        ("@alice:test:8448", "test", (False, "test:8448")),
        ("@alice:remote", "test", (False, "remote")),
        ("@alice:TEST", "test", (False, "TEST")),
        ("alice", "test", (False, "")),
        (None, "test", (True, "")),
        (5, "test", (True, "")),
    ],
)
def test_a_call_is_its_subjects(inviter: Any, server_name: str, expected: tuple[bool, str]) -> None:
    params = {"inviter": inviter, "invitee": "@bob:elsewhere", "room_id": "!r:test"}
    whose = locality(server_name)
    assert whose.whose(CALLBACKS["user_may_invite"], params) == expected
    assert whose(CALLBACKS["user_may_invite"], params) is expected[0]


def test_a_call_about_nobody_is_local() -> None:
    about_nobody = [callback for callback in CALLBACKS.values() if callback.subject is None]
    assert about_nobody
    for callback in about_nobody:
        assert locality("elsewhere").whose(callback, {}) == (True, "")


@pytest.mark.parametrize("name", [name for name, callback in CALLBACKS.items() if callback.subject is not None])
def test_each_callback_with_a_subject_finds_it(name: str) -> None:
    params = bind(CALLBACKS[name], sample(CALLBACKS[name]))
    assert locality().whose(CALLBACKS[name], params) == (True, "@alice:test")


class Synapse:
    """What of it asks `check_event_for_spam`, with a module that notes whose the call is."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.locality = locality()
        self.told: list[tuple[bool, str]] = []
        hs: Any = SimpleNamespace(hostname="test", get_clock=lambda: Clock(Time(), "test"))  # type: ignore[arg-type]
        self.dispatcher = SpamCheckerModuleApiCallbacks(hs)
        self.dispatcher.register_callbacks(check_event_for_spam=self.module)
        # Whoever wants to sign and hash its events needs a whole server.
        monkeypatch.setattr("synapse.federation.federation_base._check_sigs_on_pdu", self.takes)
        monkeypatch.setattr("synapse.federation.federation_base.check_event_content_hash", lambda _: True)

    async def takes(self, *_: Any) -> bool:
        return True

    async def module(self, asked: EventBase) -> Any:
        self.told.append(self.locality.whose(CALLBACKS["check_event_for_spam"], {"event": asked}))
        return NOT_SPAM

    async def sends(self, of: EventBase) -> Any:
        return await self.dispatcher.check_event_for_spam(of)

    async def receives(self, of: EventBase, ask: Callable[[EventBase], Awaitable[Any]] | None = None) -> Any:
        federation = SimpleNamespace(
            keyring=None,
            _spam_checker_module_callbacks=SimpleNamespace(
                check_event_for_spam=ask or self.dispatcher.check_event_for_spam, NOT_SPAM=NOT_SPAM
            ),
            _lazily_get_policy_handler=lambda: SimpleNamespace(is_event_allowed=self.takes),
        )
        check: Any = FederationBase._check_sigs_and_hash
        return await check(federation, of.room_version, of)

    def whose(self, coroutine: Any) -> tuple[bool, str]:
        done: Deferred[Any] = ensureDeferred(coroutine)
        assert done.called and self.told
        return self.told.pop()


@pytest.fixture
def synapse(monkeypatch: pytest.MonkeyPatch) -> Synapse:
    return Synapse(monkeypatch)


OURS = (True, "@alice:test")


def test_an_event_of_ours_that_comes_back_over_federation_is_federated(synapse: Synapse) -> None:
    for _ in range(2):
        assert synapse.whose(synapse.sends(event())) == OURS
        assert synapse.whose(synapse.receives(event())) == (False, "test")
    assert synapse.whose(synapse.receives(event(sender="@eve:remote"))) == (False, "remote")


async def deeper(levels: int, func: Callable[[], Awaitable[Any]]) -> Any:
    """As what traces a call: so many callers more."""
    return await (func() if levels == 0 else deeper(levels - 1, func))


def test_who_asks_is_found_however_deep_the_module_is_asked(synapse: Synapse) -> None:
    levels = iter([0, 0, 7, 7, 3, 3, 40, 40, 0, 0])

    async def module(asked: EventBase) -> Any:
        return await deeper(next(levels), lambda: synapse.module(asked))

    synapse.dispatcher._check_event_for_spam_callbacks[:] = [module]
    for _ in range(5):
        assert synapse.whose(synapse.sends(event())) == OURS
        assert synapse.whose(synapse.receives(event())) == (False, "test")


@pytest.mark.parametrize(("between", "expected"), [(1, (False, "test")), (2, (False, "test")), (3, OURS), (9, OURS)])
def test_federation_asks_where_only_tracing_is_between(
    between: int, expected: tuple[bool, str], synapse: Synapse, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As where the library is installed that traces.
    monkeypatch.setattr(module_under_test, "_CALLERS", range(3))

    def ask(of: EventBase) -> Awaitable[Any]:
        return deeper(between - 1, lambda: synapse.dispatcher.check_event_for_spam(of))

    assert synapse.whose(synapse.receives(event(), ask)) == expected


def test_another_callback_about_our_user_is_local_whoever_asks(synapse: Synapse) -> None:
    async def module(asked: EventBase) -> Any:
        synapse.told.append(synapse.locality.whose(CALLBACKS["should_drop_federated_event"], {"event": asked}))
        return NOT_SPAM

    synapse.dispatcher._check_event_for_spam_callbacks[:] = [module]
    assert synapse.whose(synapse.receives(event())) == OURS


def test_nobody_asks_where_no_function_of_synapse_does() -> None:
    assert locality().whose(CALLBACKS["check_event_for_spam"], {"event": event()}) == OURS
