"""What is read from an admin's request, and what is refused."""

import json
import random
from typing import Any

import pytest
from synapse_module_bridge.admin import questions
from synapse_module_bridge.admin.questions import find, read_body, read_query
from synapse_module_bridge.admin.refused import Refused
from synapse_module_bridge.schema.admin import ENDPOINTS, Endpoint

ALL = [endpoint.name for endpoint in ENDPOINTS]
NOW = 1_800_000_000_000
HOUR = 3_600_000


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "_now", lambda: NOW)


def named(name: str) -> Endpoint:
    return next(endpoint for endpoint in ENDPOINTS if endpoint.name == name)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=ALL)
def test_each_endpoint_is_found_by_its_method_and_path(endpoint: Endpoint) -> None:
    parts = [b"a/b \xe2\x98\x83" if part.startswith("<") else part.encode() for part in endpoint.path]
    name = "a/b ☃" if len(parts) > 1 else ""
    assert find(endpoint.method, parts, ALL) == (endpoint, name)
    assert find(endpoint.method, [*parts, b""], ALL) == (endpoint, name)


def test_head_is_get() -> None:
    assert find("HEAD", [b"status"], ALL)[0].name == "get_status"


def test_an_endpoint_that_is_not_served_is_not_found() -> None:
    with pytest.raises(Refused) as refused:
        find("GET", [b"decisions"], ["get_status"])
    assert refused.value.status == 404
    assert refused.value.body["error"] == "there is no such path: the paths are status"


def test_another_method_is_told_those_that_there_are() -> None:
    with pytest.raises(Refused) as refused:
        find("POST", [b"decisions"], ALL)
    assert (refused.value.status, refused.value.headers) == (405, {"Allow": "GET, DELETE"})


def test_parameters_are_read_in_their_types() -> None:
    read = read_query(named("get_decisions"), b"user=%40a%3Ab&limit=20&since=2h&from=1_2&room=")
    assert read == {"user": "@a:b", "limit": 20, "since": NOW - 2 * HOUR, "from": "1_2"}
    assert read_query(named("get_decisions"), b"since=1700000000000") == {"since": 1_700_000_000_000}
    assert read_query(named("get_decisions"), b"since=9999y") == {"since": 0}


def test_some_that_are_absent_have_a_default() -> None:
    assert read_query(named("get_counters"), b"") == {"since": NOW - 24 * HOUR}
    assert read_query(named("get_shadow"), b"since=") == {"since": NOW - 7 * 24 * HOUR}
    assert read_query(named("get_shadow"), b"since=5") == {"since": 5}


@pytest.mark.parametrize(
    ("query", "error"),
    [
        (b"usr=1", "there is no parameter 'usr': the parameters are user, room"),
        (b"user=@a&user=@b", "give user once"),
        (b"user=alice", "user must begin with @, such as @alice:example.org"),
        (b"room=%23lobby:example.org", "room must begin with !, such as !room:example.org"),
        (b"event=1", "event must begin with $, such as $event"),
        (b"outcome=refuse", "outcome must be one of refused, replaced, edited, "),
        (b"user=%00", "not U+0000"),
        (b"user=%ff", "no UTF-8"),
        (b"user=\xe2\x98\x83", "no UTF-8"),
        (b"user=" + b"a" * 1_001, "at most 1000 characters"),
        (b"limit=many", "limit must be a whole number"),
        (b"limit=-1", "limit must be a whole number"),
        (b"limit=1.0", "limit must be a whole number"),
        (b"limit=" + b"9" * 30, "limit must be a whole number"),
        ("limit=٣".encode(), "no UTF-8"),
        (b"limit=%D9%A3", "limit must be a whole number"),
        (b"since=yesterday", "since must be milliseconds since the epoch, or a duration"),
        (b"since=-2h", "since must be"),
        (b"&".join([b"user=1"] * 60), "too many"),
    ],
)
def test_wrong_parameters_are_named(query: bytes, error: str) -> None:
    with pytest.raises(Refused) as refused:
        read_query(named("get_decisions"), query)
    assert refused.value.status == 400
    assert error in refused.value.body["error"]


def test_a_parameter_that_must_be_given_is_missed() -> None:
    for query in (b"", b"user="):
        with pytest.raises(Refused, match="the parameter user is missing"):
            read_query(named("delete_decisions"), query)


def put(body: Any, content_type: bytes | None = b"application/json") -> Any:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_body(named("put_module"), content_type, sent)


def test_a_body_is_read() -> None:
    assert put({"mode": "off"}) == {"mode": "off"}
    assert put({"mode": "off"}, b"Application/JSON; charset=utf-8") == {"mode": "off"}
    for until in ("2h", NOW):
        assert put({"mode": "off", "until": until, "note": "why"}) == {"mode": "off", "until": until, "note": "why"}


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (b"{", 400, "no JSON"),
        (b"\xff", 400, "no JSON"),
        (b'{"mode": NaN}', 400, "no JSON"),
        (b"[" * 16_000, 400, "no JSON"),
        (b"[" * 400 + b"]" * 400, 400, "the body must be object"),
        (b" " * 16_385, 413, "at most 16384 bytes"),
        (b"", 400, "must have the keys mode"),
        ({}, 400, "must have the keys mode"),
        ({"mode": "on"}, 400, "mode must be one of off, shadow, enforce"),
        ({"mode": "off", "util": 1}, 400, "may have only the keys mode, until, note"),
        ({"mode": "off", "note": 1}, 400, "note must be string"),
        ({"mode": "off", "until": 1.5}, 400, "until must be integer or string"),
        ({"mode": "off", "until": True}, 400, "until must be integer or string"),
    ],
)
def test_a_wrong_body_is_refused(body: Any, status: int, error: str) -> None:
    with pytest.raises(Refused) as refused:
        put(body)
    assert refused.value.status == status
    assert error in refused.value.body["error"]


@pytest.mark.parametrize(
    "content_type", [None, b"text/plain", b"application/x-www-form-urlencoded", b"multipart/form-data"]
)
def test_what_a_form_could_send_is_refused(content_type: bytes | None) -> None:
    with pytest.raises(Refused) as refused:
        put({"mode": "off"}, content_type)
    assert refused.value.status == 415


def test_a_request_without_a_body_may_have_an_empty_one() -> None:
    for body in (b"", b"{}"):
        assert read_body(named("post_reload"), b"application/json", body) == {}
    assert read_body(named("post_reload"), None, b"") == {}
    with pytest.raises(Refused, match="takes no body"):
        read_body(named("post_reload"), b"application/json", b'{"a": 1}')


def test_no_bytes_make_anything_else_of_a_request_than_an_answer_or_a_refusal() -> None:
    chance = random.Random(7)
    tokens = [
        b"user",
        b"since",
        b"limit",
        b"=",
        b"&",
        b"%",
        b"%00",
        b"%e2%98",
        b"1h",
        b"9" * 25,
        b"\xff",
        b"{",
        b'"mode"',
        b":",
        b"[",
        b"}",
    ]
    for _ in range(5_000):
        some = b"".join(chance.choices(tokens, k=chance.randint(0, 8)))
        for read in (_as_query, put, _as_path):
            try:
                read(some)
            except Refused as e:
                assert 400 <= e.status < 500


def _as_query(some: bytes) -> None:
    read_query(named("get_decisions"), some)


def _as_path(some: bytes) -> None:
    find("GET", some.split(b"="), ALL)
