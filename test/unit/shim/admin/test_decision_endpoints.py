"""Requests about decisions, as they reach the record."""

from typing import Any

import pytest
from deciding import START, Process
from own_database import Database
from synapse_module_bridge.admin.decision_endpoints import DecisionEndpoints
from synapse_module_bridge.admin.questions import Question
from synapse_module_bridge.admin.refused import Refused
from synapse_module_bridge.schema.admin import ENDPOINTS
from turning import outcome
from twisted.internet.defer import ensureDeferred


def ask(database: Database, name: str, **query: Any) -> Any:
    api: Any = database
    endpoint = next(one for one in ENDPOINTS if one.name == name)
    assert query.keys() <= endpoint.query.keys()
    question = Question(endpoint=endpoint, admin="@admin:test", query=query)
    answer: Any = outcome(ensureDeferred(DecisionEndpoints(api).handlers[name](question)))
    if isinstance(answer, Exception):
        raise answer
    return answer


@pytest.fixture
def database() -> Database:
    database = Database()
    process = Process(database)
    for number in range(5):
        process.decide(room=f"!{number}:test")
        process.advance(1)
    process.advance(1)
    return database


def test_decisions_come_in_pages(database: Database) -> None:
    first = ask(database, "get_decisions", limit=3, module="no-links")
    assert [row["room"] for row in first["decisions"]] == ["!4:test", "!3:test", "!2:test"]
    second = ask(database, "get_decisions", limit=3, **{"from": first["next"]})
    assert [row["room"] for row in second["decisions"]] == ["!1:test", "!0:test"] and "next" not in second


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 1_001}, {"from": "here"}])
def test_what_does_not_fit_is_refused(database: Database, query: Any) -> None:
    with pytest.raises(Refused):
        ask(database, "get_decisions", **query)


@pytest.mark.parametrize("name", ["get_decisions", "get_shadow", "get_counters"])
@pytest.mark.parametrize("since", [0, 2**53 - 1])
def test_any_time_may_be_asked_for(database: Database, name: str, since: int) -> None:
    answer = ask(database, name, since=since)
    assert name != "get_decisions" or len(answer["decisions"]) == (5 if since == 0 else 0)


def test_a_version_may_be_asked_for(database: Database) -> None:
    version = {key: ask(database, "get_decisions")["decisions"][0][key] for key in ("files", "config")}
    assert len(ask(database, "get_decisions", **version)["decisions"]) == 5
    for key in version:
        assert ask(database, "get_decisions", **{**version, key: "another"}) == {"decisions": []}


def test_a_user_is_erased(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        assert ask(database, "delete_decisions", user="@eve:test") == {"erased": 5}
    assert "@admin:test erased 5 decisions about @eve:test" in caplog.text
    assert ask(database, "get_decisions", since=int(START * 1000)) == {"decisions": []}
