"""Broadcasts on their way through Synapse: when they are delivered, what is refused, and that no row does harm."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from fake_synapse import Api
from prometheus_client import REGISTRY
from synapse_module_bridge.schema.protocol import API
from synapse_module_bridge.synapse_hooks.broadcasts import MOST_A_MINUTE, MOST_BYTES, MOST_WAITING, Broadcasts
from synapse_module_bridge.transport.rpc import ConnectionGone
from turning import outcome
from twisted.internet.defer import Deferred, ensureDeferred

NAME = "synapse_module_bridge.broadcasts.m"


class Replicated(Api):
    """Writes rows once it is told to, as a database does."""

    server_name = "broadcasts"

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[str, tuple[Any, ...]]] = []
        self.writes: list[Deferred[None]] = []

    async def invalidate_cache(self, cached_func: Any, keys: tuple[Any, ...]) -> None:
        cached_func.invalidate(keys)
        self.writes.append(Deferred())
        await self.writes[-1]
        self.rows.append((f"{cached_func.__module__}.{cached_func.__name__}", keys))


class Rig:
    def __init__(self, *, up: bool = True) -> None:
        self.api = Replicated()
        self.time = 0.0
        self.told: list[tuple[str, Any]] = []
        self.answers: list[Deferred[Any]] = []
        self.up = up
        synapse: Any = self.api
        self.broadcasts = Broadcasts(synapse, self._tell, lambda: self.time)
        self.broadcasts.register([{"name": "m", "broadcasts": ["t"]}, {"name": "other"}])
        self.before = {name: self._total(name) for name in ("done", "failed", "dropped")}

    def _tell(self, method: str, params: Mapping[str, Any]) -> "Deferred[Any] | None":
        assert method == "broadcast"
        if not self.up:
            return None
        assert params["module"] == "m"
        self.told.append((params["topic"], params["value"]))
        self.answers.append(Deferred())
        return self.answers[-1]

    def send(self, value: Any = None, topic: Any = "t") -> "Deferred[Any]":
        send: Any = self.broadcasts.methods[API + "broadcast"]
        return ensureDeferred(send("m", {"topic": topic, "value": value}))

    def sent(self, value: Any = None, topic: Any = "t") -> Any:
        sending = self.send(value, topic)
        if self.api.writes and not self.api.writes[-1].called:
            self.api.writes[-1].callback(None)
        return outcome(sending)

    def row(self, *keys: Any) -> None:
        """A row of another process."""
        self.api.cached_functions[NAME].invalidate_local(keys)

    def _total(self, outcome: str) -> float:
        labels = {"module": "m", "outcome": outcome, "server_name": self.api.server_name}
        return REGISTRY.get_sample_value("synapse_module_bridge_broadcasts_total", labels) or 0

    def counted(self) -> dict[str, float]:
        return {name: self._total(name) - before for name, before in self.before.items()}


def test_this_process_gets_it_once_the_row_is_written_and_in_the_order_of_sending() -> None:
    rig = Rig()
    first, second = rig.send(1), rig.send(2)
    assert (len(rig.api.writes), rig.told) == (1, [])
    rig.api.writes[0].callback(None)
    assert rig.told == [("t", 1)]
    rig.api.writes[1].callback(None)
    assert rig.told == [("t", 1), ("t", 2)]
    assert (outcome(first), outcome(second)) == (None, None)
    assert rig.api.rows == [(NAME, ('["t",1]',)), (NAME, ('["t",2]',))]


def test_what_the_database_refuses_reaches_nobody_and_the_next_one_goes_on() -> None:
    rig = Rig()
    first, second = rig.send(1), rig.send(2)
    rig.api.writes[0].errback(RuntimeError("no database"))
    assert str(outcome(first)) == "no database"
    rig.api.writes[1].callback(None)
    assert outcome(second) is None
    assert rig.told == [("t", 2)]


@pytest.mark.parametrize("value", ["\0", "\ud800", "ä😀", [1.5, 2**53 + 1, None], {"a": {"b": []}}])
def test_a_row_is_plain_ascii_and_gives_the_value_back(value: Any) -> None:
    sender, receiver = Rig(), Rig()
    sender.sent(value)
    [(_, key)] = sender.api.rows
    assert key[0].isascii()
    assert "\0" not in key[0]
    receiver.row(*key)
    assert receiver.told == [("t", value)]


def test_the_limit_is_in_bytes_and_the_error_says_what_to_do() -> None:
    rig = Rig()
    most = "ä" * ((MOST_BYTES - len('["t",""]')) // 2)
    assert rig.sent(most) is None
    error = rig.sent(most + "ä")
    assert isinstance(error, ValueError)
    assert str(error).startswith("a broadcast may have 4096 bytes of JSON, and this one has 4098: keep the value in")


@pytest.mark.parametrize(("topic", "value"), [(None, 1), (3, 1), ("t", float("inf")), ("t", float("nan"))])
def test_what_is_no_topic_or_no_json_is_refused(topic: Any, value: Any) -> None:
    rig = Rig()
    assert isinstance(rig.sent(value, topic), (TypeError, ValueError))
    assert rig.api.writes == []


def test_a_flood_is_refused_until_the_minute_is_over() -> None:
    rig = Rig()
    for _ in range(MOST_A_MINUTE):
        assert rig.sent() is None
        rig.answers.pop().callback({"outcome": "done"})
    rig.time = 59.9
    assert "600 broadcasts within a minute" in str(rig.sent())
    rig.time = 60
    assert rig.sent() is None
    assert len(rig.api.rows) == MOST_A_MINUTE + 1


def test_a_module_that_does_not_keep_up_loses_some_and_gets_others_again_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rig = Rig()
    for n in range(MOST_WAITING + 5):
        rig.row(json.dumps(["t", n]))
    assert len(rig.told) == MOST_WAITING
    assert rig.counted() == {"done": 0, "failed": 0, "dropped": 5}
    assert len(caplog.records) == 1
    rig.answers[0].callback({"outcome": "done"})
    rig.row('["t","again"]')
    assert rig.told[-1] == ("t", "again")


@pytest.mark.parametrize(
    ("answer", "counted"),
    [
        ({"outcome": "done"}, "done"),
        ({"outcome": "failed"}, "failed"),
        ({"outcome": "late"}, "failed"),
        ({"outcome": "not_set_up"}, "dropped"),
        ({"outcome": "undeclared"}, None),
        ({"outcome": "else"}, "dropped"),
        (None, "dropped"),
        (ConnectionGone("it ended"), "dropped"),
    ],
)
def test_what_has_become_of_it_is_counted(answer: Any, counted: str | None) -> None:
    rig = Rig()
    rig.row('["t",1]')
    if isinstance(answer, Exception):
        rig.answers[0].errback(answer)
    else:
        rig.answers[0].callback(answer)
    assert rig.counted() == {name: float(name == counted) for name in ("done", "failed", "dropped")}


def test_while_node_is_down_it_is_dropped_here_and_sent_to_the_others() -> None:
    rig = Rig(up=False)
    assert rig.sent(1) is None
    assert len(rig.api.rows) == 1
    assert rig.counted() == {"done": 0, "failed": 0, "dropped": 1}


@pytest.mark.parametrize("keys", [(), ("",), ("{}",), ("3",), ('["t"]',), ("[" * 100_000,), (7,), (None,)])
def test_a_row_that_the_bridge_has_not_written_does_no_harm(keys: tuple[Any, ...]) -> None:
    rig = Rig()
    rig.row(*keys)
    rig.api.cached_functions[NAME].invalidate_all()
    rig.row('["t",1]')
    assert rig.told == [("t", 1)]
